"""PostgreSQL away for a minute under talks: nothing is lost, and nobody waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tests.chaos.checker import check
from tests.chaos.drains import talking, whole
from tests.chaos.figures import Figure, Scenario, percentile
from tests.chaos.servers import server
from tests.chaos.world import Sample, World
from tests.support.bridge import Process
from tests.support.client import items
from tests.support.postgres import PostgresServer, temporary_postgres

LONG_TALKS, LONG_SECONDS = 100, 60.0


@dataclass(frozen=True, slots=True)
class Away:
    """What was measured."""

    world: World
    gone: float
    """When the store was away, on the monotonic clock."""
    started: float
    """When it was started again."""
    drained: float
    """Seconds from its return until all was flushed, and all that was noted was done."""
    cut: int
    """Talks that did not go on."""

    def during(self, samples: Sequence[Sample], share: float) -> float:
        """That percentile while the store was away, in seconds."""
        return percentile([one.seconds for one in samples if self.gone < one.at < self.started], share)

    def before(self, samples: Sequence[Sample], share: float) -> float:
        """That percentile before, in seconds."""
        return percentile([one.seconds for one in samples if one.at < self.gone], share)


async def away(
    folder: Path, *, seed: int, talks: int, seconds: float, postgres: PostgresServer, url: str
) -> Away:
    """So many talks, the store stopped for so long under them; then what was seen and promised is checked."""
    async with whole(seed, pace=4.0, think=0.1) as (world, variables):
        variables["DATABASE_URL"] = url
        async with talking(world, folder, variables, talks) as running:
            await asyncio.sleep(seconds / 4)
            postgres.stop()
            gone = time.monotonic()
            await asyncio.sleep(seconds)
            started = time.monotonic()
            postgres.start()
            drained, cut = await _caught_up(world, running, url), world.cut
        async with server(folder, variables) as world.server:
            await check(world)
    return Away(world, gone, started, drained, cut)


async def _caught_up(world: World, running: Process, url: str) -> float:
    """Until all is in the store and nothing is still to be run: asked for there, not to burden the server."""
    began, promised = time.monotonic(), set(world.promised)
    await running.logged("store_back", seconds=60)
    async with asyncio.timeout(60):
        connection = await asyncpg.connect(url)
        while await connection.fetchval("SELECT count(*) FROM noted_calls"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        drained = time.monotonic() - began
        await connection.close()
    goals = [await items(running.http, "/api/v1/goals", credential) for credential in world.users.values()]
    assert promised <= {str(goal["statement"]) for mine in goals for goal in mine}
    return drained


async def _long(folder: Path, seed: int) -> list[Figure]:
    with temporary_postgres() as postgres:
        found = await away(
            folder,
            seed=seed,
            talks=LONG_TALKS,
            seconds=LONG_SECONDS,
            postgres=postgres,
            url=postgres.url("postgres"),
        )
    world = found.world
    more = found.during(world.carried, 0.99) - found.before(world.carried, 0.99)
    text, answer = found.during(world.shown, 0.99), found.during(world.answered, 1.0)
    what = f"PostgreSQL away {LONG_SECONDS:.0f} s, {LONG_TALKS} calls: "
    return [
        Figure(
            what + "record",
            "0 lost",
            f"0 of {len(world.promised)} effects, {found.cut} calls cut",
            found.cut == 0,
        ),
        Figure(what + "sound p99", "+ ≤ 5 ms", f"{more * 1000:+.1f} ms", more <= 0.005),
        Figure(what + "text p99", "≤ 25 ms", f"{text * 1000:.1f} ms", text <= 0.025),
        Figure(what + "intents answered", "≤ 1.5 s", f"≤ {answer:.2f} s", answer <= 1.5),
        Figure(what + "drained after its return", "≤ 10 s", f"{found.drained:.1f} s", found.drained <= 10),
    ]


SCENARIO = Scenario("away", f"{LONG_TALKS} talks, PostgreSQL stopped for {LONG_SECONDS:.0f} s.", 2, _long)
