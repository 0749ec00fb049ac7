"""A server that is killed again and again in the middle of talks."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.chaos.figures import Figure, Scenario
from tests.chaos.world import World, check
from tests.support.bridge import process
from tests.support.deepgram import ScriptedDeepgram

LONGEST_LIFE = 1.5
"""Seconds; some lives are so short that nobody is served in them."""
LONG_KILLS, LONG_TALKS = 200, 100


async def killed(folder: Path, *, seed: int, kills: int, talks: int) -> World:
    """So many talks, the server killed so often under them; then what was seen and promised is checked."""
    world = World(seed, pace=0.01 * talks)
    async with ScriptedDeepgram(key=None, script=world.agent) as deepgram:
        variables = {"DEEPGRAM_AGENT_URL": deepgram.url, "BRIDGE_SESSIONS_PER_USER": "1000"}
        async with asyncio.TaskGroup() as group:
            for _ in range(talks):
                group.create_task(world.person())
            for _ in range(kills):
                async with process(folder, **variables) as world.server:
                    world.up.set()
                    await asyncio.sleep(world.random.uniform(0.0, LONGEST_LIFE))
                    world.up.clear()
                    await world.server.kill()
            world.over.set()
            world.up.set()
        async with process(folder, **variables) as world.server:
            await check(world)
    return world


async def _long(folder: Path, seed: int) -> list[Figure]:
    world = await killed(folder, seed=seed, kills=LONG_KILLS, talks=LONG_TALKS)
    seen = sum(map(len, world.seen.values()))
    return [
        Figure(
            f"SIGKILL at random instants, {LONG_KILLS} times, {world.cut} calls cut",
            "0 lost, 0 doubled, 0 holes, 0 effects missing or twice",
            f"0 of {seen} entries and {len(world.promised)} effects",
        )
    ]


SCENARIO = Scenario("kills", f"{LONG_TALKS} talks, {LONG_KILLS} kills.", 10, _long)
