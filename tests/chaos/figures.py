"""What a scenario of faults is and what it finds: rows of the table in docs/guarantees.md."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what was measured against what was aimed at."""

    what: str
    aim: str
    measured: str
    met: bool = True


Run = Callable[[Path, int], Awaitable[Sequence[Figure]]]
"""Takes an empty folder and a seed. Raises AssertionError at the first thing lost or done twice."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """The long form of a chaos test."""

    name: str
    says: str
    """What happens in it."""
    minutes: float
    """How long it takes, about."""
    run: Run


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that is not exceeded by that share (0…1) of them."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(figures: Sequence[Figure]) -> str:
    """Markdown."""
    rows = [f"| {row.what} | {row.aim} | {row.measured}{'' if row.met else ' ✗'} |" for row in figures]
    return "\n".join(["| | aim | measured |", "|---|---|---|", *rows])
