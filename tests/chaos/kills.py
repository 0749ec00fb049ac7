"""A server that is killed again and again in the middle of talks."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.checker import check
from tests.chaos.figures import Figure, Scenario
from tests.chaos.servers import server
from tests.chaos.world import World, several
from tests.support.deepgram import ScriptedDeepgram

LONGEST_TALK = 0.4
"""Seconds for which the talks go on, once they have all begun."""
STILLBORN = 0.1
"""Share of the lives that end while the talks begin, or before."""
ANEW = 0.1
"""Share of those who were cut off that begin another conversation."""
SPEAKING = 3
BEGIN_SECONDS = 60.0
"""How long a hundred talks may take to begin, on a busy machine."""
MOVED = 0.95
"""Aim: of the talks in lives that were given time to begin, those that were shown something new."""
LONG_KILLS, LONG_TALKS = 200, 100


@dataclass(frozen=True, slots=True)
class Killed:
    """What came of it."""

    world: World
    talks: int
    given_time: list[int] = field(default_factory=list)
    """Process ids of the servers under which all talks could begin; the others were to be killed before."""

    @property
    def moved(self) -> float:
        """Share of the talks in those lives that were shown something new and then cut off."""
        return sum(self.world.moved[pid] for pid in self.given_time) / (len(self.given_time) * self.talks)

    @property
    def made_progress(self) -> bool:
        """A run in which everything failed proves nothing. At least one effect was promised in two talks."""
        return self.moved >= MOVED and len(self.world.promised) >= self.world.cut / 2


async def killed(folder: Path, *, seed: int, kills: int, talks: int) -> Killed:
    """So many talks, the server killed so often under them; then what was seen and promised is checked."""
    async with AsyncExitStack() as stack:
        users, variables = await stack.enter_async_context(several())
        world = World(seed, pace=0.03 * talks, users=users, anew=ANEW, speaking=SPEAKING)
        agent = ScriptedDeepgram(key=None, script=world.agent, remembers=False)
        variables["DEEPGRAM_AGENT_URL"] = (await stack.enter_async_context(agent)).url
        found = Killed(world, talks)
        async with asyncio.TaskGroup() as group:
            people = [group.create_task(world.person()) for _ in range(talks)]
            for _ in range(kills):
                async with server(folder, variables) as world.server:
                    await _live(found)
                    await world.server.kill()
            async with server(folder, variables) as world.server:
                world.up.set()
                await _begun(found)
                world.over.set()
                await asyncio.wait(people)
                await check(world)
    return found


async def _live(found: Killed) -> None:
    """One life of the server, up to its end."""
    world = found.world
    assert world.server
    world.up.set()
    if world.random.random() >= STILLBORN:
        found.given_time.append(world.server.process.pid)
        await _begun(found)
    await asyncio.sleep(world.random.uniform(0.0, LONGEST_TALK))
    world.up.clear()


async def _begun(found: Killed) -> None:
    """Until everybody has come back."""
    enough = found.world.settled + found.talks
    async with asyncio.timeout(BEGIN_SECONDS):
        while found.world.settled < enough:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def _long(folder: Path, seed: int) -> list[Figure]:
    found = await killed(folder, seed=seed, kills=LONG_KILLS, talks=LONG_TALKS)
    world = found.world
    return [
        Figure(
            f"SIGKILL at random instants, {LONG_KILLS} times, {world.cut} calls cut",
            "0 lost, 0 doubled, 0 holes, 0 effects missing or twice",
            f"0 of {sum(map(len, world.seen.values()))} entries and {len(world.promised)} effects; "
            f"{found.moved:.1%} of the calls had gone on",
            found.made_progress,
        )
    ]


SCENARIO = Scenario("kills", f"{LONG_TALKS} talks, {LONG_KILLS} kills.", 12, _long)
