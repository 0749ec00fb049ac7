"""Lines on which nothing comes any more and nobody says so: how soon the bridge notices, at both its ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.figures import Figure, Scenario
from tests.chaos.lines import Lines, whole
from tests.support.bridge import Process
from tests.support.client import client, start

NOTICED_SECONDS = 10.0
"""Aim."""
PING_SECONDS = 5.0
"""The lines fall silent at any time between two pings of the bridge."""
WAIT_SECONDS = 30.0
LONG_TALKS = 20


async def half_open(folder: Path, *, seed: int, talks: int) -> tuple[list[float], list[float]]:
    """So many such lines of clients, and of agents: seconds until each is noticed."""
    world, opening = Lines(seed), asyncio.Lock()
    async with whole(folder, world, {"BRIDGE_SESSIONS_PER_USER": "1000"}), asyncio.TaskGroup() as group:
        near = [group.create_task(_client_silent(world, opening)) for _ in range(talks)]
        far = [group.create_task(_agent_silent(world, opening)) for _ in range(talks)]
    return [each.result() for each in near], [each.result() for each in far]


async def _client_silent(world: Lines, opening: asyncio.Lock) -> float:
    """It is noticed by the bridge, and the client may come back to its session."""
    assert world.server
    begun = await start(world.server.http)
    url = f"ws://{world.near.address}/v1/agent/converse"
    async with client(url, token=str(begun["token"])) as talker:
        async with opening:
            await talker.settle()
        ready = await talker.expect("BridgeReady")
        await asyncio.sleep(world.random.uniform(0, PING_SECONDS))
        world.near.connection(talker.socket.local_address[1]).blackhole()
        silent_since = time.monotonic()
        await _left(world.server, str(begun["session_id"]))
        seconds = time.monotonic() - silent_since
    async with client(url, token=str(ready["resume_token"])) as talker:
        await talker.settle()
        assert (await talker.expect("BridgeReady"))["session_id"] == begun["session_id"]
    return seconds


async def _left(server: Process, session: str) -> None:
    def told() -> bool:
        return any(line["event"] == "client_left" and line["session_id"] == session for line in server.lines)

    async with asyncio.timeout(WAIT_SECONDS):
        while not told():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def _agent_silent(world: Lines, opening: asyncio.Lock) -> float:
    """It is noticed by the bridge, and another agent is there."""
    assert world.server
    begun = await start(world.server.http)
    async with client(world.server.ws, token=str(begun["token"])) as talker:
        async with opening:  # so that the newest line is that of this agent
            await talker.settle()
            line = world.far.connections[-1]
        await asyncio.sleep(world.random.uniform(0, PING_SECONDS))
        line.blackhole()
        silent_since = time.monotonic()
        await talker.expect("Warning", lambda x: x["code"] == "BRIDGE_UPSTREAM_LOST", seconds=WAIT_SECONDS)
        seconds = time.monotonic() - silent_since
        await talker.expect("Warning", lambda x: x["code"] == "BRIDGE_UPSTREAM_RESUMED")
    return seconds


async def _long(folder: Path, seed: int) -> Sequence[Figure]:
    near, far = await half_open(folder, seed=seed, talks=LONG_TALKS)
    return [
        Figure(
            f"half-open line, {len(near)} of clients, {len(far)} of agents",
            "noticed in ≤ 10 s",
            f"≤ {max(near):.1f} s, ≤ {max(far):.1f} s",
            round(max(near + far), 1) <= NOTICED_SECONDS,
        )
    ]


SCENARIO = Scenario("half-open", "Lines of clients and agents that fall silent.", 0.5, _long)
