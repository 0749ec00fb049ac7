"""How many sessions each way carried, as one table to read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.bench.most import FIRST, NOT_THE_RELAY, TOO_LATE_MS, Ladder, Outcome, Step, carried, stopped
from tests.bench.table import aligned
from tests.bench.ways import NGINX, Way, direct

HEADER: Final = (
    "",
    "sessions a core carries",
    "x nginx",
    "what stopped it",
    f"CPU ms/session-s at {FIRST}",
    "at the most",
    "added ms p99 at the most",
)


def most_table(ladders: dict[Way, Ladder]) -> str:
    """One row a way, and below it what a session cost at each count that was carried."""
    rows = [HEADER, *(_row(way, ladder, ladders.get(NGINX)) for way, ladder in ladders.items())]
    notes = [
        f"Carried: {TOO_LATE_MS:g} ms at most are added to the 99th percentile of a frame's round trip.",
        "≥: not the relay, but the load generator and the agent could do no more, or no more was tried.",
        "Where something else on this machine stopped it: measure again when it is quiet.",
        "CPU ms/session-s by sessions:",
        *(f"  {way.name}: {_costs(ladder)}" for way, ladder in ladders.items() if direct(way) is not way),
    ]
    return "\n".join([*aligned(rows), "", *notes])


def _row(way: Way, ladder: Ladder, nginx: Ladder | None) -> tuple[str, ...]:
    most, stop = carried(ladder), stopped(ladder)
    why = f"{stop.outcome} at {stop.sessions}" if stop else "nothing"
    if most is None:
        return way.name, "0", "-", why, "-", "-", "-"
    first = next((step for step in ladder if step.sessions == FIRST), None)
    has_cpu = direct(way) is not way
    return (
        way.name,
        f"{_at_least(ladder)}{most.sessions}",
        _share(ladder, nginx) if has_cpu else "-",
        why,
        f"{first.cpu:.2f}" if first and has_cpu else "-",
        f"{most.cpu:.2f}" if has_cpu else "-",
        f"{most.added_p99:.2f}" if has_cpu else "-",
    )


def _at_least(ladder: Ladder) -> str:
    stop = stopped(ladder)
    return "≥ " if stop is None or stop.outcome in NOT_THE_RELAY else ""


def _share(ladder: Ladder, nginx: Ladder | None) -> str:
    """Of what nginx carries; bounds when only bounds are known."""
    mine, theirs = carried(ladder), carried(nginx or [])
    if nginx is None or mine is None or theirs is None:
        return "-"
    share = f"{mine.sessions / theirs.sessions:.2f}"
    if ladder is nginx:
        return share
    match _at_least(ladder), _at_least(nginx):
        case "", "":
            return share
        case _, "":
            return f"≥ {share}"
        case "", _:
            return f"≤ {share}"
    return "?"


def _costs(ladder: Ladder) -> str:
    return ", ".join(f"{step.sessions}: {step.cpu:.2f}" for step in _in_order(ladder))


def _in_order(ladder: Ladder) -> Iterator[Step]:
    yield from sorted(
        (step for step in ladder if step.outcome is Outcome.CARRIED), key=lambda step: step.sessions
    )
