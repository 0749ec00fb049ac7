"""An agent that is cut off at every event of a turn, in every way: the turn comes to its end all the same."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bridge.core.far import REOPEN_AFTER
from tests.chaos.checker import check
from tests.chaos.figures import Figure, Scenario, percentile
from tests.chaos.servers import server
from tests.chaos.sound import FRAME_BYTES, NUMBER, spoken, understood, voices
from tests.chaos.turns import ANSWER, PLACES, WAYS, Order, cut, turn
from tests.chaos.world import DONE, World, several
from tests.support.client import Client, client, items
from tests.support.deepgram import DeepgramSession, ScriptedDeepgram

BEFORE, MISSED = 10, 150
"""Frames of 20 ms that the user speaks before the turn, and while no agent is there: 3 s."""
AT_A_TIME = 6
"""Talks side by side."""
SECONDS = 30.0
"""Longest wait for anything."""
ADDED_SECONDS = 0.25
"""Aim: what the bridge adds to its first pause before it opens the agent again, p95."""
CUT_AGAIN = 0.2
"""Share of the talks in which the next agent is cut off too."""
LONG_ROUNDS = 5
FENCE = "and then?"
"""What the user types when the agent is back: all that it is asked by itself comes before."""


@dataclass(eq=False)
class Talk:
    """One talk whose agent is cut off once: where, how, and what came of it."""

    number: int
    order: Order
    place: str
    way: str
    at_once: bool
    """The agent is cut off before the bridge has shown the client what happened there."""
    twice: bool
    """The next agent is cut off as well, as soon as it is there."""
    said: asyncio.Event = field(default_factory=asyncio.Event)
    """The user has begun to speak."""
    talker: Client | None = None
    cut_at: float = 0.0
    """On the monotonic clock."""
    back_at: float = 0.0
    """When the next agent had its Settings."""
    known: list[str] = field(default_factory=list)
    """All that the next agent was told: its history, and what it was to say."""
    asked: list[str] = field(default_factory=list)
    """What it was asked again."""
    acted: bool = False
    """It called the function."""
    heard: list[int] = field(default_factory=list)
    """Numbers of the frames of sound it got, all of this talk."""

    @property
    def greeting(self) -> str:
        return f"hello {self.number}"

    @property
    def wish(self) -> str:
        return f"learn trick {self.number:04}"

    def __str__(self) -> str:
        when = "at once" if self.at_once else "when shown"
        where = f"cut after {self.place} {when} by {self.way}{', twice' if self.twice else ''}"
        return f"talk {self.number}, call {self.order.value}, {where}"


def matrix(world: Cuts, rounds: int) -> Iterator[Talk]:
    """Every event boundary × every way, so many times."""
    numbers = itertools.count(1)
    for _ in range(rounds):
        for order, places in PLACES.items():
            for place, way in itertools.product(places, WAYS):
                at_once, twice = (world.random.random() < share for share in (0.5, CUT_AGAIN))
                yield Talk(next(numbers), order, place, way, at_once, twice)


@dataclass(eq=False)
class Cuts(World):
    """The talks, by their greeting."""

    talks: dict[str, Talk] = field(default_factory=dict)
    added: list[float] = field(default_factory=list)
    """Seconds from each cut to the next agent, without the pause that is meant."""

    # ── the agent ───────────────────────────────────────────────────────────────────────────

    async def agent(self, session: DeepgramSession) -> None:
        """The first of a talk is cut off, the next one brings the turn to its end."""
        history = _history(session)
        if history:
            talk = self.talks[history[0]]
            session.voice = NUMBER.pack(talk.number)
            first, talk.back_at = not talk.back_at, talk.back_at or session.received[0].at
            if first and talk.twice:
                await cut(session, talk.way)
            else:
                await self._go_on(session, talk, history)
        else:
            greeting = str((await session.expect("InjectUserMessage", within=SECONDS))["content"])
            talk = self.talks[greeting]
            session.voice = NUMBER.pack(talk.number)
            await session.user_text(greeting)
            await session.say("Hello.", ms=20)
            await self._until_cut(session, talk)

    async def _until_cut(self, session: DeepgramSession, talk: Talk) -> None:
        await talk.said.wait()
        _numbers(talk, await session.expect_audio(BEFORE * FRAME_BYTES, within=SECONDS))
        async for place in turn(session, talk.wish, talk.order):
            if place == ANSWER:
                self._note_promise(session, talk)
            if place == talk.place:
                if not talk.at_once:
                    await _shown(talk, place)
                talk.cut_at = time.monotonic()
                await cut(session, talk.way)
                return

    async def _go_on(self, session: DeepgramSession, talk: Talk, history: Sequence[str]) -> None:
        talk.known = list(history)
        async for frame in session.frames():
            if isinstance(frame, bytes):
                talk.heard += _numbers(talk, frame)
            elif frame.get("type") == "InjectAgentMessage":
                talk.known.append(str(frame["message"]))
                await session.say(talk.known[-1], ms=20)
            elif frame.get("type") == "InjectUserMessage":
                await self._answer(session, talk, str(frame["content"]))

    async def _answer(self, session: DeepgramSession, talk: Talk, content: str) -> None:
        if content != FENCE:
            talk.asked.append(content)
            await session.user_text(content)
            await self._finish(session, talk)
        else:
            if talk.wish not in [*talk.known, *talk.asked]:  # the sound of it was held for this agent
                await session.hear(talk.wish, end_of_turn=True)
                await self._finish(session, talk)
            await session.user_text(content)
            await session.say("That is all.", ms=20)

    async def _finish(self, session: DeepgramSession, talk: Talk) -> None:
        if talk.order is not Order.NEVER:
            talk.acted = True
            call = await session.call("submit_goal_intent", goal_statement=talk.wish)
            await session.expect_answer(call, within=SECONDS)
            self._note_promise(session, talk)
        await session.say(f"Done: {talk.wish}.", ms=20)

    def _note_promise(self, session: DeepgramSession, talk: Talk) -> None:
        (asked,) = session.rules.asked.values()
        assert asked.content.startswith(DONE), f"{talk}: {asked.content}"
        self.promised.append(talk.wish)

    # ── the clients ─────────────────────────────────────────────────────────────────────────

    async def talk(self, talk: Talk) -> None:
        """Greet, speak, lose the agent, speak on, and ask for what comes then."""
        assert self.server
        self.talks[talk.greeting] = talk
        begun = await self.begin(self.server, next(self.turn_of))
        conversation = str(begun["conversation_id"])
        async with client(self.server.ws, token=str(begun["token"])) as talker:
            talk.talker = talker
            await talker.settle()
            await talker.send(type="InjectUserMessage", content=talk.greeting)
            await talker.expect("AgentAudioDone", seconds=SECONDS)
            await talker.expect_text("assistant", "Hello.")
            self._note(conversation, talker.frames)
            assert voices(bytes(talker.sound)) <= {talk.number}, talk
            talker.forget()
            await _speak(talker, talk, range(BEFORE))
            talk.said.set()
            await _warned(talker, "BRIDGE_UPSTREAM_LOST")
            await _speak(talker, talk, range(BEFORE, BEFORE + MISSED))
            await _warned(talker, "BRIDGE_UPSTREAM_RESUMED")
            await talker.send(type="InjectUserMessage", content=FENCE)
            await talker.expect_text("assistant", "That is all.")
            await talker.expect_sound(1)  # of whatever was said last; its text may be quicker
            self._note(conversation, talker.frames)
            await self._check(talk, talker, conversation)
        self.added.append(talk.back_at - talk.cut_at - REOPEN_AFTER[0])

    async def _check(self, talk: Talk, talker: Client, conversation: str) -> None:
        assert self.server
        assert talker.closed is None, talk
        said = [str(frame["content"]) for frame in talker.frames if frame.get("role") == "assistant"]
        assert any(talk.wish in line for line in said), f"{talk}: not answered, only {said}"
        assert talker.types().count("Warning") in (2, 2 + 2 * talk.twice), f"{talk}: {talker.types()}"
        assert "Error" not in talker.types(), talk
        assert voices(bytes(talker.sound)) == {talk.number}, talk
        _check_sound(talk)
        path = f"/api/v1/conversations/{conversation}/messages?limit=200"
        stored = await items(self.server.http, path, self.users[self.owner[conversation]])
        _check_record(talk, stored)


def _check_sound(talk: Talk) -> None:
    """The 3 s are whole and in order; of the turn that was not understood, what came before them as well."""
    if talk.place == "UserStartedSpeaking" and not talk.at_once:
        assert talk.heard == list(range(BEFORE + MISSED)), f"{talk}: {talk.heard}"
    else:
        missed = list(range(talk.heard[0], BEFORE + MISSED))
        assert talk.heard[0] <= BEFORE, f"{talk}: {talk.heard}"
        assert talk.heard == missed, f"{talk}: {talk.heard}"


def _check_record(talk: Talk, stored: Sequence[dict[str, object]]) -> None:
    """The user's line is there once, what was wished was done once, and the next agent knows."""
    lines = [entry["content"] for entry in stored if entry.get("role") == "user"]
    assert lines == [talk.greeting, talk.wish, FENCE], f"{talk}: {lines}"
    done = [entry for entry in stored if entry["kind"] == "result" and entry["status"] == "done"]
    assert len(done) == (talk.order is not Order.NEVER), f"{talk}: done {len(done)} times"
    if done and not talk.acted:
        about = [line for line in talk.known if talk.wish in line and line != talk.wish]
        assert about, f"{talk}: the next agent knows only {talk.known}"
    assert talk.asked in ([], [talk.wish]), f"{talk}: asked {talk.asked}"


