from livebridge.cli import main
from livebridge.cli._chat import _Screen
from livebridge.errors import ConnectError, HandlerError
from livebridge.protocol import GoAwayInfo, ResumedInfo, SessionLostInfo, TextDelta


def test_piped_lines_are_answered_one_after_the_other(typed, capsys):
    typed("Hello\n\nMy name is Ada\nWhat is my name?")
    assert main(["chat", "--simulate"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        "Hello! How can I help you?",
        "Nice to meet you, Ada.",
        "Your name is Ada.",
    ]
    assert captured.err == ""


def test_models_that_write_are_asked_for_text(typed, capsys):
    typed("Hello\n")
    assert main(["chat", "--simulate", "--model", "gemini-2.0-flash-live-001"]) == 0
    assert capsys.readouterr().out == "Hello! How can I help you?\n"


def test_the_end_of_input_ends_the_chat(typed, capsys):
    typed("")
    assert main(["chat", "--simulate"]) == 0
    assert capsys.readouterr().out == ""


def test_closed_input_is_wrong_usage(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", None)
    assert main(["chat", "--simulate"]) == 2
    assert "standard input is closed" in capsys.readouterr().err


def test_an_unknown_model_is_the_servers_sentence(typed, capsys):
    typed("Hello\n")
    assert main(["chat", "--simulate", "--model", "no-such-model"]) == 1
    told = capsys.readouterr().err
    assert "no-such-model is not found" in told
    assert told.count("\n") == 1


def test_an_answer_that_does_not_come_does_not_end_the_chat(typed, capsys, monkeypatch):
    monkeypatch.setattr("livebridge.cli._chat.ANSWER_SECONDS", 0.01)
    typed("Hello\n")
    assert main(["chat", "--simulate"]) == 0
    assert "no answer within 0.01 s" in capsys.readouterr().err


def test_vertex_takes_project_and_location(typed, monkeypatch, capsys):
    typed("")
    asked = {}

    def refuse(*args, **options):
        asked.update(options, auth=args)
        raise ConnectError("no network")

    monkeypatch.setattr("livebridge.cli._chat.resolve_auth", refuse)
    assert main(["chat", "--vertex", "--project", "p", "--location", "l"]) == 1
    assert asked == {"auth": ("vertex_ai",), "project": "p", "location": "l"}
    assert capsys.readouterr().err == "livebridge: no network\n"


def test_a_person_sees_prompts_and_what_becomes_of_the_connection(capsys):
    screen = _Screen(person=True, color=False)
    screen.prompt()
    screen.on_text(TextDelta(text="Hel"))
    screen.on_go_away(GoAwayInfo(time_left=5, deadline=0, epoch=1))
    screen.on_resumed(ResumedInfo(epoch=2, continuity="resumed"))
    screen.on_text(TextDelta(text="lo"))
    screen.answered()
    screen.leave()
    captured = capsys.readouterr()
    assert captured.out == "> Hel\nlo\n\n"
    assert captured.err.splitlines() == [
        "(connection 1 ends soon; the conversation goes on)",
        "(connection 2: resumed)",
    ]


def test_a_pipe_sees_answers_only_but_always_what_was_lost(capsys):
    screen = _Screen(person=False, color=True)
    screen.prompt()
    screen.on_go_away(GoAwayInfo(time_left=5, deadline=0))
    screen.on_resumed(ResumedInfo(epoch=2, continuity="lost"))
    screen.on_error(ConnectError("mended by the session"))
    screen.leave()
    assert capsys.readouterr() == ("", "")
    screen.on_session_lost(SessionLostInfo(reason="expired"))
    screen.on_error(HandlerError("on_text", None, ValueError("oops")))
    told = capsys.readouterr().err
    assert "\x1b[33m" in told
    assert "expired" in told
    assert "oops" in told
