"""Starting an actor in a nursery."""

from __future__ import annotations

import math

import trio

from livebridge.errors import StartError
from livebridge.otp._process import NameBook, Process
from livebridge.otp._ref import Ref
from livebridge.otp._server import GenServer


async def start(
    nursery: trio.Nursery,
    actor: GenServer,
    *args: object,
    name: object = None,
    registry: NameBook | None = None,
    timeout: float = math.inf,
) -> Ref | None:
    """Start an actor and return its address when ``init`` is done. Its crash raises nothing in the nursery.

    Args:
        nursery: Where it lives. Cancelling the nursery stops the actor: ``terminate(shutdown)``.
        actor: A fresh instance.
        args: Arguments of ``init``.
        name: Name to register; without a registry it is only shown.
        registry: A `Registry`.
        timeout: Seconds that ``init`` may take.

    Returns:
        The address, or ``None`` if ``init`` raised `Ignore`.

    Raises:
        AlreadyStartedError: The name is taken; ``init`` was not called.
        StartError: ``init`` took longer than ``timeout``, or the instance has been started before.
        Exception: Whatever ``init`` raised, as it is; the name is free again.
    """
    process = Process(actor, name=name, registry=registry)
    return await _start(nursery, process, args, timeout)


async def start_link(
    nursery: trio.Nursery,
    actor: GenServer,
    *args: object,
    name: object = None,
    registry: NameBook | None = None,
    timeout: float = math.inf,
) -> Ref | None:
    """Start an actor whose abnormal end raises `ActorExitError` in the nursery, ending its siblings too.

    Otherwise like `start`, with the same arguments, result and errors.
    """
    process = Process(actor, name=name, registry=registry, linked=True)
    return await _start(nursery, process, args, timeout)


async def _start(
    nursery: trio.Nursery, process: Process, args: tuple[object, ...], timeout: float
) -> Ref | None:
    ref: Ref | None = None
    with trio.move_on_after(timeout) as scope:
        ref = await nursery.start(process.run, *args, name=str(process.cell.name))
    if scope.cancelled_caught:
        raise StartError(f"timeout: init of {process.cell.name} took more than {timeout} s")
    return ref
