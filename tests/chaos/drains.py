"""A server that is stopped, and workers that are renewed, under talks: no turn is cut off."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.chaos.checker import check, entries
from tests.chaos.figures import Figure, Scenario
from tests.chaos.servers import server
from tests.chaos.world import World, several
from tests.support.bridge import Process
from tests.support.deepgram import ScriptedDeepgram
from tests.support.postgres import temporary_postgres

TURN_SECONDS = 2.0
"""Longest time the agent thinks in the middle of a turn."""
WORKERS = 4
SPEAKING = 10
"""Talks that send sound: enough to measure, few enough for the measuring to be quick."""
LONG_TALKS, LONG_DRAINS, ROLLED_TALKS, ROLLS = 200, 5, 60, 3


async def drained(folder: Path, *, seed: int, talks: int) -> tuple[World, float]:
    """So many talks, each in a turn or between two, when SIGTERM comes; how long the server took to end."""
    async with whole(seed, think=TURN_SECONDS) as (world, variables):
        async with talking(world, folder, variables, talks) as running:
            world.up.clear()
            began = time.monotonic()
            assert await running.terminate() == 0
            seconds = time.monotonic() - began
        async with server(folder, variables) as world.server:
            await check(world)
            await check_turns(world)
    return world, seconds


async def rolled(folder: Path, *, seed: int, talks: int, rolls: int, url: str) -> World:
    """So many talks at four workers that are all renewed so often: everybody goes on at another one."""
    async with whole(seed, think=TURN_SECONDS / 4) as (world, variables):
        variables |= {"DATABASE_URL": url, "BRIDGE_WORKERS": str(WORKERS)}
        async with talking(world, folder, variables, talks) as running:
            for done in range(1, rolls + 1):
                running.process.send_signal(signal.SIGHUP)
                await _ready(running, WORKERS * (done + 1))
                await asyncio.sleep(1)
            world.up.clear()
            assert await running.terminate() == 0
        async with server(folder, variables) as world.server:
            await check(world)
            await check_turns(world)
    return world


@asynccontextmanager
async def whole(
    seed: int, *, think: float = 0.0, pace: float = World.pace
) -> AsyncIterator[tuple[World, dict[str, str]]]:
    """Several users and their agent, and the settings of a server between them."""
    async with AsyncExitStack() as stack:
        users, variables = await stack.enter_async_context(several())
        world = World(seed, users=users, think=think, pace=pace, speaking=SPEAKING)
        agent = ScriptedDeepgram(key=None, script=world.agent, remembers=False)
        variables["DEEPGRAM_AGENT_URL"] = (await stack.enter_async_context(agent)).url
        yield world, variables


@asynccontextmanager
async def talking(
    world: World, folder: Path, variables: Mapping[str, str], talks: int
) -> AsyncIterator[Process]:
    """A server at which so many people talk. If it was not stopped in the block they leave at its end."""
    async with server(folder, variables) as world.server, asyncio.TaskGroup() as group:
        world.up.set()
        for _ in range(talks):
            group.create_task(world.person())
        async with asyncio.timeout(60):
            while len(world.promised) < talks:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        yield world.server
        world.over.set()
        world.up.set()


async def check_turns(world: World) -> None:
    """In every conversation the last thing is an answer: nobody was cut off between question and answer."""
    for conversation in world.seen:
        lines = list((await entries(world, conversation)).values())
        last = lines[-1] if lines else "assistant: (nobody had said anything yet)"
        assert last.startswith("assistant: "), f"seed {world.seed}: {conversation} ends with {last}"


async def _ready(server: Process, workers: int) -> None:
    async with asyncio.timeout(120):
        while sum(line["event"] == "server_ready" for line in server.lines) < workers:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def _long(folder: Path, seed: int) -> list[Figure]:
    seconds = []
    for n in range(LONG_DRAINS):
        _, took = await drained(folder / str(n), seed=seed + n, talks=LONG_TALKS)
        seconds.append(took)
    with temporary_postgres() as postgres:
        world = await rolled(
            folder / "rolled", seed=seed, talks=ROLLED_TALKS, rolls=ROLLS, url=postgres.url("postgres")
        )
    return [
        Figure(
            f"SIGTERM under {LONG_TALKS} calls, {LONG_DRAINS} times",
            "0 cut turns",
            f"0 cut; at most {max(seconds):.1f} s, of which a turn lasts up to {TURN_SECONDS:.0f}",
        ),
        Figure(
            f"{WORKERS} workers renewed {ROLLS} times under {ROLLED_TALKS} calls",
            "0 cut turns, 0 failed after one retry",
            f"0 cut; {world.cut} moved, {world.failed} failed",
            world.failed == 0,
        ),
    ]


SCENARIO = Scenario("drains", f"{LONG_TALKS} talks, SIGTERM; then workers renewed.", 4, _long)
