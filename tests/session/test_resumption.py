"""Handles, continuity and credentials: what the model still knows, and the honest word about it."""

import attrs
import pytest
import trio

from livebridge.auth import EphemeralToken, GeminiApi, VertexExpress
from livebridge.errors import ConnectError, CredentialsError, SessionFailedError
from livebridge.protocol import ReconnectPolicy

HANDLE_TTL = 7140.0
"""Seconds: two hours less a minute."""

TRANSPARENT = {
    "auth": VertexExpress(api_key="secret-key"),
    "session_resumption": {"transparent": True},
}


async def _settle():
    await trio.testing.wait_all_tasks_blocked()


@pytest.mark.parametrize(
    "update",
    [
        {"resumable": False},
        {"resumable": False, "newHandle": ""},
        {"resumable": False, "newHandle": "bad"},
        {"resumable": True, "newHandle": ""},
        {"resumable": True},
        {"newHandle": "bad"},
        {},
    ],
    ids=str,
)
async def test_invariant_27_only_a_resumable_update_with_a_handle_replaces_the_handle(live, log, update):
    async with live.session(**log.callbacks("on_resumed", "on_session_resumption")) as session:
        line = await live.line()
        line.resumable("good")
        await _settle()
        line.say({"sessionResumptionUpdate": update})
        await _settle()
        assert session.handle == "good"
        line.drop()
        await log.wait("on_resumed")
        assert live.lines[1].handle == "good"
        assert [each.handle for each in log.of("on_session_resumption")] == ["good"]


