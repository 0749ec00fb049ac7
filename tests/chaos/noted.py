"""A server that is killed again and again while it runs what was noted when its store was away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tests.chaos.checker import check
from tests.chaos.drains import whole
from tests.chaos.figures import Figure, Scenario
from tests.chaos.servers import server
from tests.chaos.world import World
from tests.support.client import items
from tests.support.postgres import PostgresServer, temporary_postgres

WAIT_SECONDS = 30.0
AT_THE_END = 0.01
"""Longest time between the last step of a transaction and the end of the server, in seconds."""
PLACES = {
    "before its first effect": "LOCK TABLE goals IN SHARE ROW EXCLUSIVE MODE",
    "with its effects, without their outcomes": "LOCK TABLE function_calls IN SHARE ROW EXCLUSIVE MODE",
    "without its results": "SELECT FROM entries FOR UPDATE",
    "with all but the end of its notes": "SELECT FROM noted_calls FOR UPDATE",
}
"""How far a transaction of noted calls comes → what keeps it from going on."""
LONG_TALKS, LONG_CALLS = 60, 15
"""A session may make 60 calls a minute, those before PostgreSQL stops included."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A transaction of somebody else's that holds what others need."""

    connection: asyncpg.Connection[asyncpg.Record]
    """Not the holder's: in a transaction PostgreSQL says for ever what it said of others at first."""
    holder: int
    """The process of PostgreSQL that has the transaction."""
    transaction: asyncpg.transaction.Transaction

    async def meets(self) -> None:
        """Until somebody waits for it to end."""
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))"
        async with asyncio.timeout(WAIT_SECONDS):
            while not await self.connection.fetchval(waiting, self.holder):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def vanish(self) -> None:
        await self.transaction.rollback()


@asynccontextmanager
async def obstacle(url: str, statement: str, *arguments: object) -> AsyncIterator[Obstacle]:
    """Holds what that statement locks while the block lasts, or until it vanishes."""
    connection, watching = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(statement, *arguments)
        yield Obstacle(watching, connection.get_server_pid(), transaction)
    finally:
        await connection.close()
        await watching.close()


async def noted(
    folder: Path, *, seed: int, talks: int, calls: int, postgres: PostgresServer, url: str
) -> tuple[World, int]:
    """So many talks, so many calls of each noted; the server killed at each place of the transactions that
    run them, and at about their end, once a talk. Then all is checked. Also how many calls were noted.
    """
    async with whole(seed) as (world, variables):
        variables["DATABASE_URL"] = url
        async with asyncio.TaskGroup() as group:
            async with server(folder, variables) as world.server:
                world.up.set()
                for _ in range(talks):
                    group.create_task(world.person())
                await _promised(world, talks)
                postgres.stop()
                await _promised(world, talks * calls)
                world.up.clear()
                await world.server.kill()
            postgres.start()
            many = await _stopped_at_each_place(world, folder, variables)
            for _ in range(talks):
                if waiting := await _conversations(url):
                    await _stopped_at_the_end(world, folder, variables, waiting[0])
            world.over.set()
            world.up.set()
        async with server(folder, variables) as world.server:
            await _all_run(url)
            await check(world)
            await _check_results(world)
    return world, many


async def _promised(world: World, more: int) -> None:
    enough = len(world.promised) + more
    async with asyncio.timeout(WAIT_SECONDS):
        while len(world.promised) < enough:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _stopped_at_each_place(world: World, folder: Path, variables: dict[str, str]) -> int:
    """Nothing of what they did stays. How many calls there are to be run."""
    url = variables["DATABASE_URL"]
    found = []
    for lock in PLACES.values():
        async with obstacle(url, lock) as wall:
            async with server(folder, variables) as world.server:
                await wall.meets()
                await world.server.kill()
            await _break_off(url)
            found.append(await _notes_and_goals(url))
    kept = len({goals for _, goals in found}) > 1 or sorted(found) != found
    assert not kept, f"seed {world.seed}: something was kept of what was broken off: {found}"
    return found[-1][0]


async def _stopped_at_the_end(
    world: World, folder: Path, variables: dict[str, str], conversation: str
) -> None:
    """The server is killed just when it ends what it ran for that conversation; or a little later."""
    url = variables["DATABASE_URL"]
    mine, others = (
        f"SELECT FROM noted_calls WHERE conversation_id {which} $1 FOR UPDATE" for which in ("=", "<>")
    )
    async with obstacle(url, mine, conversation) as wall, obstacle(url, others, conversation):
        async with server(folder, variables) as world.server:
            await wall.meets()
            await wall.vanish()
            await asyncio.sleep(world.random.uniform(0, AT_THE_END))
            await world.server.kill()
        await _break_off(url)


async def _break_off(url: str) -> None:
    """PostgreSQL notices that those who wait are gone."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND application_name = 'voice-bridge' AND datname = current_database()"
    )
    await connection.close()


async def _notes_and_goals(url: str) -> tuple[int, int]:
    connection = await asyncpg.connect(url)
    notes, goals = [await connection.fetchval(f"SELECT count(*) FROM {x}") for x in ("noted_calls", "goals")]
    await connection.close()
    return int(notes), int(goals)


async def _conversations(url: str) -> list[str]:
    """Those that have something to be run, in the order in which it is."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        "SELECT conversation_id FROM noted_calls JOIN entries USING (conversation_id)"
        " WHERE entries.epoch = call_epoch AND entries.idx = call_idx GROUP BY 1 ORDER BY min(at)"
    )
    await connection.close()
    return [row["conversation_id"] for row in rows]


async def _all_run(url: str) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while (await _notes_and_goals(url))[0]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def _check_results(world: World) -> None:
    """No result is still one that is to come."""
    assert world.server
    for conversation, owner in world.owner.items():
        path, after = f"/api/v1/conversations/{conversation}/messages?limit=200", ""
        while page := await items(world.server.http, path + after, world.users[owner]):
            waiting = [entry for entry in page if entry.get("status") == "noted"]
            assert not waiting, f"seed {world.seed}: not run: {waiting}"
            after = f"&after={page[-1]['cursor']}"


async def _long(folder: Path, seed: int) -> Sequence[Figure]:
    with temporary_postgres() as postgres:
        world, many = await noted(
            folder,
            seed=seed,
            talks=LONG_TALKS,
            calls=LONG_CALLS,
            postgres=postgres,
            url=postgres.url("postgres"),
        )
    return [
        Figure(
            f"killed {len(PLACES) + LONG_TALKS} times while {many} noted calls are run",
            "0 effects missing or twice",
            f"0 of {len(world.promised)}",
            many >= LONG_TALKS * LONG_CALLS / 2,
        )
    ]


SCENARIO = Scenario("noted", "The server killed while it runs what was noted.", 2, _long)
