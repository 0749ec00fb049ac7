"""What is open on the strength of somebody's sign-in, and ends with it: sessions, streams of events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from bridge.background import Background
from bridge.ports import Accounts, Release, SignIn

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.5
"""How often it is looked whether a sign-in's time is over."""
ENDED = ("BRIDGE_SIGNED_OUT", "You are signed out. Everything said so far is saved.")
EXPIRED = (
    "BRIDGE_SIGN_IN_EXPIRED",
    "Your sign-in has expired. Everything said so far is saved; sign in again.",
)


class Holds(Background):
    """ports.Hold. An async context manager: sign-ins are watched while it is open."""

    def __init__(self, accounts: Accounts, now: Callable[[], datetime]) -> None:
        self._accounts = accounts
        self._now = now
        self._held: dict[object, tuple[SignIn, Callable[[str, str], None]]] = {}

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            watching = self._accounts.watch(self._standing, lambda sign_in: self._end(sign_in, *ENDED))
            group.create_task(watching, name="revocations")
            await self._expire()

    def __call__(self, sign_in: SignIn | None, end: Callable[[str, str], None]) -> Release:
        """See ports.Hold."""
        key = object()
        if sign_in is not None:
            self._held[key] = sign_in, end

        def release() -> None:
            self._held.pop(key, None)

        return release

    def _standing(self) -> set[SignIn]:
        return {sign_in for sign_in, _ in self._held.values()}

    def _end(self, gone: SignIn, code: str, description: str) -> None:
        ending = [(key, end) for key, (sign_in, end) in self._held.items() if sign_in == gone]
        for key, end in ending:
            del self._held[key]
            end(code, description)
        if ending:
            log.info("sign_in_ended", code=code, open=len(ending))

    async def _expire(self) -> None:
        while True:
            now = self._now()
            for sign_in in self._standing():
                if sign_in.expires_at <= now:
                    self._end(sign_in, *EXPIRED)
            await asyncio.sleep(LOOK_SECONDS)
