from livebridge.protocol import History, Turn, client_content, realtime_input
from livebridge.protocol._history import MAX_CHARACTERS


def said(history: History) -> list[tuple[str, str]]:
    return [(content.role, content.parts[0].text) for content in history.contents()]


def test_the_last_turns_are_kept_with_what_the_user_said_before_them():
    history = History(turns=2)
    for number in range(4):
        history.user_said(f"question {number}")
        history.completed(Turn(text=f"answer {number}"))
    assert said(history) == [
        ("user", "question 2"), ("model", "answer 2"), ("user", "question 3"), ("model", "answer 3"),
    ]  # fmt: skip


def test_speech_is_kept_by_its_transcript():
    history = History(turns=3)
    history.completed(Turn(text="sunny", input_transcript="the weather?"))
    assert said(history) == [("user", "the weather?"), ("model", "sunny")]


def test_words_are_kept_whichever_way_they_were_sent():
    history = History(turns=3)
    history.sent(realtime_input(text="hello"), seq=1)
    history.sent(realtime_input(activity_end=True), seq=2)
    history.sent(client_content("there"), seq=3)
    history.sent(client_content(), seq=4)
    history.completed(Turn(text="hi"))
    assert said(history) == [("user", "hello there"), ("model", "hi")]
    assert list(history.told) == [1, 3]


def test_a_history_that_the_user_sends_is_history():
    history = History(turns=3)
    turns = [{"role": role, "parts": [{"text": role}]} for role in ("system", "user", "model", "user")]
    history.sent(client_content(turns), seq=1)
    assert said(history) == [("user", "user"), ("model", "model")]


def test_a_question_that_came_during_a_turn_is_not_answered_by_it():
    history = History(turns=3)
    history.user_said("first", seq=1)
    history.user_said("second", seq=2)
    history.completed(Turn(text="one"), open_from=2)
    assert said(history) == [("user", "first"), ("model", "one")]
    assert list(history.told) == [1]
    history.completed(Turn(text="two"))
    assert said(history)[2:] == [("user", "second"), ("model", "two")]


def test_a_history_begins_with_the_user():
    history = History(turns=1)
    history.completed(Turn(text="hello, I am the concierge"))
    history.completed(Turn(text="still here"))
    assert said(history) == []


def test_a_history_is_never_longer_than_a_model_takes():
    history = History(turns=20)
    for number in range(20):
        history.user_said(f"question {number}")
        history.completed(Turn(text="x" * (MAX_CHARACTERS // 3)))
    assert [role for role, _ in said(history)] == ["user", "model", "user", "model"]
    assert said(history)[-2][1] == "question 19"


def test_no_turns_no_history():
    history = History()
    history.user_said("hello")
    history.sent(client_content({"role": "model", "parts": [{"text": "hi"}]}), seq=1)
    history.completed(Turn(text="hi", input_transcript="hello"))
    assert said(history) == []


def test_an_empty_turn_leaves_no_answer_behind():
    history = History(turns=2)
    history.user_said("hello")
    history.user_said("")
    history.completed(Turn())
    assert said(history) == [("user", "hello")]
