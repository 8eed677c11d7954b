"""Actors that tests start and talk to."""

from __future__ import annotations

import trio
import trio.testing

from livebridge.otp import NOREPLY, Caller, Continue, GenServer, Ref, Stop


class Probe(GenServer):
    """Does what it is told, and keeps a record."""

    def __init__(self) -> None:
        self.seen = []
        self.terminated = []
        self.callers = []
        self.gate = trio.Event()

    async def init(self, behave=None):
        self.seen.append("init")
        if behave is not None:
            return await behave(self)
        return None

    async def handle_continue(self, arg):
        self.seen.append(("continue", arg))

    async def handle_call(self, request, caller: Caller):
        self.seen.append(request)
        if callable(request):
            return await request(self)
        if request == "defer":
            self.callers.append(caller)
            return NOREPLY
        if request == "wait":
            await self.gate.wait()
        return request

    async def handle_cast(self, request):
        self.seen.append(request)
        if isinstance(request, BaseException):
            raise request
        if isinstance(request, Stop):
            return request
        return None

    async def handle_info(self, message):
        self.seen.append(message)

    async def terminate(self, reason):
        self.terminated.append(reason)


class Script(GenServer):
    """Answers with whatever step the request is."""

    def __init__(self):
        self.seen = []
        self.api_key = "very secret"

    async def init(self, step=None):
        return step

    async def handle_call(self, request, caller):
        self.seen.append(request)
        return await request(caller) if callable(request) else request

    async def handle_cast(self, request):
        self.seen.append(request)
        return await request() if callable(request) else request

    async def handle_info(self, message):
        self.seen.append(message)

    async def handle_continue(self, arg):
        self.seen.append(("continue", arg))
        return Continue(arg - 1) if arg else None

    async def terminate(self, reason):
        self.seen.append(reason)


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked()


async def outcome_of(ref: Ref, request: object, into: list, timeout: float | None = None) -> None:
    try:
        into.append(await ref.call(request, timeout=timeout))
    except Exception as exc:
        into.append(exc)
