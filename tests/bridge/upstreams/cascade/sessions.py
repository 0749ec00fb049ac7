"""Pipelines under test: the mind of rules, a voice of pure tones, and a reader of what comes out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

import numpy as np

from bridge.audio.pcm import from_samples
from bridge.core.commands import Answer
from bridge.core.events import AgentAudioDone, CallsRequested, PeerEvent, TextArrived
from bridge.core.model import Person, Role
from bridge.ports import Brief
from bridge.upstreams.cascade.pipeline import Pipeline, SessionParts
from bridge.upstreams.cascade.thinking.rules import rules
from bridge.upstreams.cascade.voice import Pace
from tests.bridge.upstreams.cascade.thinking.talks import NOW, ZONE, agent, grammar, references
from tests.support.briefs import brief

E = TypeVar("E", bound=PeerEvent)
QUICK = Pace(piece_ms=20, lead_ms=100)


class Tones:
    """A voice that hums: 10 ms of a 440 Hz tone for each letter, at 22,050 Hz."""

    sample_rate = 22_050

    def __init__(self) -> None:
        self.open = 0
        """Sentences that are being made now."""
        self.closed = False

    async def speak(self, sentence: str) -> AsyncIterator[bytes]:
        """Yield the hum in pieces of 50 ms."""
        self.open += 1
        try:
            for _ in range(0, len(sentence), 5):
                wave = np.sin(np.arange(self.sample_rate // 20) * (2 * np.pi * 440 / self.sample_rate)) * 0.3
                yield from_samples(wave.astype(np.float32))
                await asyncio.sleep(0)
        finally:
            self.open -= 1

    async def aclose(self) -> None:
        """Nothing to give back."""
        self.closed = True


def flux(**changes: object) -> Brief:
    """A brief of Flux on the fixed Wednesday."""
    person = Person(id="user-1", time_zone=str(ZONE))
    return replace(brief(agent=agent("flux"), person=person, references=references), **changes)  # type: ignore[arg-type]


class Reader:
    """Reads all that a pipeline gives out, in order."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.items: list[bytes | PeerEvent] = []
        self.times: list[float] = []
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Read until the session is over."""
        await self.pipeline.read(self._take)

    def _take(self, item: bytes | PeerEvent) -> None:
        self.items.append(item)
        self.times.append(asyncio.get_running_loop().time())
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def until(self, found: Callable[[bytes | PeerEvent], bool], *, after: int = 0) -> int:
        """Wait for an item from index `after` on; return its index. Fails after 20 s."""
        async with asyncio.timeout(20):
            while True:
                index = next((i for i in range(after, len(self.items)) if found(self.items[i])), None)
                if index is not None:
                    return index
                await self._news.wait()

    async def event(self, kind: type[E], *, after: int = 0) -> tuple[int, E]:
        """Wait for an event of a kind from index `after` on."""
        index = await self.until(lambda item: isinstance(item, kind), after=after)
        item = self.items[index]
        assert isinstance(item, kind)
        return index, item

    async def answer(self, content: str, *, note: str = "", after: int = 0) -> CallsRequested:
        """Wait for calls, answer each, and return them."""
        _, request = await self.event(CallsRequested, after=after)
        for function in request.functions:
            await self.pipeline.send(Answer(function.id, function.name, content, note))
        return request

    async def done(self, *, after: int = 0) -> int:
        """Wait for the end of a reply."""
        return (await self.event(AgentAudioDone, after=after))[0]

    def kinds(self) -> list[str]:
        """What came, in order, by name; sound in a row counts once."""
        names = ["sound" if isinstance(item, bytes) else _name(item) for item in self.items]
        return [name for i, name in enumerate(names) if i == 0 or name != "sound" or names[i - 1] != "sound"]

    def said(self, role: Role = Role.ASSISTANT) -> list[str]:
        """The texts of one side."""
        texts = [item.message for item in self.items if isinstance(item, TextArrived)]
        return [message.content for message in texts if message.role is role]

    def sound(self) -> bytes:
        """All sound so far."""
        return b"".join(item for item in self.items if isinstance(item, bytes))


def _name(item: PeerEvent) -> str:
    if isinstance(item, TextArrived):
        return f"text {item.message.role}"
    return type(item).__name__


@asynccontextmanager
async def running(parts: SessionParts, given: Brief, *, pace: Pace = QUICK) -> AsyncIterator[Reader]:
    """A pipeline that runs, with a reader; all of it is gone afterwards."""
    pipeline = Pipeline(given, parts, request="request-1", pace=pace)
    await pipeline.start()
    async with reading(pipeline) as reader:
        yield reader


@asynccontextmanager
async def reading(pipeline: Pipeline) -> AsyncIterator[Reader]:
    """A reader for a pipeline that runs; the pipeline is closed and read to its end afterwards."""
    reader = Reader(pipeline)
    async with asyncio.TaskGroup() as group:
        group.create_task(reader.run(), name="reader")
        try:
            yield reader
        finally:
            await pipeline.close()


def silent() -> SessionParts:
    """A session with the mind of rules and nothing else."""
    return SessionParts(make_mind=rules(grammar, lambda: NOW))


def humming(tones: Tones | None = None) -> SessionParts:
    """A session with the mind of rules and the voice of tones."""
    return SessionParts(make_mind=rules(grammar, lambda: NOW), speech=tones or Tones())
