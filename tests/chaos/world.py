"""Talks that go on through any fault, and the books that the agent and the clients keep of them."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Self

import httpx2
from websockets.exceptions import ConnectionClosed, WebSocketException

from tests.chaos.sound import NUMBER, Hearings, spoken, understood, voices
from tests.support.bridge import Process
from tests.support.client import Client, Frame, TurnedAway, client, start
from tests.support.deepgram import DeepgramSession
from tests.support.issuer import issuing

ANSWER_SECONDS = 10.0
RETRY_SECONDS = 0.1
DONE = ("Goal saved", "I've noted")
"""How the answers begin that promise an effect."""


USERS = ("ada", "bob", "eve")
"""Their talks go on side by side."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A delay."""

    at: float
    """When it was over, on the monotonic clock."""
    seconds: float

    @classmethod
    def since(cls, began: float) -> Self:
        now = time.monotonic()
        return cls(now, now - began)


@dataclass(eq=False)
class World:
    """The server of the moment, and what everybody saw."""

    seed: int
    server: Process | None = None
    users: Mapping[str, str] = field(default_factory=lambda: {"local": ""})
    """Who talks, in turn: name → credential; empty: nobody is asked for one."""
    owner: dict[str, str] = field(default_factory=dict)
    """Conversation → its user."""
    anew: float = 0.0
    """How often somebody who was cut off begins another conversation, 0…1."""
    seen: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """Conversation → cursor → the text that a client was shown there."""
    promised: list[str] = field(default_factory=list)
    """Wishes whose answer promised an effect."""
    turns: int = 0
    settled: int = 0
    """How often somebody began to talk, or went on."""
    cut: int = 0
    """How often a talk that was going on was cut off."""
    moved: Counter[int] = field(default_factory=Counter)
    """Process id of a server → of the talks that were cut off there, those that were shown something new."""
    pace: float = 0.05
    """Longest pause between two wishes of a talk, in seconds."""
    think: float = 0.0
    """Longest pause of the agent before it calls, and before it answers, in seconds."""
    failed: int = 0
    """How often somebody could not come back at the second attempt, while the server was up."""
    speaking: int = 0
    """How many more talks may send sound."""
    hearings: Hearings = field(default_factory=Hearings)
    answered: list[Sample] = field(default_factory=list)
    """From a function call to its answer, at the agent."""
    shown: list[Sample] = field(default_factory=list)
    """From a line at the agent to that line at the client."""
    carried: list[Sample] = field(default_factory=list)
    """From a frame of sound at the client to that frame at the agent."""
    taken_over: list[Sample] = field(default_factory=list)
    """From the answer to whoever takes a conversation to the word to whoever had it."""
    said: dict[str, float] = field(default_factory=dict)
    """Wish → when the agent sent it."""
    up: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.turn_of = itertools.cycle(self.users)
        """Who is the next to begin a talk."""
        self._claims: dict[str, list[float]] = defaultdict(list)
        """Conversation → when somebody had got it."""

    # ── the agent ───────────────────────────────────────────────────────────────────────────

    async def agent(self, session: DeepgramSession) -> None:
        """One wish after the other, and whatever it is asked again."""
        session.voice = NUMBER.pack(session.number)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(session))
            while not self.over.is_set():
                self.turns += 1
                wish = f"learn trick {self.turns}"
                self.said[wish] = time.monotonic()
                self.hearings.wishes[session.number].add(wish)
                await session.hear(wish)
                await self._act(session, wish)
                await asyncio.sleep(self.random.uniform(0, self.pace))
            await self.over.wait()

    async def _listen(self, session: DeepgramSession) -> None:
        async for frame in session.frames():
            if isinstance(frame, bytes):
                for talker, sent in understood(frame):
                    self.hearings.by_agents[session.number].add(talker)
                    self.carried.append(Sample.since(sent))
            else:
                match frame.get("type"):
                    case "InjectUserMessage":
                        await session.user_text(str(frame["content"]))
                        await self._act(session, str(frame["content"]))
                    case "InjectAgentMessage":
                        await session.say(str(frame["message"]), ms=20)

    async def _act(self, session: DeepgramSession, wish: str) -> None:
        await asyncio.sleep(self.random.uniform(0, self.think / 2))
        began = time.monotonic()
        call = await session.call("submit_goal_intent", goal_statement=wish)
        answer = await session.expect_answer(call, within=ANSWER_SECONDS)
        self.answered.append(Sample.since(began))
        if answer.startswith(DONE):
            self.promised.append(wish)
        await asyncio.sleep(self.random.uniform(0, self.think / 2))
        await session.say(f"Done: {wish}.", ms=20)

    # ── the clients ─────────────────────────────────────────────────────────────────────────

    async def person(self) -> None:
        """Talks in one conversation until all is over, and comes back whenever it is cut off."""
        conversation: str | None = None
        user = next(self.turn_of)
        attempts = 0
        while not self.over.is_set():
            await self.up.wait()
            try:
                assert self.server
                conversation = await self.visit(self.server, conversation, user=user)
                attempts = 0
                if self.random.random() < self.anew:
                    conversation = None
            except (OSError, WebSocketException, httpx2.HTTPError, TurnedAway):
                if self.up.is_set():
                    attempts += 1
                    self.failed += attempts == 2
                await asyncio.sleep(self.random.uniform(0, RETRY_SECONDS))

    async def begin(self, server: Process, user: str, conversation: str | None = None) -> Frame:
        """A session for that user, in that conversation or in a new one: what it was answered with."""
        wish = {"conversation_id": conversation} if conversation else {}
        begun = await start(server.http, credential=self.users[user], **wish)
        conversation = str(begun["conversation_id"])
        assert self.owner.setdefault(conversation, user) == user
        self._claims[conversation].append(time.monotonic())
        past = begun["messages"]
        assert isinstance(past, list)
        self._note(conversation, past)
        return begun

    async def visit(
        self,
        server: Process,
        conversation: str | None,
        *,
        settled: Callable[[], None] = lambda: None,
        user: str = "local",
    ) -> str:
        """Talk there until cut off, or until all is over. Raises what a client meets when nobody answers."""
        begun = await self.begin(server, user, conversation)
        conversation = str(begun["conversation_id"])
        claimed = self._claims[conversation][-1]
        async with client(server.ws, token=str(begun["token"])) as talker:
            try:
                await talker.settle(cursor=last_seen(begun))
                settled()
                self.settled += 1
                talker.on_frame = partial(self._is_shown, conversation, claimed)
                cut = await self._is_cut(talker, conversation)
            finally:
                shown = self._note(conversation, talker.frames)
                self.hearings.by_clients[conversation] |= voices(bytes(talker.sound))
            self.cut += cut
            self.moved[server.process.pid] += cut and shown > 0
        return conversation

    async def _is_cut(self, talker: Client, conversation: str) -> bool:
        """Stay until the server closes the socket, or until all is over."""
        async with asyncio.TaskGroup() as group:
            sound = group.create_task(self._speak(talker, conversation))
            over = group.create_task(self.over.wait())
            cut = group.create_task(talker.expect_close(seconds=None))
            ended, _ = await asyncio.wait({over, cut}, return_when=asyncio.FIRST_COMPLETED)
            for task in (sound, over, cut):
                task.cancel()
        return cut in ended

    async def _speak(self, talker: Client, conversation: str) -> None:
        """Send 20 ms of sound fifty times a second, while it may; or nothing at all."""
        if self.speaking > 0:
            self.speaking -= 1
            number = self.hearings.talker(conversation)
            try:
                while True:
                    await talker.socket.send(spoken(number, time.monotonic()))
                    await asyncio.sleep(0.02)
            except ConnectionClosed:
                pass
            finally:
                self.speaking += 1

    def _is_shown(self, conversation: str, claimed: float, frame: Frame) -> None:
        if frame["type"] == "ConversationText" and (sent := self.said.get(str(frame["content"]))):
            self.shown.append(Sample.since(sent))
        elif frame.get("code") == "BRIDGE_TAKEN_OVER":
            later = [when for when in self._claims[conversation] if when > claimed]
            self.taken_over.append(Sample.since(min(later, default=time.monotonic())))

    def _note(self, conversation: str, frames: Sequence[Frame]) -> int:
        """Into the book of that conversation. How many of its entries are new there."""
        book = self.seen[conversation]
        known, newest = len(book), (0, -1)
        for frame in frames:
            entry = frame.get("entry", frame)
            assert isinstance(entry, dict)
            if "cursor" in entry and entry.get("type") != "BridgeReady":
                cursor, text = str(entry["cursor"]), text_of(entry)
                assert book.get(cursor, text) == text, f"{cursor} was shown twice, differently"
                again = cursor in book
                book[cursor] = text
                assert again or newest < (newest := place(cursor)), f"{cursor} was shown out of order"
        return len(book) - known


@asynccontextmanager
async def several() -> AsyncIterator[tuple[dict[str, str], dict[str, str]]]:
    """Three users, each with their token, and the settings of a server that knows them."""
    async with issuing() as issuer:
        yield (
            {name: issuer.token(name) for name in USERS},
            {**issuer.variables, "BRIDGE_SESSIONS_PER_USER": "10000"},
        )


def last_seen(begun: Frame) -> str | None:
    """The cursor of the newest entry that a session begins with."""
    past = begun["messages"]
    assert isinstance(past, list)
    return str(past[-1]["cursor"]) if past else None


def text_of(entry: Frame) -> str:
    """What identifies an entry, on the wire and in the REST interface alike; an outcome may change."""
    if "functions" in entry:
        functions = entry["functions"]
        assert isinstance(functions, list)
        return f"call {functions[0]['id']}"
    if entry.get("kind") == "call":
        return f"call {entry['id']}"
    if entry.get("kind") == "result" or entry.get("type") == "FunctionCallResponse":
        return f"result {entry['id']}"
    return f"{entry['role']}: {entry['content']}"


def place(cursor: str) -> tuple[int, int]:
    """Where an entry stands."""
    epoch, _, idx = cursor.partition(":")
    return int(epoch), int(idx)
