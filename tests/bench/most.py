"""How many sessions one core carries before sound comes too late: doubled, then halved in between."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tests.bench.dress import FRAMES_PER_SECOND
from tests.bench.measuring import Bench, Load, Sample, take_sample
from tests.bench.table import BUSY, LATE_MS
from tests.bench.ways import Way, direct, with_direct

FIRST: Final = 50
MOST: Final = 4000
"""Sessions; more are not tried."""
TOO_LATE_MS: Final = 20.0
"""Added to the 99th percentile of round trips: a frame's own length."""
LOST: Final = 0.01
"""Share of the frames that may not have come back within a second."""
CLOSE_ENOUGH: Final = 0.1
"""Share of a count within which the answer is looked for."""
TRIES: Final = 2
"""At a count: something else on the machine may have held one up."""


class Outcome(StrEnum):
    """Of so many sessions."""

    CARRIED = "carried"
    LATE = "sound too late"
    CUT = "sessions refused or cut"
    GENERATOR = "the load generator"
    """Its core, or the agent's, was full."""
    HELD_UP = "something else on this machine"
    """The load generator sent late, although it had time."""


NOT_THE_RELAY: Final = (Outcome.GENERATOR, Outcome.HELD_UP)


@dataclass(frozen=True, slots=True)
class Step:
    """A count of sessions that was tried."""

    sessions: int
    outcome: Outcome
    added_p99: float = 0.0
    """Milliseconds."""
    round_trip_p99: float = 0.0
    cpu: float = 0.0
    """Milliseconds of the relay's processor time a session-second."""


Ladder = list[Step]
"""Of a way; in the order they were tried."""


def carried(ladder: Sequence[Step]) -> Step | None:
    """The most that were carried."""
    done = [step for step in ladder if step.outcome is Outcome.CARRIED]
    return max(done, key=lambda step: step.sessions, default=None)


def stopped(ladder: Sequence[Step]) -> Step | None:
    """The fewest that were not; None: as many as were tried."""
    failed = [step for step in ladder if step.outcome is not Outcome.CARRIED]
    return min(failed, key=lambda step: step.sessions, default=None)


async def climb_all(bench: Bench, ways: Sequence[Way], seconds: float, most: int = MOST) -> dict[Way, Ladder]:
    """Each way on its own; the direct ones first, for they show where the load generator's own limit lies."""
    ladders: dict[Way, Ladder] = {}
    for way in with_direct(ways):
        base = ladders.get(direct(way), [])
        ladders[way] = await _climb(bench, way, base, seconds, most)
    return ladders


async def _climb(bench: Bench, way: Way, base: Ladder, seconds: float, most: int) -> Ladder:
    ladder: Ladder = []
    while (count := next_count(ladder, most)) is not None:
        ladder.append(await _step(bench, way, base, Load(count, seconds, 1)))
        print(f"{way.name}, {count} sessions: {ladder[-1].outcome}", file=sys.stderr)
    return ladder


def next_count(ladder: Ladder, most: int) -> int | None:
    """How many to try now; None: it is known well enough."""
    best, worst = carried(ladder), stopped(ladder)
    low = best.sessions if best else 0
    if worst is None:
        return min(most, 2 * low or FIRST) if low < most else None
    gap = worst.sessions - low
    return (low + worst.sessions) // 2 if gap > max(2, CLOSE_ENOUGH * low) else None


async def _step(bench: Bench, way: Way, base: Ladder, load: Load) -> Step:
    for _ in range(TRIES):
        try:
            step = _judged(await take_sample(bench, way, load), base, load)
        except OSError:
            step = Step(load.sessions, Outcome.CUT)
        if step.outcome is Outcome.CARRIED:
            break
    return step


def _judged(sample: Sample, base: Ladder, load: Load) -> Step:
    added = sample.round_trip_p99 - _direct_p99(base, load.sessions)
    frames = load.sessions * load.seconds * FRAMES_PER_SECOND
    failed = added > TOO_LATE_MS or sample.missing > LOST * frames
    outcome = _whose_fault(sample) if failed else Outcome.CARRIED
    return Step(load.sessions, outcome, added, sample.round_trip_p99, sample.cpu or 0.0)


def _whose_fault(sample: Sample) -> Outcome:
    if sample.busy > BUSY:
        return Outcome.GENERATOR
    return Outcome.HELD_UP if sample.late_p99 > LATE_MS else Outcome.LATE


def _direct_p99(base: Ladder, sessions: int) -> float:
    """With that many sessions, or the most below that were tried."""
    below = [step for step in base if step.outcome is Outcome.CARRIED and step.sessions <= sessions]
    return max(below, key=lambda step: step.sessions).round_trip_p99 if below else 0.0
