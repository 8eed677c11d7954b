"""The pure rules: addresses, proxies from the environment, and what failures mean."""

from __future__ import annotations

import ssl

import h11
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from livebridge.errors import ConnectError
from livebridge.transport import CloseInfo
from livebridge.transport._address import Address, parse_address
from livebridge.transport._failures import FOREIGN, failure, retry_after
from livebridge.transport._http import EarlyEndError
from livebridge.transport._proxy import proxy_from_environment

WEB = frozenset({"ws", "wss"})


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "resource", "host_header"),
    [
        ("wss://host", "host", 443, True, "/", "host"),
        ("ws://host", "host", 80, False, "/", "host"),
        ("ws://host:443/a/b?c=d#e", "host", 443, False, "/a/b?c=d", "host:443"),
        ("wss://HOST:8443//ws/x", "host", 8443, True, "//ws/x", "host:8443"),
        ("ws://[::1]/", "::1", 80, False, "/", "[::1]"),
        ("ws://[::1]:81/", "::1", 81, False, "/", "[::1]:81"),
    ],
)
def test_an_address_is_read_from_a_url(url, host, port, tls, resource, host_header):  # noqa: PLR0917
    address = parse_address(url, what="URL", schemes=WEB)
    assert (address.host, address.port, address.tls, address.resource) == (host, port, tls, resource)
    assert address.host_header == host_header
    assert address.authority.endswith(f":{port}")


def test_the_password_of_a_proxy_url_is_decoded_and_not_shown():
    address = parse_address("http://me:p%40ss@proxy:3128", what="proxy URL", schemes=frozenset({"http"}))
    assert address.user == "me:p@ss"
    assert "p@ss" not in repr(address)


@given(st.text(max_size=40))
def test_no_text_makes_the_address_reader_raise_anything_else(text):
    try:
        found = parse_address(text, what="URL", schemes=WEB).host
    except ConnectError as error:
        found = error
    assert isinstance(found, ConnectError) or found


def to(url: str) -> Address:
    return parse_address(url, what="URL", schemes=WEB)


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        ("wss://h", {}, None),
        ("wss://h", {"https_proxy": "http://p:1"}, "http://p:1"),
        ("wss://h", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("wss://h", {"https_proxy": "http://low:1", "HTTPS_PROXY": "http://up:1"}, "http://low:1"),
        ("wss://h", {"https_proxy": "", "HTTPS_PROXY": "http://up:1"}, None),
        ("wss://h", {"http_proxy": "http://p:1"}, None),
        ("wss://h", {"all_proxy": "http://p:1"}, "http://p:1"),
        ("wss://h", {"https_proxy": "p:1"}, "http://p:1"),
        ("ws://h", {"http_proxy": "http://p:1"}, "http://p:1"),
        ("ws://h", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
        ("ws://h", {"HTTP_PROXY": "http://evil:1", "REQUEST_METHOD": "GET"}, None),
        ("ws://h", {"http_proxy": "http://p:1", "REQUEST_METHOD": "GET"}, "http://p:1"),
        ("ws://h", {"https_proxy": "http://p:1"}, None),
        ("ws://localhost:8", {"http_proxy": "http://p:1"}, None),
        ("ws://a.localhost", {"http_proxy": "http://p:1"}, None),
        ("ws://127.1.2.3", {"http_proxy": "http://p:1"}, None),
        ("ws://[::1]", {"http_proxy": "http://p:1"}, None),
        ("wss://h", {"all_proxy": "http://p:1", "no_proxy": "*"}, None),
        ("wss://h", {"all_proxy": "http://p:1", "NO_PROXY": "h"}, None),
        ("wss://a.h", {"all_proxy": "http://p:1", "no_proxy": "x, h"}, None),
        ("wss://a.h", {"all_proxy": "http://p:1", "no_proxy": ".h"}, None),
        ("wss://a.h", {"all_proxy": "http://p:1", "no_proxy": "*.h"}, None),
        ("wss://ah", {"all_proxy": "http://p:1", "no_proxy": "h"}, "http://p:1"),
        ("wss://h", {"all_proxy": "http://p:1", "no_proxy": "h:443"}, None),
        ("wss://h:444", {"all_proxy": "http://p:1", "no_proxy": "h:443"}, "http://p:1"),
        ("wss://10.1.2.3", {"all_proxy": "http://p:1", "no_proxy": "10.0.0.0/8"}, None),
        ("wss://11.1.2.3", {"all_proxy": "http://p:1", "no_proxy": "10.0.0.0/8"}, "http://p:1"),
        ("wss://h", {"all_proxy": "http://p:1", "no_proxy": ",, ,"}, "http://p:1"),
    ],
)
def test_the_environment_decides_about_proxies(url, environ, expected):
    assert proxy_from_environment(to(url), environ) == expected


def broken(cause: BaseException) -> trio.BrokenResourceError:
    error = trio.BrokenResourceError()
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (OSError(113, "No route to host"), True),
        (OSError(), True),
        (ConnectionResetError(104, "Connection reset by peer"), True),
        (FileNotFoundError(2, "No such file or directory"), False),
        (ssl.SSLError(1, "bad"), True),
        (UnicodeError("label too long"), False),
        (UnicodeEncodeError("latin-1", "secret", 0, 1, "x"), False),
        (h11.LocalProtocolError("illegal header secret"), False),
        (h11.RemoteProtocolError("illegal status line"), True),
        (trio.TooSlowError(), True),
        (trio.BrokenResourceError(), True),
        (trio.ClosedResourceError(), True),
        (EarlyEndError(), True),
        (broken(ssl.SSLCertVerificationError(1, "x")), False),
        (broken(ssl.SSLZeroReturnError(6, "closed")), True),
        (broken(ConnectionResetError(104, "Connection reset by peer")), True),
    ],
    ids=repr,
)
def test_every_foreign_exception_is_mapped(error, retryable):
    assert isinstance(error, FOREIGN)
    mapped = failure(error, doing="testing", timeout=1)
    assert mapped.retryable is retryable
    assert mapped.phase == "dial"
    assert str(mapped).startswith("testing ")
    assert "secret" not in str(mapped)


def test_the_list_of_foreign_exceptions_has_no_member_without_a_test():
    tested = test_every_foreign_exception_is_mapped.pytestmark[0].args[1]
    assert all(any(isinstance(error, kind) for error, _ in tested) for kind in FOREIGN)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", None),
        ("12", 12),
        (" 3 ", 3),
        ("soon", None),
        ("-5", None),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Thu, 99 Jan 1970 00:00:00 GMT", None),
        ("Thu, 01 Jan 1970 00:00:00 +99999999999999", None),
        ("²", None),
    ],
)
def test_retry_after_is_read_leniently(value, expected):
    assert retry_after(value, now=100) == expected


@pytest.mark.parametrize(
    ("info", "text"),
    [
        (CloseInfo(code=1000, initiated_by="client"), "the connection was closed by this side with 1000"),
        (CloseInfo(initiated_by="client"), "the connection was closed by this side"),
        (
            CloseInfo(code=1011, reason="oh", initiated_by="server"),
            "the server closed the connection with 1011: oh",
        ),
        (CloseInfo(), "the connection broke without a close frame"),
    ],
)
def test_the_error_of_an_end_says_who_ended_it(info, text):
    cause = OSError("why")
    error = info.to_error(cause)
    assert str(error) == text
    assert (error.code, error.reason, error.initiated_by) == (info.code, info.reason, info.initiated_by)
    assert error.__cause__ is cause
