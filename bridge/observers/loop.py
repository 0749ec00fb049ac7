"""How late the event loop is, and how much runs on it: a step that takes long costs everybody."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Self

from prometheus_client import CollectorRegistry, Gauge, Histogram

from bridge.background import Background

INTERVAL_SECONDS = 0.01
"""Between two looks at the clock: a stall is seen as up to that much shorter than it was."""
RECENT_SECONDS = 2.0
"""After which a look counts for a third in `recent_lag`."""
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class LoopWatch(Background):
    """It looks while it is open."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lag = Histogram(
            "bridge_loop_lag_seconds", "How late the event loop did what was due.",
            buckets=BUCKETS, registry=registry,
        )  # fmt: skip
        self._busy = Histogram(
            "bridge_loop_busy_seconds", "CPU time of the event loop's thread between two looks.",
            buckets=BUCKETS, registry=registry,
        )  # fmt: skip
        Gauge("bridge_tasks", "Tasks of the event loop.", registry=registry).set_function(self._tasks)
        self.recent_lag = 0.0
        """Seconds by which it was late of late, on average: the last two seconds count most."""
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        return await super().__aenter__()

    def _tasks(self) -> float:
        return len(asyncio.all_tasks(self._loop)) if self._loop else 0

    def _note(self, late: float) -> None:
        """A stall counts for as long as it took."""
        weight = 1.0 - math.exp(-(late + INTERVAL_SECONDS) / RECENT_SECONDS)
        self.recent_lag += (late - self.recent_lag) * weight

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, computed = loop.time() + INTERVAL_SECONDS, time.thread_time()
            await asyncio.sleep(INTERVAL_SECONDS)
            late = max(0.0, loop.time() - due)
            self._lag.observe(late)
            self._note(late)
            self._busy.observe(time.thread_time() - computed)
