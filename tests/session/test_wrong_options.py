"""Options and callbacks that cannot work are refused by name, before anything is dialled."""

import functools

import pytest
import trio

from livebridge.errors import ConfigError
from livebridge.otp import Supervisor
from livebridge.protocol import LIVE_MODELS
from livebridge.session import Handler, MemoryResumeStore, Session
from livebridge.session._options import parse

MODEL = "gemini-3.1-flash-live-preview"


class HalfAStore:
    async def load(self, key):
        return None


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"models": {MODEL: 3}}, f"models maps names .* not '{MODEL}' to int"),
        ({"models": 3}, "option models"),
        ({"resume_store": 3}, "resume_store must be a ResumeStore, not int: it has no load and no save"),
        ({"resume_store": HalfAStore()}, "not HalfAStore: it has no save and no delete"),
        ({"resume_store": MemoryResumeStore}, r"an instance: MemoryResumeStore\(…\)"),
        ({"headers": {"a": 3}}, "headers: a must be text, not int"),
        ({"headers": {3: "a"}}, "headers: 3 cannot be the name"),
        ({"headers": {"a b": "c"}}, "headers: 'a b' cannot be the name"),
        ({"headers": {"a": "b\r\nX: y"}}, "headers: a has characters that a header cannot hold"),
        ({"headers": {"a": "\N{SNOWMAN}"}}, "headers: a has characters"),
        ({"config": {"http_options": {"headers": {"a": "b\n"}}}}, r"http_options\.headers: a has characters"),
        ({"proxy": "nope"}, "option proxy must be a URL such as .* 'env' or None"),
        ({"proxy": "socks5://host:1"}, "option proxy must be a URL"),
        ({"proxy": "http://:80"}, "option proxy must be a URL"),
        ({"proxy": "http://host:99999"}, "option proxy is no URL; a port is a number up to 65535"),
        ({"proxy": "http://host\r\n"}, "option proxy has characters that a URL cannot hold"),
        ({"base_url": "http://127.0.0.1:99999"}, "option base_url is no URL; a port is"),
        ({"base_url": "http://a b"}, "option base_url has characters"),
        ({"base_url": 3}, "option base_url"),
        ({"config": {"http_options": {"base_url": "http://x:99999"}}}, r"http_options\.base_url is no URL"),
    ],
)
async def test_an_option_that_could_not_be_used_is_refused_by_name(live, options, text):
    with pytest.raises(ConfigError, match=text):
        async with live.session(**options):
            pytest.fail("the block must not be entered")
    assert live.network.dials == 0


@pytest.mark.parametrize(
    "options",
    [
        {"models": {"mine": LIVE_MODELS[MODEL]}},
        {"models": None},
        {"resume_store": MemoryResumeStore()},
        {"resume_store": None},
        {"headers": {"X-Mine": "caf\N{LATIN SMALL LETTER E WITH ACUTE}\tau lait"}},
        {"proxy": "https://user:password@proxy"},
        {"proxy": "env"},
        {"base_url": "wss://host:65535/path"},
        {"base_url": ""},
    ],
)
def test_an_option_that_can_be_used_is_kept(options):
    made, _ = parse({"model": MODEL, **options})
    assert all(getattr(made, name) == value for name, value in options.items())


def test_what_is_secret_in_an_option_is_not_quoted():
    for options in (
        {"proxy": "nope:SECRET"},
        {"proxy": "http://user:SECRET@host:99999"},
        {"base_url": "http://SECRET:99999"},
        {"headers": {"authorization": "SECRET\r\n"}},
    ):
        with pytest.raises(ConfigError) as caught:
            parse({"model": MODEL, **options})
        assert "SECRET" not in str(caught.value)


# ---- callbacks


async def generator(argument):
    yield argument


def plain_generator(argument):
    yield argument


class Callable:
    async def __call__(self, argument):
        yield argument


@pytest.mark.parametrize(
    "callback", [generator, plain_generator, functools.partial(generator), Callable(), Callable().__call__]
)
async def test_a_callback_whose_code_would_never_run_is_refused(live, callback):
    with pytest.raises(ConfigError, match=r"on_text is a generator .* would never run"):
        async with live.session(on_text=callback):
            pytest.fail("the block must not be entered")
    assert live.network.dials == 0


