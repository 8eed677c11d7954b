"""One call: credentials, retries, and errors that say what happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import trio

from livebridge.auth import GeminiApi
from livebridge.errors import RestError
from livebridge.rest._http import Call, _delay, fetch

SECRET = "AIza-very-secret"
AUTH = GeminiApi(api_key=SECRET)


def get(api, **options) -> Call:
    return Call(method="GET", url=f"{api.url}/v1/things", **options)


async def test_the_key_travels_in_a_header_and_the_answer_is_an_object(api):
    api.answer({"a": 1})
    assert await fetch(AUTH, get(api, query={"q": "x y"})) == {"a": 1}
    (seen,) = api.seen
    assert seen.headers["x-goog-api-key"] == SECRET
    assert seen.target == "/v1/things?q=x+y"
    assert SECRET not in seen.target
    assert seen.headers["user-agent"].startswith("livebridge/")


async def test_a_body_is_sent_as_json(api):
    api.answer({})
    await fetch(AUTH, Call(method="POST", url=api.url, body={"ü": [1]}))
    assert api.seen[0].json == {"ü": [1]}
    assert api.seen[0].headers["content-type"] == "application/json"


async def test_an_empty_answer_is_an_empty_object(api):
    api.answer(b"")
    assert await fetch(AUTH, get(api)) == {}


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_tried_again(api, autojump_clock, status):
    api.answer({"error": {"message": "busy"}}, status=status)
    api.answer({"error": {"message": "busy"}}, status=status)
    api.answer({"ok": True})
    assert await fetch(AUTH, get(api)) == {"ok": True}
    assert len(api.seen) == 3
    assert 1 < trio.current_time() < 4


async def test_retry_after_is_obeyed(api, autojump_clock):
    api.answer({}, status=429, headers={"Retry-After": "17"})
    api.answer({})
    await fetch(AUTH, get(api))
    assert trio.current_time() == pytest.approx(17)


def test_delays_grow_vary_and_are_bounded():
    assert all(0.5 <= _delay(1, "") <= 1 for _ in range(50))
    assert all(2 <= _delay(3, "") <= 4 for _ in range(50))
    assert _delay(1, "999999") == 60
    assert _delay(1, "Thu, 01 Jan 1970 00:00:00 GMT") == 0
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 25 < _delay(1, soon) <= 30
    for nonsense in (
        "soon",
        "Thu, 01 Jan 1970 00:00:00 +99999999999999",
        "1 Jan 99999999999999999999 00:00:00 GMT",
    ):
        assert 0.5 <= _delay(1, nonsense) <= 1


async def test_after_four_attempts_it_gives_up(api, autojump_clock):
    for _ in range(5):
        api.answer({"error": {"message": "still busy"}}, status=503)
    with pytest.raises(RestError) as caught:
        await fetch(AUTH, get(api))
    assert len(api.seen) == 4
    assert (caught.value.status, caught.value.reason, caught.value.retryable) == (503, "still busy", True)


async def test_a_refused_credential_is_refreshed_and_tried_once_more(api):
    keys = ["old-key-value", "new-key-value"]

    async def key():
        return keys.pop(0)

    api.answer({}, status=401)
    api.answer({"ok": 1})
    assert await fetch(GeminiApi(api_key=key), get(api)) == {"ok": 1}
    assert [seen.headers["x-goog-api-key"] for seen in api.seen] == ["old-key-value", "new-key-value"]


@pytest.mark.parametrize(("status", "calls"), [(400, 1), (401, 2), (403, 2), (404, 1)])
async def test_what_cannot_pass_is_told_at_once(api, status, calls):
    for _ in range(calls):
        api.answer({"error": {"message": "no such thing"}}, status=status)
    with pytest.raises(RestError) as caught:
        await fetch(AUTH, get(api))
    assert (caught.value.status, caught.value.retryable) == (status, False)
    assert "no such thing" in str(caught.value)
    assert len(api.seen) == calls


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"plain words", "plain words"),
        (b'{"error": "flat"}', '{"error": "flat"}'),
        (b'{"error": {"code": 1}}', '{"error": {"code": 1}}'),
        (b"[1]", "[1]"),
        (f'{{"error": {{"message": "key {SECRET} is bad"}}}}'.encode(), "key *** is bad"),
    ],
)
async def test_the_servers_words_are_kept_but_never_the_secret(api, body, reason):
    api.answer(body, status=400)
    with pytest.raises(RestError) as caught:
        await fetch(AUTH, get(api))
    assert caught.value.reason == reason
    assert SECRET not in str(caught.value)


async def test_a_word_too_short_for_a_secret_is_left_in_the_text(api):
    api.answer(b"a bad request", status=400)
    with pytest.raises(RestError, match="a bad request"):
        await fetch(GeminiApi(api_key="a"), get(api))


@pytest.mark.parametrize("body", [b"<html>", b"[1, 2]", b'"text"'])
async def test_an_answer_that_is_no_json_object_is_an_error(api, body):
    api.answer(body)
    with pytest.raises(RestError, match="JSON") as caught:
        await fetch(AUTH, get(api))
    assert caught.value.retryable is False


async def test_a_connection_that_breaks_is_tried_again(api, autojump_clock):
    with pytest.raises(RestError) as caught:
        await fetch(AUTH, get(api))
    assert len(api.seen) == 4
    assert caught.value.retryable
    assert caught.value.__cause__ is not None


async def test_a_silent_server_costs_the_timeout(api, autojump_clock):
    for _ in range(4):
        api.be_silent()
    with pytest.raises(RestError, match="longer than 5 s"):
        await fetch(AUTH, get(api, timeout=5))
    assert 20 < trio.current_time() < 30


@pytest.mark.parametrize("url", ["nonsense", "ftp://host/x", "http://"])
async def test_a_url_that_cannot_be_called_is_not_tried_again(url):
    with pytest.raises(RestError) as caught:
        await fetch(AUTH, Call(method="GET", url=url))
    assert caught.value.retryable is False
