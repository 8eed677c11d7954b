"""Why an actor ended, as a value."""

from __future__ import annotations

from typing import Final, Literal

from attrs import frozen

ExitKind = Literal["normal", "shutdown", "error", "killed", "noproc"]
"""The five ways to be gone; see `ExitReason`."""


@frozen(kw_only=True)
class ExitReason:
    """Why an actor ended.

    ==========  ========================================================================  ========
    kind        meaning                                                                   abnormal
    ==========  ========================================================================  ========
    normal      it had nothing left to do                                                 no
    shutdown    it was asked to go; ``term`` may say more (``shutdown(max_restarts)``)    no
    error       a callback or a task beside the actor raised ``exc``                      yes
    killed      it was killed, or its ``terminate`` took too long                         yes
    noproc      it was gone already when you asked                                        no
    ==========  ========================================================================  ========
    """

    kind: ExitKind
    term: object = None
    exc: BaseException | None = None

    @property
    def abnormal(self) -> bool:
        """Whether this end is a failure: it is logged, and restarts a ``transient`` child."""
        return self.kind in ("error", "killed")

    @classmethod
    def shutdown(cls, term: object) -> ExitReason:
        """A clean end with a term that says more, for example ``"max_restarts"``."""
        return cls(kind="shutdown", term=term)

    @classmethod
    def error(cls, exc: BaseException, *, term: object = None) -> ExitReason:
        """An end because of an exception."""
        return cls(kind="error", exc=exc, term=term)

    def __str__(self) -> str:
        if self.exc is not None:
            return f"{self.kind}({type(self.exc).__name__}: {self.exc})"
        return self.kind if self.term is None else f"{self.kind}({self.term})"


NORMAL: Final = ExitReason(kind="normal")
"""It had nothing left to do."""

SHUTDOWN: Final = ExitReason(kind="shutdown")
"""It was asked to go."""

KILLED: Final = ExitReason(kind="killed")
"""It was killed."""

NOPROC: Final = ExitReason(kind="noproc")
"""It was gone already."""
