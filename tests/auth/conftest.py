"""A google-auth credentials object that needs no Google."""

from __future__ import annotations

import threading

import attrs
import pytest


@attrs.define
class FakeCredentials:
    """Looks like ``google.auth.credentials.Credentials`` where it matters; counts its refreshes."""

    token: str | None = None
    expired: bool = False
    quota_project_id: str | None = None
    error: Exception | None = None
    refreshes: int = 0
    threads: set = attrs.field(factory=set)
    before_refresh: object = None

    @property
    def valid(self) -> bool:
        return self.token is not None and not self.expired

    def refresh(self, request) -> None:
        self.threads.add(threading.get_ident())
        if callable(self.before_refresh):
            self.before_refresh()
        if self.error is not None:
            raise self.error
        self.refreshes += 1
        self.token = f"ya29.token-{self.refreshes}"
        self.expired = False


@pytest.fixture
def fake_credentials():
    return FakeCredentials
