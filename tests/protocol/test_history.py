from livebridge.protocol import History, Turn


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


def test_a_history_begins_with_the_user():
    history = History(turns=1)
    history.completed(Turn(text="hello, I am the concierge"))
    history.completed(Turn(text="still here"))
    assert said(history) == []


def test_no_turns_no_history():
    history = History()
    history.user_said("hello")
    history.completed(Turn(text="hi", input_transcript="hello"))
    assert said(history) == []


def test_an_empty_turn_leaves_the_question_open():
    history = History(turns=2)
    history.user_said("hello")
    history.user_said("")
    history.completed(Turn())
    assert said(history) == [("user", "hello")]
