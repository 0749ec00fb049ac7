"""What processor time was used, by whom."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from tests.bench.processes import Cores, cpu_seconds


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds: on the clock, of processor by each of the three."""

    wall: float
    relay: float
    agent: float
    load: float

    @staticmethod
    def now(agent: int, relay: int | None) -> Usage:
        """Since they started; both are processes' ids."""
        return Usage(
            time.monotonic(),
            cpu_seconds(relay) if relay else 0.0,
            cpu_seconds(agent),
            cpu_seconds(os.getpid()),
        )

    def __sub__(self, earlier: Usage) -> Usage:
        return Usage(
            self.wall - earlier.wall,
            self.relay - earlier.relay,
            self.agent - earlier.agent,
            self.load - earlier.load,
        )

    def busy(self, cores: Cores) -> float:
        """Share of their core that the load generator and the agent used; of the busier, if they have two."""
        apart = cores.agent != cores.load
        return (max(self.agent, self.load) if apart else self.agent + self.load) / self.wall