def _history(session: DeepgramSession) -> list[str]:
    """The lines, and what came of the calls, that an agent is given."""
    agent = session.settings["agent"]
    assert isinstance(agent, dict)
    told: list[str] = []
    for message in agent.get("context", {}).get("messages", []):
        if "function_calls" in message:
            told += [str(call["response"]) for call in message["function_calls"]]
        else:
            told.append(str(message["content"]))
    return told


async def _shown(talk: Talk, place: str) -> None:
    """The client has what happened there."""
    assert talk.talker
    match place:
        case "nothing":
            pass
        case "user" | "assistant":
            await talk.talker.expect_text(place, talk.wish)
        case "sound":
            await talk.talker.expect_sound(2)
        case kind:
            await talk.talker.expect(kind, seconds=SECONDS)


async def _speak(talker: Client, talk: Talk, numbers: Sequence[int]) -> None:
    """Frames that tell whose they are, and their number in place of their time."""
    for number in numbers:
        await talker.socket.send(spoken(talk.number, number))


def _numbers(talk: Talk, sound: bytes) -> list[int]:
    """Of the frames that are in there, all of them that talk's."""
    frames = list(understood(sound))
    assert {talker for talker, _ in frames} <= {talk.number}, f"{talk}: heard {frames}"
    return [int(number) for _, number in frames]


