"""The store is told that a session has ended: again and again while it is away."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from bridge.core.session import Session
from bridge.errors import BridgeError, StoreUnavailable
from bridge.ports import Store

log = structlog.get_logger(__name__)

RETRY_SECONDS: Final = 5.0
MOST: Final = 10_000
"""Ends the store may not know of; of more it is not told the oldest."""


@dataclass(frozen=True, slots=True)
class _End:
    user_id: str
    conversation_id: str
    epoch: int
    seconds: int
    at: datetime


class Releases:
    """Of all sessions of a process."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._owed: deque[_End] = deque(maxlen=MOST)

    def __len__(self) -> int:
        """Ends the store does not know of."""
        return len(self._owed)

    async def release(self, session: Session, seconds: int) -> None:
        """It ended now, after that many seconds. Raises nothing."""
        end = _End(session.user_id, session.conversation_id, session.epoch, seconds, self._now())
        if not await self._tell(end, again=False):
            self._owed.append(end)

    async def run(self) -> None:
        """Tell what is owed, until it is cancelled."""
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            await self.tell_owed()

    async def tell_owed(self) -> None:
        """Stops at the first that the store does not take."""
        while self._owed:
            oldest = self._owed[0]
            if not await self._tell(oldest, again=True):
                return
            if self._owed[0] is oldest:  # not pushed out meanwhile
                self._owed.popleft()

    async def _tell(self, end: _End, *, again: bool) -> bool:
        """False: the store is away."""
        try:
            await self._store.release(
                end.user_id, end.conversation_id, epoch=end.epoch, seconds=end.seconds, at=end.at
            )
        except StoreUnavailable as error:
            if not again:
                log.warning("release_failed", code=error.code)
            return False
        except BridgeError as error:  # the conversation is not there any more
            log.warning("release_failed", code=error.code)
        except Exception:  # a fault of ours must not end the other sessions
            log.exception("release_broke")
        return True
