"""``livebridge doctor`` finds what is missing, says what to do, and shows no secret."""

import contextlib
import json
import socket
import ssl
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from livebridge.auth import GeminiApi, VertexAi
from livebridge.cli import main
from livebridge.cli._doctor_finding import Finding, fail, ok
from livebridge.cli._doctor_local import (
    Requirement,
    _trouble,
    check_packages,
    check_proxy,
    check_python,
    check_tls,
    read_requirements,
)
from livebridge.cli._doctor_network import check_clock, check_credentials, check_name, check_server
from livebridge.simulator import TEST_API_KEY, LiveSimulator

SERVER = "wss://generativelanguage.googleapis.com/ws"
CLOSED = "ws://127.0.0.1:9/"


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for name in ("https_proxy", "http_proxy", "all_proxy", "no_proxy", "SSLKEYLOGFILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def simulator_url():
    """A simulator in a thread of its own, as the command brings a trio run of its own."""
    ready, found = threading.Event(), {}

    async def serve():
        async with LiveSimulator.serve() as simulator:
            found.update(url=simulator.url, token=trio.lowlevel.current_trio_token(), done=trio.Event())
            ready.set()
            await found["done"].wait()

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    assert ready.wait(10)
    yield found["url"]
    trio.from_thread.run_sync(found["done"].set, trio_token=found["token"])
    thread.join(10)


@contextlib.contextmanager
def answering(status, date=None):
    """An HTTP server that says one thing to everybody."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response_only(status)
            if date is not None:
                self.send_header("Date", date)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_CONNECT = do_GET  # noqa: N815 - the names of the HTTP methods

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def levels(findings):
    return [finding.level for finding in findings]


def examined(argv, capsys):
    """The exit status and the findings by name; the last one of a name counts."""
    status = main(["doctor", "--json", *argv])
    printed = json.loads(capsys.readouterr().out)
    assert printed["ok"] == (status == 0)
    return status, {finding["check"]: finding for finding in printed["findings"]}


# the command


def test_with_a_simulator_everything_is_well(capsys):
    assert main(["doctor", "--simulate"]) == 0
    printed = capsys.readouterr().out
    assert "ok    session        gemini-3.1-flash-live-preview was ready after" in printed
    assert printed.rstrip().splitlines()[-1].startswith("Ready")


def test_a_session_is_opened_when_asked_for_and_the_key_is_not_shown(simulator_url, monkeypatch, capsys):
    monkeypatch.setenv("GEMINI_API_KEY", TEST_API_KEY)
    status, found = examined(["--base-url", simulator_url, "--dial"], capsys)
    assert status == 0
    assert found["session"]["level"] == "ok"
    assert found["server"]["text"].endswith("(HTTP 403: it was not told who asks)")
    assert found["credentials"]["text"] == f"GeminiApi from GEMINI_API_KEY, {len(TEST_API_KEY)} characters"
    assert TEST_API_KEY not in json.dumps(found)


def test_without_dial_no_session_is_opened(simulator_url, monkeypatch, capsys):
    monkeypatch.setenv("GEMINI_API_KEY", TEST_API_KEY)
    status, found = examined(["--base-url", simulator_url], capsys)
    assert status == 0
    assert "session" not in found


def test_a_wrong_key_is_found_by_the_session_and_not_quoted(simulator_url, monkeypatch, capsys):
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-wrong-key")
    assert main(["doctor", "--base-url", simulator_url, "--dial"]) == 1
    printed = capsys.readouterr().out
    assert "fail  session" in printed
    assert "API key not valid" in printed
    assert "AIza-wrong-key" not in printed
    assert printed.endswith("1 to mend before a session can be had.\n")


def test_without_a_key_it_says_where_one_comes_from_and_looks_at_the_rest(simulator_url, capsys):
    status, found = examined(["--base-url", simulator_url, "--dial"], capsys)
    assert status == 1
    assert "set GEMINI_API_KEY" in found["credentials"]["advice"]
    assert found["server"]["level"] == "ok"
    assert found["session"]["text"].startswith("not tried")


def test_google_credentials_that_are_missing_are_found(monkeypatch, capsys):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file")
    status, found = examined(["--vertex", "--base-url", "http://127.0.0.1:9"], capsys)
    assert status == 1
    assert "gcloud auth application-default login" in found["credentials"]["text"]
    assert found["server"]["level"] == "fail"
    assert "clock" not in found


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--project", "p"], "--project and --location belong to --vertex"),
        (["--simulate", "--base-url", "http://x"], "--simulate brings its own server"),
        (["--base-url", "nonsense"], "a base URL must start with"),
    ],
)
def test_wrong_usage_is_one_sentence_and_status_2(argv, told, capsys):
    assert main(["doctor", *argv]) == 2
    assert told in capsys.readouterr().err


# this machine


def test_another_python_than_cpython_is_named(monkeypatch):
    assert check_python().level == "ok"
    monkeypatch.setattr("livebridge.cli._doctor_local.sys.implementation.name", "pypy")
    assert check_python().level == "warn"


def test_requirements_are_read_as_metadata_has_them():
    lines = ["trio>=0.32", "attrs", "soxr>=1.0; extra == 'audio'", 'livebridge[audio]; extra == "test"', "!"]
    assert read_requirements(lines) == [
        Requirement(name="trio", least="0.32"),
        Requirement(name="attrs"),
        Requirement(name="soxr", least="1.0", extra="audio"),
        Requirement(name="livebridge", extra="test"),
    ]


@given(st.lists(st.text(max_size=30)))
def test_no_line_of_metadata_breaks_the_doctor(lines):
    assert len(read_requirements(lines)) <= len(lines)


def test_what_is_missing_broken_or_too_old_is_trouble(monkeypatch):
    assert _trouble(Requirement(name="trio", least="0.1")) == ""
    assert _trouble(Requirement(name="no-such-package")) == "no-such-package is missing"
    assert "is older than 999.0" in _trouble(Requirement(name="trio", least="999.0"))
    monkeypatch.setattr("livebridge.cli._doctor_local.metadata.version", lambda _: "1")
    assert _trouble(Requirement(name="no-such-module")).startswith("no-such-module cannot be imported")


def test_packages_are_named_with_what_to_do(monkeypatch):
    needs = ["no-such-core>=1", "no-such-audio; extra == 'audio'", "trio; extra == 'mcp'"]
    monkeypatch.setattr("livebridge.cli._doctor_local.metadata.requires", lambda _: needs)
    core, audio, mcp = check_packages()
    assert (core.level, core.text) == ("fail", "no-such-core is missing")
    assert (audio.level, audio.advice) == (
        "ok",
        "if you want it: python -m pip install 'livebridge[audio]'",
    )
    assert mcp == ok("packages", "extra mcp is there")


def test_a_checkout_that_is_not_installed_is_named(monkeypatch):
    def requires(name):
        from importlib.metadata import PackageNotFoundError  # noqa: PLC0415

        raise PackageNotFoundError(name)

    monkeypatch.setattr("livebridge.cli._doctor_local.metadata.requires", requires)
    assert levels(check_packages()) == ["warn"]


def test_certificates_that_cannot_be_had_are_a_failure(monkeypatch, tmp_path):
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert levels(check_tls({})) == ["ok"]
    assert levels(check_tls({"SSL_CERT_FILE": "/no/such.pem"})) == ["fail"]
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(junk))
    assert [finding.text.split(":")[0] for finding in check_tls()] == ["the certificates cannot be read"]


def test_a_store_without_authorities_and_a_key_log_are_named(monkeypatch):
    empty = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    monkeypatch.setattr("livebridge.cli._doctor_local.default_ssl_context", lambda: empty)
    assert levels(check_tls({"SSLKEYLOGFILE": "keys"})) == ["fail", "warn"]


@pytest.mark.parametrize(
    ("proxy", "level", "text"),
    [
        ("", "ok", "none: directly to the server"),
        ("http://me:secret@proxy:3128", "ok", "http://***@proxy:3128, by the environment"),
        ("proxy", "ok", "http://proxy, by the environment"),
        ("socks5://proxy:1080", "fail", "socks5://proxy:1080 is none that livebridge knows"),
        ("http://proxy:port", "fail", "the URL of the proxy cannot be read"),
    ],
)
def test_the_proxy_is_shown_without_its_password(proxy, level, text):
    finding = check_proxy(SERVER, {"https_proxy": proxy})
    assert (finding.level, finding.text) == (level, text)


def test_a_proxy_that_cannot_be_used_ends_the_looking(monkeypatch, capsys):
    monkeypatch.setenv("https_proxy", "socks5://me:secret@proxy:1080")
    status, found = examined([], capsys)
    assert status == 1
    assert found["proxy"]["level"] == "fail"
    assert "dns" not in found
    assert "secret" not in json.dumps(found)


# others


async def test_two_keys_that_differ_are_named():
    finding = await check_credentials(
        GeminiApi(api_key="one"), {"GOOGLE_API_KEY": "one", "GEMINI_API_KEY": "two"}
    )
    assert finding.level == "warn"


async def test_a_key_that_is_asked_for_is_named_by_its_kind():
    assert (await check_credentials(GeminiApi(api_key="one"), {})).text == "GeminiApi"


async def test_google_credentials_need_a_project():
    async def token():
        return "access-token"

    finding = await check_credentials(VertexAi(credentials=token))
    assert (finding.level, finding.advice) == ("fail", "--project ID, or set GOOGLE_CLOUD_PROJECT")
    assert (await check_credentials(VertexAi(credentials=token, project="p"))).level == "ok"


async def test_credentials_that_do_not_come_are_not_waited_for(autojump_clock):
    finding = await check_credentials(VertexAi(credentials=trio.sleep_forever, project="p"))
    assert finding.text == "no token within 10 s"


async def test_a_name_that_does_not_exist_is_found_without_a_traceback():
    class Nobody(trio.abc.HostnameResolver):
        async def getaddrinfo(self, *_):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        async def getnameinfo(self, *_):
            raise NotImplementedError

    before = trio.socket.set_custom_hostname_resolver(Nobody())
    try:
        finding = await check_name("wss://no-such-host.invalid/")
    finally:
        trio.socket.set_custom_hostname_resolver(before)
    assert (finding.level, finding.text) == ("fail", "no-such-host.invalid: Name or service not known")


async def test_a_look_up_that_hangs_is_given_up(autojump_clock):
    class Silent(trio.abc.HostnameResolver):
        async def getaddrinfo(self, *_):
            await trio.sleep_forever()

        async def getnameinfo(self, *_):
            raise NotImplementedError

    before = trio.socket.set_custom_hostname_resolver(Silent())
    try:
        finding = await check_name("wss://slow.invalid/")
    finally:
        trio.socket.set_custom_hostname_resolver(before)
    assert finding.text == "slow.invalid: nothing within 10 s"


@pytest.mark.parametrize(
    ("status", "level"), [(401, "ok"), (403, "ok"), (404, "fail"), (503, "warn"), (429, "warn")]
)
async def test_what_a_server_answers_shows_whether_the_way_is_open(status, level):
    with answering(status) as port:
        assert (await check_server(f"ws://127.0.0.1:{port}/")).level == level


async def test_a_server_that_lets_anybody_in_answers(live_simulator):
    address = live_simulator.url.replace("http", "ws")
    path = "ws/google.ai.generativelanguage.v1.GenerativeService.BidiGenerateContent"
    finding = await check_server(f"{address}/{path}?key={TEST_API_KEY}")
    assert (finding.level, "HTTP" in finding.text) == ("ok", False)
    assert TEST_API_KEY not in finding.text


async def test_a_refusal_of_the_proxy_is_no_answer_of_the_server(monkeypatch):
    with answering(403) as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        finding = await check_server(SERVER)
    assert finding.level == "fail"
    assert "the proxy 127.0.0.1" in finding.text


async def test_a_closed_port_is_a_failure():
    finding = await check_server(CLOSED)
    assert finding.level == "fail"
    assert "127.0.0.1:9" in finding.text


@pytest.mark.parametrize(("off", "level"), [(0, "ok"), (60, "warn"), (-60, "warn"), (3600, "fail")])
async def test_the_clock_is_compared_with_the_servers(off, level, monkeypatch):
    monkeypatch.setattr("livebridge.cli._doctor_network._HERE", frozenset())
    with answering(404, formatdate(time.time() - off, usegmt=True)) as port:
        finding = await check_clock(f"ws://127.0.0.1:{port}/")
    assert finding.level == level
    assert off == 0 or ("ahead" in finding.text) == (off > 0)


async def test_a_server_that_does_not_tell_the_time_is_no_failure(monkeypatch):
    monkeypatch.setattr("livebridge.cli._doctor_network._HERE", frozenset())
    with answering(200) as port:
        assert (await check_clock(f"ws://127.0.0.1:{port}/")).level == "warn"
    assert "nobody to compare it with" in (await check_clock(CLOSED)).text


def test_a_finding_shows_its_level_in_colour_and_its_advice_below():
    finding = fail("dns", "no", "do this")
    assert finding.lines(color=False) == ["fail  dns            no", f"{' ' * 21}→ do this"]
    assert finding.lines(color=True)[0].startswith("\x1b[1;31mfail\x1b[0m")
    assert Finding("x", "ok", "y").lines(color=False) == ["ok    x              y"]
