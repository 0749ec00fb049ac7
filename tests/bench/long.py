"""One long talk: is sound as quick at its end as at its begin, and does the server's memory grow?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.caller import Tally
from tests.bench.crowd import Crowd
from tests.bench.measuring import WARM_SECONDS, Bench, Load, memory, percentile
from tests.bench.table import aligned
from tests.bench.usage import Usage
from tests.bench.ways import BRIDGE, Relay, Way, direct

WINDOW_SECONDS: Final = 60.0
"""Of the talk at its begin and at its end; at most a third each."""
MARGIN_SECONDS: Final = 15.0
"""A session of the default agent ends after 30 minutes; so much earlier ends ours."""
DIRECT_SECONDS: Final = 3.0
"""Of talk without a relay, before and after."""
HEADER: Final = ("", "added ms p50", "added ms p99", "CPU ms/session-s", "memory MB")


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the talk. Milliseconds; of the processor per session-second; bytes."""

    p50: float
    p99: float
    cpu: float
    memory: int
    missing: int


@dataclass(frozen=True, slots=True)
class Part:
    """A row of the table."""

    name: str
    window: Window
    base: Tally
    """Of a direct talk about then."""


async def talk_long(bench: Bench, ways: Sequence[Way], load: Load, *, minutes: float) -> str:
    """A report on the bridge, or on the one way that was chosen."""
    way = ways[0] if len(ways) == 1 else BRIDGE
    total = max(minutes * 60 - MARGIN_SECONDS, minutes * 45)
    window = min(WINDOW_SECONDS, total / 3)
    direct_load = Load(load.sessions, min(DIRECT_SECONDS, window), 1)
    before = await _direct(bench, way, direct_load)
    with bench.relay(way) as relay, Crowd(relay.address, way.dress) as crowd:
        await crowd.call(load.sessions)
        await crowd.talk(WARM_SECONDS)
        first = await _window(bench, relay, crowd, Load(load.sessions, window, 1))
        await crowd.talk(total - 2 * window)
        last = await _window(bench, relay, crowd, Load(load.sessions, window, 1))
    after = await _direct(bench, way, direct_load)
    fresh = await _fresh(bench, way, Load(load.sessions, window, 1))
    parts = (
        Part(f"the first {window:.0f} s", first, before),
        Part(f"the last {window:.0f} s", last, after),
        Part("a fresh server after it", fresh, after),
    )
    return _table(f"{way.name}: one talk of {total:.0f} s", load, *parts)


async def _fresh(bench: Bench, way: Way, load: Load) -> Window:
    """What a server that has just begun does on the machine as it is now."""
    with bench.relay(way) as relay, Crowd(relay.address, way.dress) as crowd:
        await crowd.call(load.sessions)
        await crowd.talk(WARM_SECONDS)
        return await _window(bench, relay, crowd, load)


async def _window(bench: Bench, relay: Relay, crowd: Crowd, load: Load) -> Window:
    before = Usage.now(bench.agent.pid, relay.pid)
    tally = await crowd.talk(load.seconds)
    used = Usage.now(bench.agent.pid, relay.pid) - before
    await crowd.await_echo()
    return Window(
        percentile(tally.round_trips, 50),
        percentile(tally.round_trips, 99),
        1000 * used.relay / (used.wall * load.sessions),
        memory(relay),
        tally.frames - len(tally.round_trips),
    )


async def _direct(bench: Bench, way: Way, load: Load) -> Tally:
    with bench.relay(direct(way)) as relay, Crowd(relay.address, way.dress) as crowd:
        await crowd.call(load.sessions)
        await crowd.talk(WARM_SECONDS)
        tally = await crowd.talk(load.seconds)
        await crowd.await_echo()
        return tally


def _table(title: str, load: Load, first: Part, last: Part, fresh: Part) -> str:
    growth = (last.window.memory - first.window.memory) / 1024 / load.sessions
    return "\n".join(
        [
            f"{title}, {load.sessions} sessions at real rates",
            "",
            *aligned([HEADER, *(_row(part) for part in (first, last, fresh))]),
            "",
            f"Round trips, the last against the first: {_ratios(last, first)}; "
            f"against those of a fresh server on the same machine afterwards: {_ratios(last, fresh)}. "
            f"Memory grew by {growth:.0f} kB a session. "
            f"{sum(part.window.missing for part in (first, last, fresh))} frames did not come back.",
        ]
    )


def _row(part: Part) -> tuple[str, ...]:
    window, base = part.window, part.base.round_trips
    return (
        part.name,
        f"{window.p50 - percentile(base, 50):.2f}",
        f"{window.p99 - percentile(base, 99):.2f}",
        f"{window.cpu:.2f}",
        f"{window.memory / 1024 / 1024:.1f}",
    )


def _ratios(one: Part, other: Part) -> str:
    return f"p50 × {one.window.p50 / other.window.p50:.2f}, p99 × {one.window.p99 / other.window.p99:.2f}"
