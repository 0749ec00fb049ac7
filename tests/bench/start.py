"""How long a session takes to begin: page → `POST …/voice/session` → WebSocket → `SettingsApplied`."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from tests.bench.caller import PATH, Caller, Tally, call
from tests.bench.http import ask
from tests.bench.measuring import Bench, Load, percentile
from tests.bench.table import aligned, spread
from tests.bench.ways import Relay, Way, direct, with_direct

WARM: Final = 5
"""Sessions before anything is measured."""
ALONE: Final = 50
"""Sessions of a round, one after the other."""
TOGETHER: Final = 20
"""Sessions that begin at once."""
TIMES: Final = 5
"""So often in a round."""
HEADER: Final = (
    "",
    *("alone, added ms p50", "added ms p99"),
    *(f"{TOGETHER} at once, added ms p50", "added ms p99"),
)


@dataclass(frozen=True, slots=True)
class Openings:
    """Of one way in one round; nanoseconds."""

    alone: array[int] = field(default_factory=lambda: array("q"))
    together: array[int] = field(default_factory=lambda: array("q"))


async def time_openings(bench: Bench, ways: Sequence[Way], load: Load) -> str:
    """A report. The ways take turns; `load` says how many rounds."""
    every = with_direct(ways)
    openings: dict[Way, list[Openings]] = {way: [] for way in every}
    for _ in range(load.rounds):
        for way in every:
            with bench.relay(way) as relay:
                openings[way].append(await _round(relay))
    return _table(openings)


async def _round(relay: Relay) -> Openings:
    for _ in range(WARM):
        await _open(relay)
    return Openings(
        array("q", [await _open(relay) for _ in range(ALONE)]),
        array("q", [each for _ in range(TIMES) for each in await _open_many(relay)]),
    )


async def _open_many(relay: Relay) -> list[int]:
    return await asyncio.gather(*(_open(relay) for _ in range(TOGETHER)))


async def _open(relay: Relay) -> int:
    """As a page does; only the bridge is asked for a session first."""
    begun, headers, caller = time.monotonic_ns(), {}, Caller(Tally(0))
    if relay.is_bridge:
        session = orjson.loads(await ask(relay.address, "POST", "/api/v1/voice/session", b"{}"))
        headers["Sec-WebSocket-Protocol"] = f"token, {session['token']}"
    await call(f"ws://{relay.address}{PATH}", caller, headers)
    taken = time.monotonic_ns() - begun
    caller.leave()
    return taken


def _table(openings: dict[Way, list[Openings]]) -> str:
    rows = [HEADER, *(_row(way, openings) for way in openings if direct(way) is not way)]
    heads = [
        f"{way.name}, the agent's own opening, ms: alone p50 {spread(_all(mine, 'alone', 50))}, "
        f"p99 {spread(_all(mine, 'alone', 99))}; "
        f"at once p50 {spread(_all(mine, 'together', 50))}, p99 {spread(_all(mine, 'together', 99))}"
        for way, mine in openings.items()
        if direct(way) is way
    ]
    note = (
        "Of the bridge: POST of the session, WebSocket, Settings, SettingsApplied; the others have no POST."
    )
    return "\n".join([*heads, "", *aligned(rows), "", note])


def _row(way: Way, openings: dict[Way, list[Openings]]) -> tuple[str, ...]:
    cells = [
        spread(
            [
                mine - base
                for mine, base in zip(
                    _all(openings[way], name, percent),
                    _all(openings[direct(way)], name, percent),
                    strict=True,
                )
            ]
        )
        for name in ("alone", "together")
        for percent in (50, 99)
    ]
    return way.name, *cells


def _all(rounds: Sequence[Openings], name: str, percent: float) -> list[float]:
    """Of each round, milliseconds."""
    return [percentile(getattr(each, name), percent) for each in rounds]
