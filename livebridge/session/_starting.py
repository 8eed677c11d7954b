"""What `Session.start` returns: a block that is still to be entered, and says so to whoever forgets it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import NoReturn, TypeVar

from livebridge.errors import ConfigError

S = TypeVar("S")


class NotEnteredError(ConfigError, AttributeError):
    """A session was used before its block was entered."""


class Starting(AbstractAsyncContextManager[S]):
    """The block of a session.

    Args:
        block: What does the work.
        kind: Class of the session.
    """

    def __init__(self, block: AbstractAsyncContextManager[S, bool | None], kind: type[S]) -> None:
        self._block = block
        self._kind = kind

    async def __aenter__(self) -> S:
        return await self._block.__aenter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self._block.__aexit__(exc_type, exc, traceback)

    def __await__(self) -> Generator[None, None, NoReturn]:
        raise self._not_entered("it is not awaited")

    def __getattr__(self, name: str) -> NoReturn:
        if not hasattr(self._kind, name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        raise self._not_entered(f"the session that has {name} exists inside the block")

    def _not_entered(self, why: str) -> NotEnteredError:
        name = self._kind.__name__
        return NotEnteredError(
            f"{name}.start(…) makes a block: async with {name}.start(…) as session: …; {why}"
            f" (without a block: await {name}.start_link(nursery, …))"
        )
