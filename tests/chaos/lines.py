"""Lines that are slow, silent, cut off or reset, between clients, bridge and agent: everybody goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx2
from websockets.exceptions import InvalidStatus, WebSocketException

from tests.chaos.checker import check, entries
from tests.chaos.figures import Figure, Scenario, percentile
from tests.chaos.servers import server
from tests.chaos.sound import voices
from tests.chaos.world import World, last_seen, place, several
from tests.support.client import Client, Frame, TurnedAway, client
from tests.support.deepgram import PATH, DeepgramSession, Script, ScriptedDeepgram
from tests.support.proxy import Connection, Proxy, proxy

BACK_SECONDS = 0.3
"""Aim: from the loss of a client's line until it is in the talk again, p95."""
SILENT_SECONDS = 2.0
"""Longest time for which a line stands still and then goes on."""
CUT_BYTES = 3000
"""Most that still goes through before a line is cut off: in the middle of a handshake, a frame, a turn."""
WAIT_SECONDS = 30.0
SPEAKING = 5
LONG_TALKS, LONG_FAULTS, LONG_DROPS, LONG_SECONDS = 30, 2000, 1000, 90.0


@dataclass(eq=False)
class Person:
    """Somebody who talks, and what they have been shown on all their sockets."""

    name: str
    user: str
    conversation: str = ""
    session: str = ""
    token: str = ""
    """To come with, or to come back with; empty = a new session is needed."""
    last: str | None = None
    """The newest entry they have seen."""
    lost_at: float | None = None
    """When their line was lost, on the monotonic clock."""
    noted: set[str] = field(default_factory=set)
    """Cursors of results that said that it would be done later."""
    wrong: list[str] = field(default_factory=list)
    """What they should not have been sent."""
    done: bool = False

    def take(self, frame: Frame) -> None:
        """Something comes: the token to come back with, or an entry, newer than all before."""
        entry = frame.get("entry", frame)
        assert isinstance(entry, dict)
        if frame["type"] == "BridgeReady":
            self.token = str(frame["resume_token"])
            if frame["session_id"] != self.session or not frame["recovered"]:
                self.wrong.append(f"another session, or not where it stopped: {frame}")
        elif "cursor" in entry:
            self._see(str(entry["cursor"]), entry)

    def _see(self, cursor: str, entry: Frame) -> None:
        """What was noted is shown once more when it was run; nothing else is."""
        if self.last is None or place(cursor) > place(self.last):
            self.last = cursor
        elif cursor not in self.noted:
            self.wrong.append(f"shown again: {entry}")
        self.noted.discard(cursor)
        if entry.get("status") == "noted":
            self.noted.add(cursor)


@dataclass(eq=False)
class Lines(World):
    """The talks, and the lines they go over."""

    near: Proxy = field(default_factory=lambda: Proxy(0))
    """Between clients and bridge."""
    far: Proxy = field(default_factory=lambda: Proxy(0))
    """Between bridge and agent."""
    people: list[Person] = field(default_factory=list)
    faults: int = 0
    joined: set[int] = field(default_factory=set)
    """Ports of the clients that are in the talk."""
    resets: dict[int, float] = field(default_factory=dict)
    """Port of a client → when its line was reset."""
    back: list[float] = field(default_factory=list)
    """Seconds from the loss of a line until its client was in the talk again."""
    refused: int = 0
    """How often somebody could not come back to their session."""
    sessions: int = 0
    """How many the agent has had."""

    async def agent(self, session: DeepgramSession) -> None:
        """One that may be lost at any moment, while it waits for an answer too."""
        try:
            await super().agent(session)
        except* AssertionError:
            if session.close_code is None:
                raise

    async def talk_on(self, person: Person) -> None:
        """Talk until all is over, and come back to the same session whenever the line is lost."""
        self.people.append(person)
        while not person.done:
            try:
                if not person.token:
                    await self._begin(person)
                await self._join(person)
            except InvalidStatus:
                self.refused += 1
                person.token = ""
            except (OSError, WebSocketException, httpx2.HTTPError, TurnedAway):
                await asyncio.sleep(self.random.uniform(0, 0.02))

    async def _begin(self, person: Person) -> None:
        assert self.server
        begun = await self.begin(self.server, person.user, person.conversation or None)
        person.conversation, person.session = str(begun["conversation_id"]), str(begun["session_id"])
        person.token, person.lost_at = str(begun["token"]), None
        person.last = last_seen(begun)

    async def _join(self, person: Person) -> None:
        token = person.token
        if person.lost_at is None:
            person.token = ""  # it opens one handshake
        async with client(f"ws://{self.near.address}/v1/agent/converse", token=token) as talker:
            talker.on_frame = partial(self._taken, person)
            port = talker.socket.local_address[1]
            try:
                await talker.settle(cursor=person.last)
                if person.lost_at is not None:
                    self.back.append(time.monotonic() - person.lost_at)
                self.joined.add(port)
                cut = await self._is_cut(talker, person.conversation)
                self.cut += cut
                if not cut:
                    await self._say_goodbye(person, talker)
            finally:
                self.hearings.by_clients[person.conversation] |= voices(bytes(talker.sound))
                self.joined.discard(port)
                person.lost_at = self.resets.pop(port, time.monotonic())
                if talker.closed == 1000:
                    person.token = ""

    def _taken(self, person: Person, frame: Frame) -> None:
        """At once: more may come while a line that was lost is given up."""
        person.take(frame)
        self._note(person.conversation, [frame])

    async def _say_goodbye(self, person: Person, talker: Client) -> None:
        wish = f"last trick of {person.name}"
        await talker.send(type="InjectUserMessage", content=wish)
        await talker.expect(
            "ConversationText", lambda x: x["content"] == f"Done: {wish}.", seconds=WAIT_SECONDS
        )
        person.done = True

    async def trouble(
        self, count: int, seconds: float, ends: Sequence[Proxy], faults: Sequence[Fault]
    ) -> None:
        """So many faults in about so many seconds; afterwards all lines are whole."""
        async with asyncio.TaskGroup() as group:
            while self.faults < count:
                await asyncio.sleep(self.random.uniform(0, 2 * seconds / count))
                if lines := self.random.choice(ends).connections:
                    self.faults += 1
                    group.create_task(self.random.choice(faults)(self, self.random.choice(lines)))
        for end in ends:
            for line in end.connections:
                line.cut_after()


