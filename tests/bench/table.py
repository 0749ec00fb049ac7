"""What was measured, as one table to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from tests.bench.measuring import Load, Sample, added
from tests.bench.stalls import Stalls, tell
from tests.bench.ways import BRIDGE, NGINX, STARLETTE, Way, direct, nginx

Samples = dict[Way, list[Sample]]

LATE_MS: Final = 5.0
"""Milliseconds; a load generator that sends later than that in 1 % of the cases measures itself."""
BUSY: Final = 0.8
"""Share of its core beyond which there is no room for surprises."""

HEADER: Final = (
    "",
    "added ms p50",
    "added ms p99",
    "CPU ms/session-s",
    "x Starlette",
    "x nginx",
    "idle kB",
    "talking kB",
    "line ms p50",
    "line ms p99",
)


def table(samples: Samples, load: Load) -> str:
    """Medians of the rounds, with the lowest and the highest in brackets."""
    rows = [HEADER, *(_row(way, samples) for way in samples if direct(way) is not way)]
    return "\n".join([*_head(samples, load), "", *aligned(rows), "", *_notes(samples)])


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table; the first row is its head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_padded(row, widths) for row in rows]
    return [lines[0], "-" * len(lines[0]), *lines[1:]]


def _head(samples: Samples, load: Load) -> Iterator[str]:
    yield (
        f"{load.sessions} sessions, 50 frames of 640 bytes a second each way, a line of text a second each; "
        f"rounds: {load.rounds} of {load.seconds:g} s: median (lowest-highest)"
    )
    for way, mine in samples.items():
        if direct(way) is way:
            yield (
                f"{way.name}, round trip ms: p50 {spread([s.round_trip_p50 for s in mine])}, "
                f"p99 {spread([s.round_trip_p99 for s in mine])}; "
                f"line ms: p50 {spread([s.line_p50 for s in mine])}, p99 {spread([s.line_p99 for s in mine])}"
            )


def _row(way: Way, samples: Samples) -> tuple[str, ...]:
    mine, base = samples[way], samples[direct(way)]
    return (
        way.name,
        spread(added(mine, base, "round_trip_p50")),
        spread(added(mine, base, "round_trip_p99")),
        spread(_cpu(mine)),
        _ratio(mine, samples.get(STARLETTE)),
        _ratio(mine, samples.get(NGINX)),
        f"{median(s.idle_kb or 0 for s in mine):.0f}",
        f"{median(s.talking_kb or 0 for s in mine):.0f}",
        spread([s.line_p50 for s in mine]),
        spread([s.line_p99 for s in mine]),
    )


def _ratio(mine: Sequence[Sample], others: Sequence[Sample] | None) -> str:
    """Of processor time, round by round."""
    if others is None:
        return "-"
    return f"{median(a / b for a, b in zip(_cpu(mine), _cpu(others), strict=True)):.2f}"


def _cpu(samples: Sequence[Sample]) -> list[float]:
    return [sample.cpu or 0 for sample in samples]


def spread(values: Sequence[float]) -> str:
    """The median, and between what they lie."""
    middle = f"{median(values):.2f}"
    return f"{middle} ({min(values):.2f}-{max(values):.2f})" if len(values) > 1 else middle


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join([row[0].ljust(len(first)), *rest])


def _notes(samples: Samples) -> Iterator[str]:
    yield "added: to a frame's round trip. x: times the processor time of. kB: memory of one more session."
    yield "line: a line of text from the agent to the client; the bridge writes it to disk in between."
    if stalls := sum((sample.stalls for sample in samples.get(BRIDGE, [])), Stalls()):
        yield tell(stalls)
    if nginx() is None:
        yield "nginx is not installed and was left out. To measure it too: sudo apt-get install nginx-light"
    every = [sample for way in samples.values() for sample in way]
    if missing := sum(sample.missing for sample in every):
        yield f"{missing} frames did not come back within a second."
    yield told_of_load(every)


def told_of_load(every: Sequence[Sample]) -> str:
    """Whether the load generator measured itself."""
    late, busy = max(s.late_p99 for s in every), max(s.busy for s in every)
    state = f"it sent frames up to {late:.1f} ms late (p99); its core was busy with it for {busy:.0%} at most"
    if busy > BUSY:
        return f"THE LOAD GENERATOR WAS THE BOTTLENECK: {state}. Believe the ratios only."
    if late > LATE_MS:
        return f"THE LOAD GENERATOR WAS HELD UP by something else on this machine: {state}. Measure again."
    return f"Load generator: {state}."
