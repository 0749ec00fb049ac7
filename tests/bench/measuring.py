"""One measurement of one way, and the rounds in which all ways are measured in turn."""

from __future__ import annotations

import asyncio
import sys
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from tests.bench.caller import Tally
from tests.bench.crowd import Crowd
from tests.bench.processes import Cores, resident_bytes, started
from tests.bench.stalls import Stalls, read_stalls
from tests.bench.usage import Usage
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
    """Share of their core that the load generator and the agent used; of the busier one, if they have two."""
    stalls: Stalls
    """Of the bridge's event loop, from the warm-up on."""


@dataclass(frozen=True, slots=True)
class Agent:
    """The agent's process."""

    pid: int
    address: str


@dataclass(frozen=True, slots=True)
class Bench:
    """Where it is measured: an agent that runs, and room for relays."""

    folder: Path
    cores: Cores
    agent: Agent

    @contextmanager
    def relay(self, way: Way) -> Iterator[Relay]:
        """A fresh process of that way."""
        folder = Path(mkdtemp(dir=self.folder))
        with way.start(Place(folder, self.agent.address, self.cores.relay)) as relay:
            yield relay


@contextmanager
def open_bench(folder: Path, cores: Cores) -> Iterator[Bench]:
    """Start the agent. `folder`: empty."""
    command = [sys.executable, "-m", "tests.bench.agent"]
    with started(command, listening, core=cores.agent, log=folder / "agent") as (pid, address):
        yield Bench(folder, cores, Agent(pid, address))


async def measure(bench: Bench, ways: Sequence[Way], load: Load) -> dict[Way, list[Sample]]:
    """All rounds; the ways take turns in each, every one with a process of its own."""
    samples: dict[Way, list[Sample]] = {way: [] for way in ways}
    for _ in range(load.rounds):
        for way in ways:
            samples[way].append(await take_sample(bench, way, load))
    return samples


async def take_sample(bench: Bench, way: Way, load: Load) -> Sample:
    """One way in one round. Raises ConnectionError, TimeoutError when a session was refused or cut."""
    with bench.relay(way) as relay, Crowd(relay.address, way.dress) as crowd:
        return await _sample(bench, relay, crowd, load)


async def _sample(bench: Bench, relay: Relay, crowd: Crowd, load: Load) -> Sample:
    """The first session warms the relay up; memory is counted from there."""
    await crowd.call(1)
    await crowd.talk(WARM_SECONDS)
    await crowd.await_echo()
    empty = memory(relay)
    await crowd.call(load.sessions - 1)
    await asyncio.sleep(IDLE_SECONDS)
    idle, earlier = memory(relay), await _stalls(relay)
    await crowd.talk(WARM_SECONDS)
    before = Usage.now(bench.agent.pid, relay.pid)
    tally = await crowd.talk(load.seconds)
    used = Usage.now(bench.agent.pid, relay.pid) - before
    await crowd.await_echo()
    talking, later = memory(relay), await _stalls(relay)
    per_session = (load.sessions - 1) * 1024
    return Sample(
        **_times(tally),
        cpu=1000 * used.relay / (used.wall * load.sessions) if relay.pid else None,
        idle_kb=(idle - empty) / per_session if relay.pid else None,
        talking_kb=(talking - empty) / per_session if relay.pid else None,
        missing=tally.frames - len(tally.round_trips),
        late_p99=percentile(tally.lateness, 99),
        busy=used.busy(bench.cores),
        stalls=later - earlier,
    )


async def _stalls(relay: Relay) -> Stalls:
    return await read_stalls(relay.address) if relay.is_bridge else Stalls()


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


def memory(relay: Relay) -> int:
    """Bytes."""
    return resident_bytes(relay.pid) if relay.pid else 0


def added(samples: Sequence[Sample], direct: Sequence[Sample], name: str) -> list[float]:
    """What a figure is above that of the direct way in the same round."""
    return [getattr(way, name) - getattr(base, name) for way, base in zip(samples, direct, strict=True)]
