"""One measurement of one way, and the rounds in which all ways are measured in turn."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.caller import Tally
from tests.bench.crowd import Crowd
from tests.bench.processes import Cores, cpu_seconds, resident_bytes, started
from tests.bench.ways import Place, Relay, Way, listening

WARM_SECONDS: Final = 0.5
"""Talk before anything is measured: first uses, first imports."""
IDLE_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Load:
    """How much there is to carry."""

    sessions: int
    seconds: float
    """Of measured talk in each round."""
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One way in one round. Times in milliseconds; of the relay only what a relay has."""

    round_trip_p50: float
    round_trip_p99: float
    line_p50: float
    line_p99: float
    """A line of text, from the agent to the client."""
    cpu: float | None
    """Processor time of the relay for each second of each session."""
    idle_kb: float | None
    """Memory of one more session that is connected and silent; its settings are applied."""
    talking_kb: float | None
    """The same after the talk."""
    missing: int
    """Frames that did not come back."""
    late_p99: float
    """How late the load generator sent."""
    busy: float
    """Share of their core that the load generator and the agent used."""


@dataclass(frozen=True, slots=True)
class Agent:
    """The agent's process."""

    pid: int
    address: str


async def measure(ways: Sequence[Way], load: Load, cores: Cores, folder: Path) -> dict[Way, list[Sample]]:
    """All rounds; the ways take turns in each, every one with a process of its own."""
    samples: dict[Way, list[Sample]] = {way: [] for way in ways}
    command = [sys.executable, "-m", "tests.bench.agent"]
    with started(command, listening, core=cores.load, log=folder / "agent") as (pid, address):
        for number in range(load.rounds):
            for way in ways:
                place = Place(folder / f"{number}-{ways.index(way)}", address, cores.relay)
                place.folder.mkdir()
                with way.start(place) as relay:
                    samples[way].append(await _sample(relay, Agent(pid, address), load))
    return samples


async def _sample(relay: Relay, agent: Agent, load: Load) -> Sample:
    """The first session warms the relay up; memory is counted from there."""
    crowd = Crowd(relay.address)
    await crowd.call(1)
    await crowd.talk(WARM_SECONDS)
    await crowd.await_echo()
    empty = _memory(relay)
    await crowd.call(load.sessions - 1)
    await asyncio.sleep(IDLE_SECONDS)
    idle = _memory(relay)
    await crowd.talk(WARM_SECONDS)
    before = _used(relay, agent)
    tally = await crowd.talk(load.seconds)
    after = _used(relay, agent)
    await crowd.await_echo()
    talking = _memory(relay)
    crowd.leave()
    wall, cpu, ours = (late - early for early, late in zip(before, after, strict=True))
    per_session = (load.sessions - 1) * 1024
    return Sample(
        **_times(tally),
        cpu=1000 * cpu / (wall * load.sessions) if relay.pid else None,
        idle_kb=(idle - empty) / per_session if relay.pid else None,
        talking_kb=(talking - empty) / per_session if relay.pid else None,
        missing=tally.frames - len(tally.round_trips),
        late_p99=percentile(tally.lateness, 99),
        busy=ours / wall,
    )


def _times(tally: Tally) -> dict[str, float]:
    return {
        "round_trip_p50": percentile(tally.round_trips, 50),
        "round_trip_p99": percentile(tally.round_trips, 99),
        "line_p50": percentile(tally.lines, 50),
        "line_p99": percentile(tally.lines, 99),
    }


def percentile(nanoseconds: array[int], percent: float) -> float:
    """In milliseconds; not a number when nothing came."""
    if not nanoseconds:
        return float("nan")
    return sorted(nanoseconds)[min(len(nanoseconds) - 1, int(len(nanoseconds) * percent / 100))] / 1e6


def _memory(relay: Relay) -> int:
    return resident_bytes(relay.pid) if relay.pid else 0


def _used(relay: Relay, agent: Agent) -> tuple[float, float, float]:
    """Seconds: on the clock, of processor by the relay, of processor by the agent and us."""
    ours = cpu_seconds(agent.pid) + cpu_seconds(os.getpid())
    return time.monotonic(), cpu_seconds(relay.pid) if relay.pid else 0.0, ours


def added(samples: Sequence[Sample], direct: Sequence[Sample], name: str) -> list[float]:
    """What a figure is above that of the direct way in the same round."""
    return [getattr(way, name) - getattr(base, name) for way, base in zip(samples, direct, strict=True)]
