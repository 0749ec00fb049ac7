"""What can be asked for: each measures in its own manner and returns a report to read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from tests.bench.measuring import Bench, Load, measure
from tests.bench.most import Ladder, carried, climb_all
from tests.bench.most_table import most_table
from tests.bench.table import table
from tests.bench.ways import BRIDGE, NGINX, Way, with_direct

Report = Callable[[Bench, Sequence[Way], Load], Awaitable[str]]


async def compare(bench: Bench, ways: Sequence[Way], load: Load) -> str:
    """The same load through each way."""
    return table(await measure(bench, with_direct(ways), load), load)


async def find_most(bench: Bench, ways: Sequence[Way], load: Load) -> str:
    """How many sessions a core carries; then those that can side by side, at what bridge and nginx carry."""
    ladders = await climb_all(bench, ways, load.seconds)
    report = most_table(ladders)
    if (both := _carried_by_both(ladders)) is None:
        return report
    able = [way for way in ways if (most := carried(ladders[way])) and most.sessions >= both]
    return f"{report}\n\n{await compare(bench, able, Load(both, load.seconds, load.rounds))}"


def _carried_by_both(ladders: dict[Way, Ladder]) -> int | None:
    mine, theirs = carried(ladders.get(BRIDGE, [])), carried(ladders.get(NGINX, []))
    return min(mine.sessions, theirs.sessions) if mine and theirs else None
