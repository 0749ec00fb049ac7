"""A server that is killed again and again in the middle of talks."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.chaos.world import World, check
from tests.support.bridge import process
from tests.support.deepgram import ScriptedDeepgram


async def killed(folder: Path, *, seed: int, kills: int, talks: int) -> World:
    """So many talks, the server killed so often under them; then what was seen and promised is checked."""
    world = World(seed)
    async with ScriptedDeepgram(key=None, script=world.agent) as deepgram:
        variables = {"DEEPGRAM_AGENT_URL": deepgram.url, "BRIDGE_SESSIONS_PER_USER": "1000"}
        async with asyncio.TaskGroup() as group:
            for _ in range(talks):
                group.create_task(world.person())
            for _ in range(kills):
                async with process(folder, **variables) as world.server:
                    world.up.set()
                    await asyncio.sleep(world.random.uniform(0.5, 2.0))
                    world.up.clear()
                    await world.server.kill()
            world.over.set()
            world.up.set()
        async with process(folder, **variables) as world.server:
            await check(world)
    return world