class AnswersWithoutCaller(Handler):
    def handle_call(self, request):
        return request


class TellsNothing(Handler):
    def handle_cast(self):
        pass


class HearsTooMuch(Handler):
    async def handle_info(self, message, more):
        pass


class Yields(Handler):
    async def handle_call(self, request, caller):
        yield request


@pytest.mark.parametrize(
    ("handler", "text"),
    [
        (
            AnswersWithoutCaller,
            r"AnswersWithoutCaller.handle_call is called with 2 arguments \(request, caller\)",
        ),
        (TellsNothing, r"TellsNothing.handle_cast is called with one argument \(request\)"),
        (HearsTooMuch, "HearsTooMuch.handle_info is called with one argument .*'more'"),
        (Yields, "Yields.handle_call is a generator"),
    ],
)
async def test_a_method_of_a_handler_that_could_not_be_called_is_refused_at_the_start(live, handler, text):
    with pytest.raises(ConfigError, match=text):
        async with Session.start(handler(), **live.options()):
            pytest.fail("the block must not be entered")
    assert live.network.dials == 0


# ---- one instance, one session


class Bot(Handler):
    pass


async def test_an_instance_that_drives_a_session_cannot_drive_another_one(live):
    bot = Bot()
    async with Session.start(bot, **live.options()) as first:
        with pytest.raises(
            ConfigError, match=r"this Bot already drives a session .*; make one instance per session"
        ):
            async with Session.start(bot, **live.options()):
                pytest.fail("the block must not be entered")
        assert bot.session is first
        assert not first.closed


async def test_an_instance_is_free_again_when_its_session_has_ended(live):
    bot = Bot()
    async with Session.start(bot, **live.options()) as first:
        pass
    async with Session.start(bot, **live.options()) as second:
        assert bot.session is second
        assert second is not first


async def test_of_two_starts_at_once_with_one_instance_one_is_refused(live):
    bot = Bot()
    outcomes = []

    async def start():
        try:
            async with Session.start(bot, **live.options()) as session:
                outcomes.append(bot.session is session)
                await trio.sleep(1)
        except ConfigError as error:
            outcomes.append(type(error))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(start)
        nursery.start_soon(start)
    assert outcomes == [ConfigError, True]


async def test_an_instance_whose_start_was_refused_is_still_free(live):
    bot = Bot()
    with pytest.raises(ConfigError, match="api_version"):
        async with Session.start(bot, **live.options(api_version="no version")):
            pytest.fail("the block must not be entered")
    async with Session.start(bot, **live.options()) as session:
        assert bot.session is session


async def test_a_supervised_instance_may_be_used_again_after_its_end(live, log):
    bot = Bot()
    options = live.options(**log.callbacks("on_ready"))
    async with Supervisor.open() as supervisor:
        child = await supervisor.start_child(
            Session.child_spec(lambda: bot, id="bot", backoff=None, restart="permanent", **options)
        )
        await log.wait("on_ready")
        child.ref.kill()
        await log.wait("on_ready", 2)


def test_a_child_needs_a_class_not_an_instance():
    with pytest.raises(ConfigError, match=r"not an instance: give the class Bot, or .* lambda: Bot\(…\)"):
        Session.child_spec(Bot(), id="bot", model=MODEL, api_key="k")


# ---- a function that knows the key


@pytest.mark.parametrize("kind", ["plain", "async", "gives an awaitable"])
async def test_a_function_for_the_key_may_be_async_or_not(live, kind):
    async def later():
        return "key-of-mine"

    functions = {
        "plain": lambda: "key-of-mine",
        "async": later,
        "gives an awaitable": functools.partial(later),
    }
    async with live.session(api_key=functions[kind]):
        line = await live.line()
        assert line.server.headers["x-goog-api-key"] == "key-of-mine"


def test_a_key_of_another_kind_is_refused():
    with pytest.raises(ConfigError, match="api_key must be a str or a function that returns one, not bytes"):
        Session.child_spec(id="bot", model=MODEL, api_key=b"abc")
