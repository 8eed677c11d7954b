"""Children that tests give to supervisors."""

from __future__ import annotations

import math

import trio

from livebridge.otp import KILLED, ChildSpec, GenServer, Ignore, Stop

ERROR = "error"

DOWN_IN_ORDER = ["-c", "xc", "-b", "xb", "-a", "xa"]


class Worker(GenServer):
    def __init__(self, script=None):
        self.script = script
        self.ended = None

    async def init(self):
        if self.script is not None:
            await self.script(self)

    async def handle_call(self, request, caller):
        return await request(self) if callable(request) else request

    async def handle_cast(self, request):
        if isinstance(request, BaseException):
            raise request
        return request

    async def terminate(self, reason):
        self.ended = reason


def worker(name=None, script=None, **options):
    return ChildSpec(id=name, start=Worker, args=(script,), **options)


async def ignore(actor):
    raise Ignore


async def fail(actor):
    raise ValueError("init failed")


async def hang(actor):
    await trio.sleep_forever()


class World:
    """Makes children that write into one log, and finds them again."""

    def __init__(self) -> None:
        self.log = []
        self.now = {}
        self.made = {}
        self.fail_init = {}
        self.nap = {}

    def child(self, name, **options):
        return ChildSpec(id=name, start=LoggingWorker, args=(self, name), **options)

    def end(self, name, reason):
        if reason == ERROR:
            self.now[name].ref.cast(ValueError("crash"))
        elif reason == KILLED:
            self.now[name].ref.kill()
        else:
            self.now[name].ref.cast(Stop(reason))

    def take(self):
        taken, self.log = self.log, []
        return taken


class LoggingWorker(GenServer):
    terminate_timeout = math.inf

    def __init__(self, world, name):
        self.world = world
        self.name = name

    async def init(self):
        left = self.world.fail_init.get(self.name, 0)
        if left:
            self.world.fail_init[self.name] = left - 1
            raise ValueError("init failed")
        self.world.now[self.name] = self
        self.world.made[self.name] = self.world.made.get(self.name, 0) + 1
        self.world.log.append(f"+{self.name}")

    async def handle_cast(self, request):
        if isinstance(request, BaseException):
            raise request
        return request

    async def terminate(self, reason):
        self.world.log.append(f"-{self.name}")
        await trio.sleep(self.world.nap.get(self.name, 1))
        self.world.log.append(f"x{self.name}")


async def settle():
    await trio.testing.wait_all_tasks_blocked()
