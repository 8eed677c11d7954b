"""Whoever provides the credentials may hang, fail for a moment, or have better ones the next time."""

import pytest
import trio

from livebridge.auth import EphemeralToken, Gateway, GeminiApi, VertexAi, VertexExpress
from livebridge.errors import ConnectError, CredentialsError, SetupError


class Provider:
    """An async function that does what it is told on each call; then it provides tokens."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.asked = 0

    async def __call__(self):
        self.asked += 1
        if self.steps:
            await self.steps.pop(0)()
        return f"auth_tokens/{self.asked}"


async def hang():
    await trio.sleep_forever()


async def fail():
    raise RuntimeError("the token service restarts")


async def test_a_provider_that_hangs_is_given_as_much_time_as_a_dial(live):
    began = trio.current_time()
    provider = Provider(hang, hang, hang)
    with pytest.raises(ConnectError, match="not provided within 4 s") as caught:
        async with live.session(auth=EphemeralToken(provider), dial_timeout=4):
            pytest.fail("the block must not be entered")
    assert (provider.asked, live.network.dials) == (3, 0)
    assert caught.value.phase == "dial"
    assert 12 <= trio.current_time() - began < 15


async def test_a_provider_that_hangs_once_delays_the_session(live):
    async with live.session(auth=EphemeralToken(Provider(hang))) as session:
        assert session.epoch == 1


async def test_a_provider_that_hangs_on_a_redial_is_asked_again(live, log):
    provider = Provider()
    async with live.session(auth=EphemeralToken(provider), **log.callbacks("on_resumed", "on_reconnecting")):
        line = await live.line()
        line.resumable("h1")
        await trio.sleep(12)
        provider.steps = [hang]
        line.drop()
        await log.wait("on_resumed")
        assert provider.asked == 3
        assert "not provided" in str(log.of("on_reconnecting")[1].error)
        assert live.lines[1].handle == "h1"


@pytest.mark.parametrize("drain", [True, False])
async def test_close_cuts_a_provider_short(live, drain):
    provider = Provider()
    async with live.session(auth=EphemeralToken(provider), dial_timeout=1000) as session:
        line = await live.line()
        provider.steps = [hang]
        line.drop()
        await trio.sleep(1)
        assert provider.asked == 2
        began = trio.current_time()
        await session.close(drain=drain)
        assert trio.current_time() == began


async def test_a_close_that_has_something_to_deliver_ends_in_time_although_the_provider_hangs(live):
    provider = Provider()
    async with live.session(
        auth=EphemeralToken(provider), dial_timeout=1000, close_timeout=7, keepalive=None
    ) as session:
        line = await live.line()
        provider.steps = [hang]
        line.drop()
        await trio.sleep(1)
        await session.send_text("late")
        began = trio.current_time()
        result = await session.close()
        assert trio.current_time() - began <= 7
        assert result.undelivered == 1


async def test_a_provider_that_fails_once_is_asked_again_on_the_first_dial_too(live):
    provider = Provider(fail)
    async with live.session(auth=EphemeralToken(provider)) as session:
        assert session.epoch == 1
    assert provider.asked == 2


@pytest.mark.parametrize("function", [True, False])
async def test_google_credentials_that_fail_are_asked_again_only_where_a_function_provides_them(
    live, function
):
    asked = 0

    class Broken(VertexAi):
        """Credentials are refreshed in a thread, for which no jumping clock waits."""

        async def headers(self, *, refresh=False):
            nonlocal asked
            asked += 1
            raise CredentialsError("cannot refresh the Google credentials") from ValueError("no key file")

    auth = Broken(project="p", location="us-central1", credentials=_secret if function else None)
    with pytest.raises(ConnectError, match="cannot refresh"):
        async with live.session(auth=auth):
            pytest.fail("the block must not be entered")
    assert asked == (3 if function else 1)


async def test_a_provider_that_always_fails_is_asked_connect_attempts_times(live):
    provider = Provider(*[fail] * 9)
    with pytest.raises(ConnectError, match="ephemeral token failed"):
        async with live.session(auth=EphemeralToken(provider), connect_attempts=4):
            pytest.fail("the block must not be entered")
    assert provider.asked == 4


async def test_a_provider_of_nonsense_is_not_asked_again(live):
    asked = 0

    async def nonsense():
        nonlocal asked
        asked += 1
        return ""

    with pytest.raises(ConnectError, match="is empty"):
        async with live.session(auth=EphemeralToken(nonsense)):
            pytest.fail("the block must not be entered")
    assert asked == 1


@pytest.mark.parametrize("reason", ["Token has been used too many times", "Token expired"])
async def test_a_used_token_is_replaced_by_what_the_function_provides(live, steps, reason):
    provider = Provider()
    live.then(steps.closing(1008, reason))
    async with live.session(auth=EphemeralToken(provider)) as session:
        assert session.epoch == 1
    assert [line.server.headers["authorization"] for line in live.lines] == [
        "Token auth_tokens/1",
        "Token auth_tokens/2",
    ]


@pytest.mark.parametrize("reason", ["Token has been used too many times", "Token expired"])
async def test_a_used_token_without_a_function_is_fatal_with_a_hint(live, steps, reason):
    live.default = steps.closing(1008, reason)
    with pytest.raises(SetupError) as caught:
        async with live.session(auth=EphemeralToken("auth_tokens/x")):
            pytest.fail("the block must not be entered")
    assert live.network.dials == 1
    assert "async function" in caught.value.hint


async def test_a_function_whose_tokens_are_all_refused_is_asked_twice(live, steps):
    live.default = steps.closing(1008, "Token expired")
    with pytest.raises(SetupError):
        async with live.session(auth=EphemeralToken(Provider())):
            pytest.fail("the block must not be entered")
    assert live.network.dials == 2


async def _secret():
    return "secret-key"


async def _headers():
    return {"authorization": "secret-key"}


@pytest.mark.parametrize(
    ("auth", "dials"),
    [
        (GeminiApi(api_key="secret-key"), 1),
        (GeminiApi(api_key=_secret), 2),
        (VertexExpress(api_key="secret-key"), 1),
        (VertexExpress(api_key=_secret), 2),
        (VertexAi(project="p", location="us-central1", credentials=_secret), 2),
        (Gateway(url="wss://gateway.example/live", headers={"authorization": "secret-key"}), 1),
        (Gateway(url="wss://gateway.example/live", headers=_headers), 2),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_key_is_asked_for_again_only_where_somebody_can_be_asked(live, steps, auth, dials):
    live.default = steps.closing(1008, "API key expired. Please renew the API key.")
    with pytest.raises(SetupError):
        async with live.session(auth=auth):
            pytest.fail("the block must not be entered")
    assert live.network.dials == dials
