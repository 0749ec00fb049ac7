"""Entries that count only once they are in the store too (durability: strict)."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import Final

from bridge.errors import JournalFailed

STORE_SECONDS: Final = 5.0
"""How long an entry waits for the store; then it counts as lost, though it may yet get there."""


class Confirming:
    """The futures of entries that are on their way to the store, in their order."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    def add(self, seq: int, journalled: asyncio.Future[None]) -> asyncio.Future[None]:
        """The future that ends when that entry is in the store. Fails with JournalFailed."""
        loop = journalled.get_loop()
        stored: asyncio.Future[None] = loop.create_future()
        self._waiting.append((seq, stored))
        late = loop.call_later(STORE_SECONDS, _fail, stored, "the store did not take it in time")
        stored.add_done_callback(lambda _: late.cancel())
        journalled.add_done_callback(partial(_pass_on, stored))
        return stored

    def end(self, up_to: int, refused: set[int]) -> None:
        """All up to that number is in the store, but for those."""
        while self._waiting and self._waiting[0][0] <= up_to:
            seq, stored = self._waiting.popleft()
            if seq in refused:
                _fail(stored, "the store refuses it")
            elif not stored.done():
                stored.set_result(None)

    def close(self) -> None:
        """Nobody will tell any more."""
        while self._waiting:
            _fail(self._waiting.popleft()[1], "the journal is closed")


def _pass_on(stored: asyncio.Future[None], journalled: asyncio.Future[None]) -> None:
    """What could not even be journalled will not be stored."""
    if error := journalled.exception():
        _fail(stored, str(error))


def _fail(stored: asyncio.Future[None], reason: str) -> None:
    if not stored.done():
        stored.set_exception(JournalFailed(reason))
