"""Talks that go on through any fault, and the books that the agent and the clients keep of them."""

from __future__ import annotations

import asyncio
import itertools
import random
import struct
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Self

import httpx2
from websockets.exceptions import ConnectionClosed, WebSocketException

from tests.support.bridge import Process
from tests.support.client import Client, Frame, TurnedAway, client, items, start
from tests.support.deepgram import DeepgramSession

ANSWER_SECONDS = 10.0
RETRY_SECONDS = 0.1
DONE = ("Goal saved", "I've noted")
"""How the answers begin that promise an effect."""


SENT = struct.Struct("<d")
"""A time on the monotonic clock, at the beginning of a frame of sound."""
FRAME_BYTES = 640


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
    seen: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """Conversation → cursor → the text that a client was shown there."""
    promised: list[str] = field(default_factory=list)
    """Wishes whose answer promised an effect."""
    turns: int = 0
    settled: int = 0
    """How often somebody began to talk, or went on."""
    cut: int = 0
    """How often a talk that was going on was cut off."""
    pace: float = 0.05
    """Longest pause between two wishes of a talk, in seconds."""
    think: float = 0.0
    """Longest pause of the agent before it calls, and before it answers, in seconds."""
    failed: int = 0
    """How often somebody could not come back at the second attempt, while the server was up."""
    speaking: int = 0
    """How many talks send sound."""
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
        self._turns = itertools.cycle(self.users)
        self._claims: dict[str, list[float]] = defaultdict(list)
        """Conversation → when somebody had got it."""

    # ── the agent ───────────────────────────────────────────────────────────────────────────

    async def agent(self, session: DeepgramSession) -> None:
        """One wish after the other, and whatever it is asked again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(session))
            while not self.over.is_set():
                self.turns += 1
                wish = f"learn trick {self.turns}"
                self.said[wish] = time.monotonic()
                await session.hear(wish)
                await self._act(session, wish)
                await asyncio.sleep(self.random.uniform(0, self.pace))
            await self.over.wait()

    async def _listen(self, session: DeepgramSession) -> None:
        async for frame in session.frames():
            if isinstance(frame, bytes):
                (sent,) = SENT.unpack_from(frame)
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
        user = next(self._turns)
        attempts = 0
        while not self.over.is_set():
            await self.up.wait()
            try:
                assert self.server
                conversation = await self.visit(self.server, conversation, user=user)
                attempts = 0
            except (OSError, WebSocketException, httpx2.HTTPError, TurnedAway):
                if self.up.is_set():
                    attempts += 1
                    self.failed += attempts == 2
                await asyncio.sleep(self.random.uniform(0, RETRY_SECONDS))

    async def visit(
        self,
        server: Process,
        conversation: str | None,
        *,
        settled: Callable[[], None] = lambda: None,
        user: str = "local",
    ) -> str:
        """Talk there until cut off, or until all is over. Raises what a client meets when nobody answers."""
        wish = {"conversation_id": conversation} if conversation else {}
        begun = await start(server.http, credential=self.users[user], **wish)
        conversation = str(begun["conversation_id"])
        assert self.owner.setdefault(conversation, user) == user
        claimed = time.monotonic()
        self._claims[conversation].append(claimed)
        entries = begun["messages"]
        assert isinstance(entries, list)
        self._note(conversation, entries)
        async with client(server.ws, token=str(begun["token"])) as talker:
            try:
                last = str(entries[-1]["cursor"]) if entries else None
                await talker.settle(cursor=last)
                settled()
                self.settled += 1
                talker.on_frame = partial(self._is_shown, conversation, claimed)
                cut = await self._is_cut(talker)
                self.cut += cut
            finally:
                self._note(conversation, talker.frames)
        return conversation

    async def _is_cut(self, talker: Client) -> bool:
        """Stay until the server closes the socket, or until all is over."""
        async with asyncio.TaskGroup() as group:
            sound = group.create_task(self._speak(talker))
            over = group.create_task(self.over.wait())
            cut = group.create_task(talker.expect_close(seconds=None))
            ended, _ = await asyncio.wait({over, cut}, return_when=asyncio.FIRST_COMPLETED)
            for task in (sound, over, cut):
                task.cancel()
        return cut in ended

    async def _speak(self, talker: Client) -> None:
        """Send 20 ms of sound fifty times a second, each frame with its time; or nothing at all."""
        if self.speaking > 0:
            self.speaking -= 1
            with suppress(ConnectionClosed):
                while True:
                    await talker.socket.send(SENT.pack(time.monotonic()).ljust(FRAME_BYTES, b"\0"))
                    await asyncio.sleep(0.02)

    def _is_shown(self, conversation: str, claimed: float, frame: Frame) -> None:
        if frame["type"] == "ConversationText" and (sent := self.said.get(str(frame["content"]))):
            self.shown.append(Sample.since(sent))
        elif frame.get("code") == "BRIDGE_TAKEN_OVER":
            later = [when for when in self._claims[conversation] if when > claimed]
            self.taken_over.append(Sample.since(min(later, default=time.monotonic())))

    def _note(self, conversation: str, frames: Sequence[Frame]) -> None:
        book = self.seen[conversation]
        newest = (0, -1)
        for frame in frames:
            entry = frame.get("entry", frame)
            assert isinstance(entry, dict)
            if "cursor" in entry and entry.get("type") != "BridgeReady":
                cursor, text = str(entry["cursor"]), text_of(entry)
                assert book.get(cursor, text) == text, f"{cursor} was shown twice, differently"
                again = cursor in book
                book[cursor] = text
                assert again or newest < (newest := _place(cursor)), f"{cursor} was shown out of order"


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


async def check(world: World) -> None:
    """All that was seen is there, in order and without a hole; all that was promised was done once, for the
    user who said it, in the conversation it was said in."""
    assert world.server
    wishes: dict[str, set[str]] = {}
    for conversation, book in world.seen.items():
        credential = world.users[world.owner.get(conversation, "local")]
        stored = await entries(world.server.http, conversation, credential)
        wrong = {cursor: text for cursor, text in book.items() if stored.get(cursor) != text}
        assert not wrong, f"seed {world.seed}: seen and not stored: {wrong}"
        holes = _holes(stored)
        assert not holes, f"seed {world.seed}: {conversation} lacks {holes}"
        wishes[conversation] = {text.removeprefix("user: ") for text in stored.values()}
    told = Counter(wish for said in wishes.values() for wish in said if wish in world.said)
    assert max(told.values(), default=1) == 1, (
        f"seed {world.seed}: {told.most_common(1)} in two conversations"
    )
    made = Counter(await _made(world, wishes))
    twice = sorted(wish for wish in world.said if made[wish] > 1)
    missing = sorted(set(world.promised) - made.keys())
    assert not twice, f"seed {world.seed}: done twice: {twice}"
    assert not missing, f"seed {world.seed}: promised and not done: {missing}"


async def _made(world: World, wishes: Mapping[str, set[str]]) -> list[str]:
    """The goals of all users, each where it belongs."""
    assert world.server
    made = []
    for user, credential in world.users.items():
        for goal in await items(world.server.http, "/api/v1/goals", credential):
            wish, conversation = str(goal["statement"]), str(goal["conversation_id"])
            assert world.owner.get(conversation, user) == user, f"seed {world.seed}: {wish} is not {user}'s"
            if wish in world.said and conversation in wishes:
                assert wish in wishes[conversation], f"seed {world.seed}: nobody said {wish} there"
            made.append(wish)
        newest = await items(world.server.http, "/api/v1/conversations?limit=100", credential)
        mine = {str(one["id"]) for one in newest}
        theirs = {conversation for conversation, owner in world.owner.items() if owner != user}
        assert not mine & theirs, f"seed {world.seed}: {user} is shown what is somebody else's"
    return made


async def entries(http: str, conversation: str, credential: str = "") -> dict[str, str]:
    """Cursor → text of all entries the store has."""
    found: dict[str, str] = {}
    path = f"/api/v1/conversations/{conversation}/messages?limit=200"
    after = ""
    while page := await items(http, path + after, credential):
        assert not found.keys() & {str(entry["cursor"]) for entry in page}
        found |= {str(entry["cursor"]): text_of(entry) for entry in page}
        after = f"&after={page[-1]['cursor']}"
    return found


def _place(cursor: str) -> tuple[int, int]:
    epoch, _, idx = cursor.partition(":")
    return int(epoch), int(idx)


def _holes(stored: dict[str, str]) -> list[str]:
    epochs: dict[int, set[int]] = defaultdict(set)
    for cursor in stored:
        epoch, idx = _place(cursor)
        epochs[epoch].add(idx)
    return [f"{e}:{n}" for e, there in epochs.items() for n in range(max(there)) if n not in there]
