"""Since when the oldest entry waits for the store, without a look at the disk."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

STEP_SECONDS = 0.5
"""Entries that are numbered within that time count as of the same moment."""


class Ages:
    """Told of each number that is given, and up to which all are in the store."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._steps: deque[tuple[int, float]] = deque()
        """The first number of each step, and when it was given."""
        self._newest = 0
        self._stored = 0
        self.lag = 0.0
        """Seconds that the oldest of the last batch had waited."""

    @property
    def waiting(self) -> int:
        """Entries that are not in the store."""
        return self._newest - self._stored

    @property
    def oldest(self) -> float:
        """Seconds since the oldest of them was given its number; 0: there is none."""
        return self._clock() - self._steps[0][1] if self._steps else 0.0

    def numbered(self, number: int) -> None:
        """One more; numbers only grow."""
        now = self._clock()
        if not self._steps or now - self._steps[-1][1] >= STEP_SECONDS:
            self._steps.append((self._newest + 1, now))
        self._newest = number

    def stored(self, up_to: int) -> None:
        """All up to that number is in the store, or will never be."""
        if up_to <= self._stored:
            return
        self.lag, self._stored = self.oldest, up_to
        while len(self._steps) > 1 and self._steps[1][0] <= up_to + 1:
            self._steps.popleft()
        if up_to >= self._newest:
            self._steps.clear()
