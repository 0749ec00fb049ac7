"""The same call from two processes at once, and two servers that take a conversation from each other."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import orjson
from websockets.exceptions import WebSocketException

from persistence.record import open_record
from tests.chaos.checker import check
from tests.chaos.drains import whole
from tests.chaos.figures import Figure, Scenario, percentile
from tests.chaos.servers import server
from tests.chaos.world import World
from tests.persistence.build import USER, begun
from tests.support.bridge import Process
from tests.support.client import TurnedAway
from tests.support.postgres import temporary_postgres

TOLD_SECONDS = 0.1
"""Aim: how soon an owner knows that there is a newer one."""
LONG_CALLS, LONG_TAKEOVERS, TALKS = 5000, 1000, 10


@dataclass(frozen=True, slots=True)
class Prize:
    """A conversation that its user wants at several places."""

    conversation: str
    user: str
    held: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody talks in it."""

    def __post_init__(self) -> None:
        self.held.set()


async def doubled(folder: Path, *, url: str, calls: int) -> None:
    """Two processes that run the same calls as fast as they can: each call has one effect and one answer."""
    async with open_record(url, folder / "own") as record:
        claim = await begun(record)
        left, right = await _race(
            [
                ("tests.persistence.racer", url, str(folder / name), claim.conversation.id, name, str(calls))
                for name in ("left", "right")
            ]
        )
        assert left == right
        assert len(left) == calls
        goals, tasks = await record.store.goals(USER), await record.store.tasks(USER)
    assert sorted(goal.id for goal in goals) == sorted(left[0::2])
    assert sorted(task.id for task in tasks) == sorted(left[1::2])


async def _race(modules: Sequence[Sequence[str]]) -> list[Any]:
    """Run these side by side, all from the same moment; what each of them said."""
    racers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *words), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for words in modules
    ]
    for racer in racers:
        assert racer.stdout
        assert await racer.stdout.readline() == b"ready\n"
    said = await asyncio.gather(*[racer.communicate(b"go\n") for racer in racers])
    return [orjson.loads(output) for output, _ in said]


async def taken(folder: Path, *, url: str, takeovers: int) -> int:
    """Two processes take conversations from each other: each time one owns it, and only the newest acts.

    Returns how often somebody was too late.
    """
    async with open_record(url, folder / "own") as record:
        prizes = [(await begun(record)).conversation.id for _ in range(TALKS)]
        mine, theirs = await _race(
            [
                ("tests.chaos.taker", url, str(folder / name), name, str(takeovers // 2), *prizes)
                for name in ("left", "right")
            ]
        )
        owners = sorted((conversation, epoch) for conversation, epoch, _ in mine + theirs)
        each = takeovers // TALKS
        assert owners == sorted((prize, epoch) for prize in prizes for epoch in range(2, each + 2))
        acted = {f"{conversation} {epoch}": goal for conversation, epoch, goal in mine + theirs if goal}
        made = {goal.statement: goal.id for goal in await record.store.goals(USER)}
        assert made == acted
        return len(owners) - len(acted)


async def fought_over(folder: Path, *, seed: int, url: str, takeovers: int) -> World:
    """Conversations at two servers that people take from each other, in the middle of calls."""
    async with whole(seed, pace=1.0) as (world, variables):
        variables["DATABASE_URL"] = url
        async with server(folder / "a", variables) as one, server(folder / "b", variables) as other:
            world.server = one
            async with asyncio.TaskGroup() as group:
                prizes = [await _prize(world, one) for _ in range(TALKS)]
                for prize in prizes:
                    for place in (one, other, other):
                        group.create_task(_fight(world, place, prize))
                while len(world.taken_over) < takeovers:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
                world.over.set()
                for prize in prizes:
                    prize.held.set()
        async with server(folder / "a", variables) as world.server:
            await check(world)
    return world


async def _prize(world: World, place: Process) -> Prize:
    user = next(world.turn_of)
    return Prize(str((await world.begin(place, user))["conversation_id"]), user)


async def _fight(world: World, place: Process, prize: Prize) -> None:
    """Take it whenever somebody has it."""
    while not world.over.is_set():
        await prize.held.wait()
        await asyncio.sleep(world.random.uniform(0, 0.2))
        prize.held.clear()
        try:
            await world.visit(place, prize.conversation, settled=prize.held.set, user=prize.user)
        except (OSError, WebSocketException, httpx2.HTTPError, TurnedAway):
            prize.held.set()


async def _long(folder: Path, seed: int) -> Sequence[Figure]:
    with temporary_postgres() as postgres:
        url = postgres.url("postgres")
        await doubled(folder / "doubled", url=url, calls=LONG_CALLS)
        late = await taken(folder / "taken", url=url, takeovers=LONG_TAKEOVERS)
        world = await fought_over(folder / "fought", seed=seed, url=url, takeovers=LONG_TAKEOVERS)
    told = percentile([one.seconds for one in world.taken_over], 0.95)
    return [
        Figure(
            f"{2 * LONG_CALLS} duplicate calls from two processes", "one effect, one answer each", "0 doubled"
        ),
        Figure(
            f"{LONG_TAKEOVERS} take-over races of two processes",
            "one owner an epoch, only the newest acts",
            f"0 wrong, {late} too late",
        ),
        Figure(
            f"{LONG_TAKEOVERS} take-overs between two servers",
            f"the older owner told ≤ {TOLD_SECONDS * 1000:.0f} ms p95, 0 effects twice",
            f"{told * 1000:.0f} ms, 0 of {len(world.promised)} effects",
            told <= TOLD_SECONDS,
        ),
    ]


SCENARIO = Scenario("doubles", "The same calls twice, conversations at two servers.", 4, _long)
