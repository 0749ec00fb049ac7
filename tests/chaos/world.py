"""Talks that go on through any fault, and the books that the agent and the clients keep of them."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import httpx2
from websockets.exceptions import InvalidHandshake

from tests.support.bridge import Process
from tests.support.client import Client, ClosedEarly, Frame, client, items, start
from tests.support.deepgram import DeepgramSession

ANSWER_SECONDS = 10.0
DONE = ("Goal saved", "I've noted")
"""How the answers begin that promise an effect."""


@dataclass(eq=False)
class World:
    """The server of the moment, and what everybody saw."""

    seed: int
    server: Process | None = None
    seen: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """Conversation → cursor → the text that a client was shown there."""
    promised: list[str] = field(default_factory=list)
    """Wishes whose answer promised an effect."""
    turns: int = 0
    resumed: int = 0
    """How often a client came back."""
    up: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    # ── the agent ───────────────────────────────────────────────────────────────────────────

    async def agent(self, session: DeepgramSession) -> None:
        """One wish after the other, and whatever it is asked again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(session))
            while not self.over.is_set():
                self.turns += 1
                wish = f"learn trick {self.turns}"
                await session.hear(wish)
                await self._act(session, wish)
                await asyncio.sleep(self.random.uniform(0, 0.05))
            await self.over.wait()

    async def _listen(self, session: DeepgramSession) -> None:
        async for frame in session.frames():
            if not isinstance(frame, bytes):
                match frame.get("type"):
                    case "InjectUserMessage":
                        await session.user_text(str(frame["content"]))
                        await self._act(session, str(frame["content"]))
                    case "InjectAgentMessage":
                        await session.say(str(frame["message"]), ms=20)

    async def _act(self, session: DeepgramSession, wish: str) -> None:
        call = await session.call("submit_goal_intent", goal_statement=wish)
        answer = await session.expect_answer(call, within=ANSWER_SECONDS)
        if answer.startswith(DONE):
            self.promised.append(wish)
        await session.say(f"Done: {wish}.", ms=20)

    # ── the clients ─────────────────────────────────────────────────────────────────────────

    async def person(self) -> None:
        """Talks in one conversation until all is over, and comes back whenever it is cut off."""
        conversation: str | None = None
        while not self.over.is_set():
            await self.up.wait()
            with suppress(OSError, InvalidHandshake, httpx2.HTTPError, ClosedEarly):
                conversation = await self._visit(conversation)

    async def _visit(self, conversation: str | None) -> str:
        assert self.server
        server, wish = self.server, {"conversation_id": conversation} if conversation else {}
        begun = await start(server.http, **wish)
        conversation = str(begun["conversation_id"])
        entries = begun["messages"]
        assert isinstance(entries, list)
        self._note(conversation, entries)
        async with client(server.ws, token=str(begun["token"])) as talker:
            try:
                last = str(entries[-1]["cursor"]) if entries else None
                await talker.settle(cursor=last)
                self.resumed += bool(entries)
                await self._until_cut(talker)
            finally:
                self._note(conversation, talker.frames)
        return conversation

    async def _until_cut(self, talker: Client) -> None:
        async with asyncio.TaskGroup() as group:
            over = group.create_task(self.over.wait())
            cut = group.create_task(talker.expect_close(seconds=None))
            await asyncio.wait({over, cut}, return_when=asyncio.FIRST_COMPLETED)
            over.cancel()
            cut.cancel()

    def _note(self, conversation: str, frames: Sequence[Frame]) -> None:
        book = self.seen[conversation]
        for frame in frames:
            entry = frame.get("entry", frame)
            assert isinstance(entry, dict)
            if "cursor" in entry and entry.get("type") != "BridgeReady":
                cursor, text = str(entry["cursor"]), text_of(entry)
                assert book.get(cursor, text) == text, f"{cursor} was shown twice, differently"
                book[cursor] = text


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
    """All that was seen is there, in order and without a hole; all that was promised was done once."""
    assert world.server
    for conversation, book in world.seen.items():
        stored = await entries(world.server.http, conversation)
        wrong = {cursor: text for cursor, text in book.items() if stored.get(cursor) != text}
        assert not wrong, f"seed {world.seed}: seen and not stored: {wrong}"
        holes = _holes(stored)
        assert not holes, f"seed {world.seed}: {conversation} lacks {holes}"
    made = [str(goal["statement"]) for goal in await items(world.server.http, "/api/v1/goals")]
    twice = sorted({wish for wish in made if made.count(wish) > 1})
    missing = sorted(set(world.promised) - set(made))
    assert not twice, f"seed {world.seed}: done twice: {twice}"
    assert not missing, f"seed {world.seed}: promised and not done: {missing}"


async def entries(http: str, conversation: str) -> dict[str, str]:
    """Cursor → text of all entries the store has."""
    found: dict[str, str] = {}
    path = f"/api/v1/conversations/{conversation}/messages?limit=200"
    after = ""
    while page := await items(http, path + after):
        assert not found.keys() & {str(entry["cursor"]) for entry in page}
        found |= {str(entry["cursor"]): text_of(entry) for entry in page}
        after = f"&after={page[-1]['cursor']}"
    return found


def _holes(stored: dict[str, str]) -> list[str]:
    epochs: dict[int, set[int]] = defaultdict(set)
    for cursor in stored:
        epoch, _, idx = cursor.partition(":")
        epochs[int(epoch)].add(int(idx))
    return [f"{e}:{n}" for e, there in epochs.items() for n in range(max(there)) if n not in there]
