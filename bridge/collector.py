"""Python's garbage collector, kept from looking through what lives: a full pass would hold up every talk.

A pass takes a microsecond for each object there is, 50 ms and more under many long talks, and the event loop
stands still meanwhile. So what has come to stay is put out of its sight (`gc.freeze`) before it is much;
reference counts free it as ever. What only a full pass can find, cycles that were put away too, waits until
nobody talks, or until it may have become a lot.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from types import TracebackType
from typing import Self

from bridge.background import Background

LOOK_SECONDS = 1.0
"""Between two looks at how much has come."""
PASSES = 10
"""Of the middle generation, after which what they left is put away: at most 70,000 objects."""
NEVER = 1_000_000
"""Passes of the middle generation until Python would look through everything by itself."""
MOST_ENDED = 10_000
"""Sessions that may end between two full passes; what one leaves in cycles is next to nothing."""


class Collector(Background):
    """It holds while it is open."""

    def __init__(self, live: Callable[[], int], ended: Callable[[], int]) -> None:
        """`live`: sessions there are now. `ended`: sessions that have ended so far."""
        self._live = live
        self._ended = ended
        self._swept_at = 0
        """Sessions that had ended by the last full pass."""
        self._thresholds = gc.get_threshold()

    async def __aenter__(self) -> Self:
        young, middle, _ = self._thresholds
        gc.set_threshold(young, middle, NEVER)
        self.sweep()
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        gc.set_threshold(*self._thresholds)
        gc.unfreeze()

    def look(self) -> None:
        """Put away what has come to stay; look through everything when that is due."""
        left = self._ended() - self._swept_at
        if left >= MOST_ENDED or (left and not self._live()):
            self.sweep()
        elif gc.get_count()[2] >= PASSES:
            gc.collect(1)
            gc.freeze()

    def sweep(self) -> None:
        """A full pass; then all that is left is put away."""
        self._swept_at = self._ended()
        gc.unfreeze()
        gc.collect()
        gc.freeze()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()
