"""What sessions cost that only listen: memory, and processor time for pings and keep-alives."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.crowd import Crowd
from tests.bench.measuring import WARM_SECONDS, Bench, Load, memory
from tests.bench.table import aligned
from tests.bench.usage import Usage
from tests.bench.ways import Way

SETTLE_SECONDS: Final = 1.0
SECONDS: Final = 10.0
"""Of silence; the bridge pings every five."""
HEADER: Final = ("", "memory MB", "kB a session", "CPU ms a second")


@dataclass(frozen=True, slots=True)
class Idleness:
    """Of one way. Bytes; seconds of processor a second."""

    grown: int
    whole: int
    cpu: float


async def sit_idle(bench: Bench, ways: Sequence[Way], load: Load, *, seconds: float = SECONDS) -> str:
    """A report: `load.sessions` whose settings are applied and who say nothing."""
    found = {way: await _sit(bench, way, load.sessions, seconds) for way in ways}
    rows = [HEADER, *(_row(way, idle, load.sessions) for way, idle in found.items())]
    return "\n".join([f"{load.sessions} idle sessions, {seconds:g} s", "", *aligned(rows)])


async def _sit(bench: Bench, way: Way, sessions: int, seconds: float) -> Idleness:
    with bench.relay(way) as relay, Crowd(relay.address, way.dress) as crowd:
        await crowd.call(1)
        await crowd.talk(WARM_SECONDS)
        empty = memory(relay)
        await crowd.call(sessions - 1)
        await asyncio.sleep(SETTLE_SECONDS)
        before = Usage.now(bench.agent.pid, relay.pid)
        await asyncio.sleep(seconds)
        used = Usage.now(bench.agent.pid, relay.pid) - before
        crowd.check()
        return Idleness(memory(relay) - empty, memory(relay), used.relay / used.wall)


def _row(way: Way, idle: Idleness, sessions: int) -> tuple[str, ...]:
    return (
        way.name,
        f"{idle.whole / 1024 / 1024:.1f}",
        f"{idle.grown / 1024 / (sessions - 1):.0f}",
        f"{1000 * idle.cpu:.1f}",
    )