Fault = Callable[[Lines, Connection], Coroutine[object, object, None]]


async def slow(world: Lines, line: Connection) -> None:
    line.delay(world.random.uniform(0.01, 0.2))
    await asyncio.sleep(world.random.uniform(0, SILENT_SECONDS))
    line.delay(0)


async def silent(world: Lines, line: Connection) -> None:
    line.blackhole()
    await asyncio.sleep(world.random.uniform(0, SILENT_SECONDS))
    line.resume()


async def cut_off(world: Lines, line: Connection) -> None:
    size = world.random.randint(1, CUT_BYTES)
    line.cut_after(**{world.random.choice(("up", "down")): size})


async def reset(world: Lines, line: Connection) -> None:
    line.reset()


async def drop(world: Lines, line: Connection) -> None:
    """Reset the line of a client that is in the talk."""
    if line.port in world.joined:
        world.joined.discard(line.port)
        world.resets[line.port] = time.monotonic()
        line.reset()


async def troubled(folder: Path, *, seed: int, talks: int, faults: int, seconds: float) -> Lines:
    """So many talks, all faults on the lines at both ends; then what was seen and promised is checked."""
    async with _talking(folder, seed, talks, pace=0.5) as world:
        await world.trouble(faults, seconds, (world.near, world.far), (slow, silent, cut_off, reset))
    return world


async def dropped(folder: Path, *, seed: int, talks: int, drops: int, seconds: float) -> Lines:
    """So many talks, the clients' lines reset so often; nobody needs another session, or another agent."""
    async with _talking(folder, seed, talks, pace=0.2) as world:
        await world.trouble(drops, seconds, (world.near,), (drop,))
    assert world.refused == 0, f"seed {seed}: {world.refused} could not come back to their session"
    assert world.sessions == talks, f"seed {seed}: {world.sessions} agent sessions for {talks} talks"
    return world


@asynccontextmanager
async def whole(
    folder: Path, world: Lines, variables: Mapping[str, str], script: Script | None = None
) -> AsyncIterator[ScriptedDeepgram]:
    """Server, agent and the proxies between."""
    async with (
        ScriptedDeepgram(key=None, script=script, idle_seconds=60.0, remembers=False) as deepgram,
        proxy(int(deepgram.url.removesuffix(PATH).rpartition(":")[2])) as world.far,
        server(
            folder, {**variables, "DEEPGRAM_AGENT_URL": f"ws://{world.far.address}{PATH}"}
        ) as world.server,
        proxy(int(world.server.address.rpartition(":")[2])) as world.near,
    ):
        yield deepgram


@asynccontextmanager
async def _talking(folder: Path, seed: int, talks: int, *, pace: float) -> AsyncIterator[Lines]:
    """The whole, with so many talks that go on; when the block is left they end, and all is checked."""
    async with several() as (users, variables):
        world = Lines(seed, users=users, pace=pace, think=0.1, speaking=SPEAKING)
        async with whole(folder, world, variables, script=world.agent) as deepgram:
            async with asyncio.TaskGroup() as group:
                for number in range(talks):
                    group.create_task(world.talk_on(Person(str(number), next(world.turn_of))))
                yield world
                world.over.set()
            world.sessions = deepgram.opened
            await check(world)
            await check_people(world)


async def check_people(world: Lines) -> None:
    """Everybody was shown all there was until they left, and nothing twice."""
    for person in world.people:
        assert not person.wrong, f"seed {world.seed}: {person.wrong}"
        assert person.last
        stored = await entries(world, person.conversation)
        shown = world.seen[person.conversation]
        missed = [at for at in stored if place(at) <= place(person.last) and at not in shown]
        assert not missed, f"seed {world.seed}: {person.name} was not shown {missed}"


async def _long(folder: Path, seed: int) -> Sequence[Figure]:
    wild = await troubled(
        folder / "troubled", seed=seed, talks=LONG_TALKS, faults=LONG_FAULTS, seconds=LONG_SECONDS
    )
    world = await dropped(
        folder / "dropped", seed=seed, talks=LONG_TALKS, drops=LONG_DROPS, seconds=LONG_SECONDS
    )
    back = percentile(world.back, 0.95)
    return [
        Figure(
            f"lines slow, silent, cut off, reset: {wild.faults} faults on {LONG_TALKS} calls",
            "0 lost, 0 doubled, 0 holes, 0 effects missing or twice",
            f"0 of {sum(map(len, wild.seen.values()))} entries and {len(wild.promised)} effects",
        ),
        Figure(
            f"client dropped, {len(world.back)} times",
            "back in ≤ 300 ms p95, 0 missed lines",
            f"{back * 1000:.0f} ms, 0 of {sum(map(len, world.seen.values()))} missed",
            back <= BACK_SECONDS,
        ),
    ]


SCENARIO = Scenario("lines", "Lines that are slow, silent, cut off and reset.", 4, _long)
