"""A server that is killed again and again in the middle of talks."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from tests.chaos.figures import Figure, Scenario
from tests.chaos.world import World, check
from tests.support.bridge import process
from tests.support.deepgram import ScriptedDeepgram
from tests.support.issuer import issuing

USERS = ("ada", "bob", "eve")
"""Their talks go on side by side."""
LONGEST_TALK = 1.0
"""Seconds for which the talks go on, once they have all begun."""
STILLBORN = 0.1
"""Share of the lives that end while the talks begin, or before."""
BEGIN_SECONDS = 60.0
"""How long a hundred talks may take to begin, on a busy machine."""
LONG_KILLS, LONG_TALKS = 200, 100


async def killed(folder: Path, *, seed: int, kills: int, talks: int) -> World:
    """So many talks, the server killed so often under them; then what was seen and promised is checked."""
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(issuing())
        world = World(seed, pace=0.01 * talks, users={name: issuer.token(name) for name in USERS})
        deepgram = await stack.enter_async_context(ScriptedDeepgram(key=None, script=world.agent))
        variables = {
            "DEEPGRAM_AGENT_URL": deepgram.url,
            "BRIDGE_SESSIONS_PER_USER": "1000",
            **issuer.variables,
        }
        async with asyncio.TaskGroup() as group:
            for _ in range(talks):
                group.create_task(world.person())
            for _ in range(kills):
                async with process(folder, **variables) as world.server:
                    world.up.set()
                    if world.random.random() >= STILLBORN:
                        await _begun(world, world.settled + talks)
                    await asyncio.sleep(world.random.uniform(0.0, LONGEST_TALK))
                    world.up.clear()
                    await world.server.kill()
            world.over.set()
            world.up.set()
        async with process(folder, **variables) as world.server:
            await check(world)
    return world


async def _begun(world: World, settled: int) -> None:
    async with asyncio.timeout(BEGIN_SECONDS):
        while world.settled < settled:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def made_progress(world: World, kills: int, talks: int) -> bool:
    """Most kills cut off most talks: a run in which everything failed proves nothing."""
    return world.cut >= 0.8 * kills * talks and len(world.promised) >= world.cut / 2


async def _long(folder: Path, seed: int) -> list[Figure]:
    world = await killed(folder, seed=seed, kills=LONG_KILLS, talks=LONG_TALKS)
    seen = sum(map(len, world.seen.values()))
    return [
        Figure(
            f"SIGKILL at random instants, {LONG_KILLS} times, {world.cut} calls cut",
            "0 lost, 0 doubled, 0 holes, 0 effects missing or twice",
            f"0 of {seen} entries and {len(world.promised)} effects",
            made_progress(world, LONG_KILLS, LONG_TALKS),
        )
    ]


SCENARIO = Scenario("kills", f"{LONG_TALKS} talks, {LONG_KILLS} kills.", 10, _long)
