"""PostgreSQL away for a minute under talks: nothing is lost, and nobody waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tests.chaos.drains import talking
from tests.chaos.figures import Figure, Scenario, percentile
from tests.chaos.world import Sample, World, check
from tests.support.bridge import Process, process
from tests.support.client import items
from tests.support.deepgram import ScriptedDeepgram
from tests.support.postgres import PostgresServer, temporary_postgres

LONG_TALKS, LONG_SECONDS = 100, 60.0
SPEAKING = 10
"""Talks that send sound: enough to measure, few enough for the measuring to be quick."""


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
    world = World(seed, pace=4.0, think=0.1, speaking=SPEAKING)
    async with ScriptedDeepgram(key=None, script=world.agent) as deepgram:
        variables = {
            "DEEPGRAM_AGENT_URL": deepgram.url,
            "DATABASE_URL": url,
            "BRIDGE_SESSIONS_PER_USER": "1000",
        }
        async with talking(world, folder, variables, talks) as server:
            await asyncio.sleep(seconds / 4)
            postgres.stop()
            gone = time.monotonic()
            await asyncio.sleep(seconds)
            started = time.monotonic()
            postgres.start()
            drained, cut = await _caught_up(world, server, url), world.cut
            world.up.clear()
            assert await server.terminate() == 0
        async with process(folder, **variables) as world.server:
            await check(world)
    return Away(world, gone, started, drained, cut)


async def _caught_up(world: World, server: Process, url: str) -> float:
    """Until all is in the store and nothing is still to be run: asked for there, not to burden the server."""
    began, promised = time.monotonic(), set(world.promised)
    await server.logged("store_back", seconds=60)
    async with asyncio.timeout(60):
        connection = await asyncpg.connect(url)
        while await connection.fetchval("SELECT count(*) FROM noted_calls"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        drained = time.monotonic() - began
        await connection.close()
    assert promised <= {str(goal["statement"]) for goal in await items(server.http, "/api/v1/goals")}
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