async def _warned(talker: Client, code: str) -> None:
    await talker.expect("Warning", lambda warning: warning["code"] == code, seconds=SECONDS)


async def cut_off(folder: Path, *, seed: int, rounds: int) -> Cuts:
    """All talks of the matrix, side by side at one server; then the record is checked."""
    room = asyncio.Semaphore(AT_A_TIME)

    async def one(talk: Talk) -> None:
        async with room:
            await world.talk(talk)

    async with several() as (users, variables):
        world = Cuts(seed, users=users)
        async with ScriptedDeepgram(key=None, script=world.agent, remembers=False) as deepgram:
            variables["DEEPGRAM_AGENT_URL"] = deepgram.url
            async with server(folder, variables) as world.server:
                async with asyncio.TaskGroup() as group:
                    for talk in matrix(world, rounds):
                        group.create_task(one(talk))
                await check(world)
    return world


async def _long(folder: Path, seed: int) -> Sequence[Figure]:
    world = await cut_off(folder, seed=seed, rounds=LONG_ROUNDS)
    added = percentile(world.added, 0.95)
    return [
        Figure(
            f"agent dropped in mid-turn, {len(world.added)} times, at every event, in {len(WAYS)} ways",
            "bridge adds ≤ 250 ms p95; ≤ 3 s of sound not lost; the agent knows what it did",
            f"{added * 1000:.0f} ms; 0 frames lost; {len(world.promised)} effects known, 0 missing or twice",
            added <= ADDED_SECONDS,
        )
    ]


SCENARIO = Scenario("agents", "The agent cut off at every event of a turn, in every way.", 4, _long)
