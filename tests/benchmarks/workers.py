"""The processes: one neutral server, one client for each stack, on cores of their own, asked by JSON lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import trustme

HERE = Path(__file__).parent
STACKS = ("google-genai", "livebridge")
SCENARIOS = frozenset({"receive", "send", "paced", "idle", "connect"})
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

_UNWANTED = frozenset(
    {"http_proxy", "https_proxy", "all_proxy", "no_proxy", "google_api_key", "gemini_api_key"}
)


class WorkerError(Exception):
    """A client ended, or could not measure; the text is the end of what it wrote."""


class Process:
    """A process that answers each line with a line."""

    def __init__(
        self, command: list[str], environment: dict[str, str], *, core: int | None, realtime: bool
    ) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        self._process = subprocess.Popen(
            [sys.executable, *command],
            env=environment,
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        if realtime:
            os.sched_setscheduler(self._process.pid, os.SCHED_RR, os.sched_param(1))
        if core is not None:
            with suppress(OSError):
                os.sched_setaffinity(self._process.pid, {core})

    def ask(self, line: str) -> str:
        """Write a line and read the answer.

        Raises:
            WorkerError: There is none.
        """
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        return self.read()

    def read(self) -> str:
        """Read a line.

        Raises:
            WorkerError: There is none.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            return line
        self._errors.seek(0)
        raise WorkerError(self._errors.read().decode(errors="replace")[-2000:].strip())

    @property
    def cpu_seconds(self) -> float:
        """CPU time so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def close(self) -> None:
        """End it: its standard input ends."""
        with suppress(BrokenPipeError), self._process:
            pass
        self._errors.close()


class Bench:
    """The server and the clients.

    Args:
        reuse: Keep a client from row to row, whatever the row says.
        realtime: Schedule server and clients before everything else.
        certificate: Of the server, with its key.
        authority: That both clients shall trust.
    """

    def __init__(self, *, reuse: bool, realtime: bool, certificate: str, authority: str) -> None:
        self._reuse = reuse
        self._realtime = realtime
        self._authority = authority
        cores = sorted(os.sched_getaffinity(0))
        self._client_core, server_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
        self.placement = "server and clients on cores of their own" if len(cores) > 1 else "all on one core"
        self._clients: dict[str, Process] = {}
        self._server = Process(
            ["neutral_server.py", certificate], self._environment(), core=server_core, realtime=realtime
        )
        self._plain, self._secure = (int(port) for port in self._server.read().split())

    def run(
        self, stack: str, scenario: str, *, tls: bool, fresh: bool, **parameters: object
    ) -> tuple[dict[str, float], float]:
        """Run a scenario once.

        Args:
            stack: Whose client runs it.
            scenario: Its name.
            tls: Over TLS.
            fresh: In a process that has done nothing else.
            parameters: Of the scenario.

        Returns:
            What was measured, and the server's share of a core meanwhile.

        Raises:
            WorkerError: The client could not do it.
        """
        if fresh and not self._reuse:
            self._drop(stack)
        client = self._client(stack)
        url = f"https://localhost:{self._secure}" if tls else f"http://127.0.0.1:{self._plain}"
        wall, cpu = time.monotonic(), self._server.cpu_seconds
        try:
            answer = client.ask(json.dumps({"scenario": scenario, "url": url, **parameters}))
        except WorkerError:
            self._drop(stack)
            raise
        spent = (self._server.cpu_seconds - cpu) / (time.monotonic() - wall)
        result: dict[str, float] = json.loads(answer)
        return result, spent

    def close(self) -> None:
        """End all processes."""
        for stack in STACKS:
            self._drop(stack)
        self._server.close()

    def _client(self, stack: str) -> Process:
        if stack not in self._clients:
            script = f"client_{stack.replace('-', '_')}.py"
            self._clients[stack] = Process(
                [script], self._environment(), core=self._client_core, realtime=self._realtime
            )
        return self._clients[stack]

    def _drop(self, stack: str) -> None:
        client = self._clients.pop(stack, None)
        if client is not None:
            client.close()

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name.lower() not in _UNWANTED}
        path = os.pathsep.join(filter(None, (str(HERE.parents[1]), kept.get("PYTHONPATH"))))
        return kept | {"SSL_CERT_FILE": self._authority, "PYTHONPATH": path}


@contextmanager
def open_bench(*, reuse: bool, realtime: bool) -> Iterator[Bench]:
    """Start the server, with a certificate for it, and end everything afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "authority.pem")
        authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
            folder / "server.pem"
        )
        bench = Bench(
            reuse=reuse,
            realtime=realtime,
            certificate=str(folder / "server.pem"),
            authority=str(folder / "authority.pem"),
        )
        stack.callback(bench.close)
        yield bench
