"""`Handler`: callbacks as methods, and messages of your own."""

import pytest
import trio

from livebridge.errors import ActorExitError, ConfigError, HandlerError, LivebridgeError, MailboxFullError
from livebridge.otp import NOREPLY
from livebridge.protocol import CALLBACKS
from livebridge.session import Handler, Session


class Everything(Handler):
    """Records every callback there is."""

    def __init__(self, log):
        self.log = log

    def on_error(self, error):
        self.log.add("on_error", error)

    async def on_text(self, delta):
        await self.session.send_text(f"echo {delta.text}")
        self.log.add("on_text", delta)

    async def on_close(self, info):
        await trio.lowlevel.checkpoint()
        self.log.add("on_close", info)

    async def handle_call(self, request, caller):
        if request == "later":
            caller.reply("at once, by hand")
            return NOREPLY
        if request == "fail":
            raise ValueError("no answer to that")
        return f"{request}!"

    def handle_cast(self, request):
        self.log.add("handle_cast", request)
        if request == "fail":
            raise ValueError("cast")

    def handle_info(self, message):
        self.log.add("handle_info", message)


async def test_a_handler_has_callbacks_state_and_its_session(live, log):
    async with Session.start(Everything(log), **live.options()) as session:
        line = await live.line()
        line.text("a")
        await line.next()
        assert line.texts() == ["echo a"]
    assert log.names == ["on_text", "on_close"]
    assert session.closed


async def test_calls_are_answered_whatever_the_connection_does(live, log):
    async with Session.start(Everything(log), **live.options(connect=False)) as session:
        assert await session.call("x") == "x!"
        assert await session.call("later") == "at once, by hand"
        await session.connect()
        assert await session.call("y") == "y!"
    with pytest.raises(ActorExitError):
        await session.call("z")


async def test_what_handle_call_raises_is_raised_in_the_caller_and_reported(live, log):
    async with Session.start(Everything(log), **live.options()) as session:
        with pytest.raises(ValueError, match="no answer to that"):
            await session.call("fail")
        assert await session.call("x") == "x!"
        (error,) = log.of("on_error")
        assert isinstance(error, HandlerError)
        assert error.callback == "handle_call"


async def test_casts_and_other_messages_reach_the_handler_in_order(live, log):
    async with Session.start(Everything(log), **live.options()) as session:
        session.cast(1)
        session.ref.send("info")
        session.cast("fail")
        session.cast(2)
        await session.call("sync")
        assert [each for each in log.events if each[0] != "on_error"] == [
            ("handle_cast", 1),
            ("handle_info", "info"),
            ("handle_cast", "fail"),
            ("handle_cast", 2),
        ]
        assert len(log.of("on_error")) == 1


async def test_a_mailbox_that_is_full_refuses_a_cast(live, log):
    gate = trio.Event()

    class Slow(Handler):
        async def handle_cast(self, request):
            await gate.wait()

    async with Session.start(Slow(), **live.options()) as session:
        with pytest.raises(MailboxFullError):
            for _ in range(5000):
                session.cast("x")
        gate.set()


async def test_a_plain_handler_answers_no_calls_and_lives_on(live):
    async with Session.start(Handler(), **live.options()) as session:
        with pytest.raises(ConfigError, match="answers no calls"):
            await session.call("x")
        session.cast("ignored")
        session.ref.send("ignored")
        line = await live.line()
        line.text("a")
        await session.send_text("b")
        assert await line.next()


async def test_without_a_handler_casts_and_infos_are_ignored(live, log):
    async with live.session(**log.callbacks("on_error")) as session:
        session.cast("x")
        session.ref.send("y")
        with pytest.raises(LivebridgeError, match="no Handler"):
            await session.call("z")
        assert log.events == []


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("on_mesage", "on_message"),
        ("on_tool_cal", "on_tool_call"),
        ("handle_cal", "handle_call"),
        ("on_xyzzy", ""),
    ],
)
def test_a_misspelt_callback_fails_when_the_class_is_made(name, near):
    with pytest.raises(ConfigError, match=f"{name} is no callback.*{near}"):
        type("Bot", (Handler,), {name: lambda _self, _argument: None})


def test_attributes_that_are_no_functions_may_be_called_anything():
    assert type("Bot", (Handler,), {"on_sale": True}).on_sale is True


async def test_one_callback_in_both_spellings_is_refused(live, log):
    with pytest.raises(ConfigError, match="on_text is given twice"):
        async with Session.start(Everything(log), **live.options(on_text=print)):
            pytest.fail("the block must not be entered")
    assert live.network.dials == 0


async def test_a_handler_and_other_callbacks_as_keywords_go_together(live, log):
    async with Session.start(Everything(log), **live.options(**log.callbacks("on_usage"))):
        line = await live.line()
        line.say({"usageMetadata": {}})
        await log.wait("on_usage")
    assert "on_usage" in log.names


@pytest.mark.parametrize(
    "function",
    [lambda: None, lambda _one, _two: None, lambda *, _only: None],
)
async def test_a_callback_that_takes_no_single_argument_is_refused_before_any_dial(live, function):
    with pytest.raises(ConfigError, match="one argument"):
        async with live.session(on_text=function):
            pytest.fail("the block must not be entered")
    bot = type("Bot", (Handler,), {"on_text": staticmethod(function)})()
    with pytest.raises(ConfigError, match="one argument"):
        async with Session.start(bot, **live.options()):
            pytest.fail("the block must not be entered")
    assert live.network.dials == 0


@pytest.mark.parametrize("callback", [5, "name", object()])
async def test_a_callback_that_is_no_function_is_refused(live, callback):
    with pytest.raises(ConfigError, match="on_text must be a function"):
        async with live.session(on_text=callback):
            pytest.fail("the block must not be entered")


async def test_a_callback_without_a_signature_is_taken_on_trust(live):
    async with live.session(on_text=type) as session:
        line = await live.line()
        line.text("a")
        await trio.testing.wait_all_tasks_blocked()
        assert session.statistics().callback_errors == 0


@pytest.mark.parametrize(
    ("handler", "text"), [(Handler, "give an instance"), (object(), "must be a Handler")]
)
async def test_what_is_no_handler_instance_is_refused(live, handler, text):
    with pytest.raises(ConfigError, match=text):
        async with Session.start(handler, **live.options()):
            pytest.fail("the block must not be entered")


def test_a_handler_that_is_in_no_session_says_so():
    with pytest.raises(ConfigError, match="not in a session yet"):
        _ = Handler().session


def test_a_handler_has_a_method_for_every_callback():
    assert all(callable(getattr(Handler, name)) for name in CALLBACKS)
    handler = Handler()
    assert all(getattr(handler, name)(None) is None for name in CALLBACKS)


async def test_an_instance_attribute_is_a_callback_too(live, log):
    handler = Handler()
    handler.on_text = log.recorder("on_text")
    async with Session.start(handler, **live.options()):
        line = await live.line()
        line.text("a")
        assert (await log.wait("on_text")).text == "a"