async def test_invariant_27_the_last_handle_is_the_one_that_is_used(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session:
        line = await live.line()
        for n in range(5):
            line.resumable(f"h{n}")
        await _settle()
        assert session.handle == "h4"
        assert session.resumable
        line.drop()
        await log.wait("on_resumed")
        assert live.lines[1].handle == "h4"
        assert not session.resumable


async def test_a_drop_before_any_handle_is_a_fresh_session_and_one_on_session_lost(live, log):
    async with live.session(**log.callbacks("on_session_lost", "on_resumed", "on_ready")):
        line = await live.line()
        await log.wait("on_ready")
        line.drop()
        await log.wait("on_ready", 2)
        assert log.names == ["on_ready", "on_session_lost", "on_resumed", "on_ready"]
        assert log.of("on_session_lost")[0].reason == "no_handle"
        assert log.of("on_resumed")[0].continuity == "lost"
        assert log.of("on_resumed")[0].lossy
        assert live.lines[1].handle is None


async def test_invariant_27_a_handle_that_expired_during_an_outage_is_not_used(live, log):
    async with live.session(
        reconnect=ReconnectPolicy(max_outage=None), **log.callbacks("on_session_lost", "on_resumed")
    ):
        line = await live.line()
        line.resumable("old")
        await _settle()
        live.dial_delays.append(0)
        live.refuse(ConnectError("later", retryable=True, retry_after=HANDLE_TTL + 60))
        with trio.fail_after(3 * HANDLE_TTL):
            line.drop()
            clock = trio.lowlevel.current_clock()
            await trio.sleep(1)
            clock.jump(3000)
            await trio.sleep(1)
            clock.jump(HANDLE_TTL)
            await log.wait("on_resumed")
        assert live.lines[1].handle is None
        assert [info.reason for info in log.of("on_session_lost")] == ["expired"]


async def test_a_handle_ages_only_while_there_is_no_connection(live, log):
    async with live.session(keepalive=None, **log.callbacks("on_resumed")):
        line = await live.line()
        line.resumable("h")
        await _settle()
        trio.lowlevel.current_clock().jump(HANDLE_TTL * 3)
        await trio.sleep(1)
        line.drop()
        await log.wait("on_resumed")
        assert live.lines[1].handle == "h"


@pytest.mark.parametrize("policy", ["resume_last", "fresh", "fail"])
async def test_what_happens_when_the_server_had_said_not_resumable_is_an_option(live, log, policy):
    async def scenario():
        async with live.session(unresumable=policy, **log.callbacks("on_resumed", "on_session_lost")):
            line = await live.line()
            line.resumable("h")
            line.unresumable()
            await _settle()
            line.drop()
            await log.wait("on_resumed")

    if policy == "fail":
        with pytest.raises(SessionFailedError):
            await scenario()
        assert live.network.dials == 1
        return
    await scenario()
    (info,) = log.of("on_resumed")
    assert info.lossy
    assert live.lines[1].handle == ("h" if policy == "resume_last" else None)
    assert len(log.of("on_session_lost")) == (policy == "fresh")


async def test_a_handle_from_an_earlier_process_is_used_for_the_first_setup(live, log):
    async with live.session(resume_handle="saved", **log.callbacks("on_ready")):
        line = await live.line()
        assert line.handle == "saved"
        assert (await log.wait("on_ready")).kind == "resumed"


async def test_a_handle_in_the_configuration_is_a_resume_handle(live, log):
    async with live.session(session_resumption={"handle": "saved"}, **log.callbacks("on_ready")):
        assert (await live.line()).handle == "saved"
        assert (await log.wait("on_ready")).kind == "resumed"


async def test_a_saved_handle_that_is_refused_leads_to_a_fresh_session_that_says_so(live, log, steps):
    live.then(steps.closing(1008), steps.closing(1008))
    async with live.session(resume_handle="stale", **log.callbacks("on_ready")):
        assert [line.handle for line in live.lines] == ["stale", "stale", None]
        assert (await log.wait("on_ready")).kind == "fresh_after_loss"


async def test_messages_written_after_the_last_handle_are_reported_as_uncertain(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session:
        line = await live.line()
        await session.send_text("covered")
        await line.next()
        line.turn("yes")
        line.resumable()
        await _settle()
        await session.send_text("uncertain")
        await line.next()
        line.drop()
        info = await log.wait("on_resumed")
        assert info.lossy
        assert [each.realtime_input.text for each in info.uncertain] == ["uncertain"]
        assert info.replayed == 0
        await trio.sleep(1)
        assert live.lines[1].texts() == []


async def test_with_replay_uncertain_they_are_written_again_in_order(live, log):
    async with live.session(replay="uncertain", **log.callbacks("on_resumed")) as session:
        line = await live.line()
        await session.send_text("covered")
        await line.next()
        line.turn("yes")
        line.resumable()
        await _settle()
        for text in "abc":
            await session.send_text(text)
            await line.next()
        await session.send_audio(b"\x00\x00" * 100)
        await line.next()
        line.drop()
        info = await log.wait("on_resumed")
        await trio.sleep(1)
        assert live.lines[1].texts() == ["a", "b", "c"]
        assert len(live.lines[1].received) == 3
        assert (info.replayed, info.uncertain) == (3, ())


async def test_transparent_resumption_replays_what_the_handle_does_not_cover_and_nothing_else(live, log):
    async with live.session(**TRANSPARENT, **log.callbacks("on_resumed")) as session:
        line = await live.line()
        assert line.setup["sessionResumption"] == {"transparent": True}
        for text in "abcdef":
            await session.send_text(text)
            await line.next()
        line.resumable("h", index=4)
        await _settle()
        assert session.statistics().unacknowledged == 2
        line.drop()
        info = await log.wait("on_resumed")
        second = await live.line(2)
        assert second.setup["sessionResumption"] == {"handle": "h", "transparent": True}
        await second.next()
        await second.next()
        assert second.texts() == ["e", "f"]
        assert (info.replayed, info.uncertain) == (2, ())
        second.resumable("h2", index=1)
        await _settle()
        second.drop()
        await log.wait("on_resumed", 2)
        await trio.sleep(1)
        assert live.lines[2].texts() == ["f"]


@pytest.mark.parametrize(
    ("update", "covered"),
    [
        ({"newHandle": "h", "resumable": True}, 0),
        ({"newHandle": "h", "resumable": True, "lastConsumedClientMessageIndex": 2}, 2),
        ({"newHandle": "h", "resumable": True, "lastConsumedClientMessageIndex": "2"}, 2),
        ({"newHandle": "h", "resumable": True, "lastConsumedClientMessageIndex": "99"}, 3),
        ({"newHandle": "h", "resumable": True, "lastConsumedClientMessageIndex": "-5"}, 0),
        ({"resumable": True, "lastConsumedClientMessageIndex": "2"}, 0),
        ({"resumable": False, "newHandle": "", "lastConsumedClientMessageIndex": "2"}, 0),
    ],
    ids=str,
)
async def test_invariant_27_the_ledger_is_pruned_only_together_with_a_usable_handle(live, update, covered):
    async with live.session(**TRANSPARENT) as session:
        line = await live.line()
        for text in "abc":
            await session.send_text(text)
            await line.next()
        line.say({"sessionResumptionUpdate": update})
        await _settle()
        assert session.statistics().unacknowledged == 3 - covered


async def test_a_replay_that_is_cut_off_begins_again_without_doubling(live, log):
    async with live.session(**TRANSPARENT, **log.callbacks("on_resumed")) as session:
        line = await live.line()
        line.resumable("h", index=0)
        for n in range(200):
            await session.send_text(str(n))
        await trio.sleep(1)
        line.drop()
        second = await live.line(2)
        second.server.pause_reading()
        await log.wait("on_resumed")
        await _settle()
        second.drop()
        await log.wait("on_resumed", 2)
        await trio.sleep(1)
        assert live.lines[2].texts() == [str(n) for n in range(200)]


async def test_a_fresh_session_after_a_transparent_one_is_told_as_lost_once(live, log, steps):
    async with live.session(**TRANSPARENT, **log.callbacks("on_resumed", "on_session_lost")) as session:
        line = await live.line()
        line.resumable("h", index=0)
        await session.send_text("a")
        await line.next()
        live.then(steps.closing(1008), steps.closing(1008))
        line.drop()
        info = await log.wait("on_resumed")
        assert info.continuity == "lost"
        assert len(log.of("on_session_lost")) == 1


async def test_a_turn_that_was_half_built_when_the_connection_ended_is_forgotten(live, log):
    async with live.session(**log.callbacks("on_resumed", "on_turn_complete")):
        line = await live.line()
        line.resumable()
        line.text("half a ")
        await _settle()
        line.drop()
        await log.wait("on_resumed")
        second = await live.line(2)
        second.turn("whole")
        assert (await log.wait("on_turn_complete")).text == "whole"


@pytest.mark.parametrize("status", [401, 403])
async def test_invariant_38_a_refused_credential_is_refreshed_once_and_then_fatal(live, status):
    asked = []

    @attrs.frozen(kw_only=True)
    class Asking(GeminiApi):
        async def headers(self, *, refresh=False):
            asked.append(refresh)
            return await super().headers()

    with pytest.raises(SessionFailedError):
        async with live.session(auth=Asking(api_key="k")):
            line = await live.line()
            line.resumable()
            await _settle()
            live.refuse(*(ConnectError("no", status=status, phase="dial") for _ in range(5)))
            line.drop()
            await trio.sleep_forever()
    assert asked == [False, False, True]
    assert live.network.dials == 3


async def test_invariant_38_a_refreshed_credential_that_works_goes_on(live, log):
    asked = []

    @attrs.frozen(kw_only=True)
    class Asking(GeminiApi):
        async def headers(self, *, refresh=False):
            asked.append(refresh)
            return await super().headers()

    async with live.session(auth=Asking(api_key="k"), **log.callbacks("on_resumed")):
        for number in (1, 2):
            line = await live.line(number)
            line.resumable()
            await _settle()
            live.refuse(ConnectError("no", status=401, phase="dial"))
            line.drop()
            await log.wait("on_resumed", number)
    assert asked == [False, False, True, False, True]


async def test_invariant_39_a_credential_function_is_asked_on_every_dial(live, log):
    tokens = iter(f"auth_tokens/{n}" for n in range(9))

    async def provide():
        await trio.lowlevel.checkpoint()
        return next(tokens)

    async with live.session(auth=EphemeralToken(provide), **log.callbacks("on_resumed")):
        for number in (1, 2, 3):
            line = await live.line(number)
            assert line.server.headers["authorization"] == f"Token auth_tokens/{number - 1}"
            line.resumable()
            await _settle()
            line.drop()
            await log.wait("on_resumed", number)


async def test_credentials_that_cannot_be_had_are_a_connect_error_and_retried_only_later_on(live, log):
    fail = [True]

    async def provide():
        if fail.pop():
            raise CredentialsError("the vault is closed")
        return "k"

    with pytest.raises(ConnectError, match="vault is closed"):
        async with live.session(api_key=provide):
            pytest.fail("the block must not be entered")
    fail.extend([False, True, True, False])
    async with live.session(api_key=provide, **log.callbacks("on_resumed")):
        line = await live.line()
        line.resumable()
        await _settle()
        line.drop()
        await log.wait("on_resumed")
    assert fail == []


async def test_the_gap_is_measured(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session:
        line = await live.line()
        line.resumable()
        await _settle()
        live.dial_delays.append(3)
        line.drop()
        info = await log.wait("on_resumed")
        statistics = session.statistics()
        assert 3 <= info.gap <= 4
        assert statistics.last_gap == statistics.longest_gap == info.gap
        assert (statistics.reconnects, statistics.rotations, statistics.epoch) == (1, 0, 2)
