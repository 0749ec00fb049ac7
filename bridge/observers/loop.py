"""How late the event loop is, and how much runs on it: a step that takes long costs everybody."""

from __future__ import annotations

import asyncio
import math
import time
from functools import partial
from types import TracebackType
from typing import Self

from prometheus_client import CollectorRegistry, Gauge

from bridge.observers.counts import Histogram

INTERVAL_SECONDS = 0.01
"""Between two looks at the clock: a stall is seen as up to that much shorter than it was."""
RECENT_SECONDS = 2.0
"""After which a look counts for a third in `recent_lag`."""
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class LoopWatch:
    """A context manager: it looks at the running loop while it is open."""

    def __init__(self, registry: CollectorRegistry) -> None:
        histogram = partial(Histogram, bounds=BUCKETS, registry=registry)
        self._lag = histogram("bridge_loop_lag_seconds", "How late the event loop did what was due.")
        self._busy = histogram(
            "bridge_loop_busy_seconds", "CPU time of the event loop's thread between two looks."
        )
        Gauge("bridge_tasks", "Tasks of the event loop.", registry=registry).set_function(self._tasks)
        self.recent_lag = 0.0
        """Seconds by which it was late of late, on average: the last two seconds count most."""
        self._loop: asyncio.AbstractEventLoop | None = None

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._next: asyncio.Handle = self._loop.call_soon(self._begin, self._loop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._next.cancel()

    def _tasks(self) -> float:
        return len(asyncio.all_tasks(self._loop)) if self._loop else 0

    def _note(self, late: float) -> None:
        """A stall counts for as long as it took."""
        weight = 1.0 - math.exp(-(late + INTERVAL_SECONDS) / RECENT_SECONDS)
        self.recent_lag += (late - self.recent_lag) * weight

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """What is computed before the loop goes on, while the server starts, makes nobody wait."""
        self._look_later(loop, time.thread_time())

    def _look_later(self, loop: asyncio.AbstractEventLoop, computed: float) -> None:
        due = loop.time() + INTERVAL_SECONDS
        self._next = loop.call_later(INTERVAL_SECONDS, self._look, loop, due, computed)

    def _look(self, loop: asyncio.AbstractEventLoop, due: float, computed: float) -> None:
        """`computed`: seconds its thread had computed by the look before."""
        late, computing = max(0.0, loop.time() - due), time.thread_time()
        self._lag.add(late)
        self._note(late)
        self._busy.add(computing - computed)
        self._look_later(loop, computing)
