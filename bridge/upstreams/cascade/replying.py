"""One reply: the mind's sentences are spoken as they come, its calls sent out and answered."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from bridge.core.commands import Answer as Told
from bridge.core.events import AgentAudioDone, CallsCancelled, CallsRequested
from bridge.core.model import FunctionCall
from bridge.upstreams.cascade.failures import SPEAK, THINK, failing
from bridge.upstreams.cascade.latency import Latency
from bridge.upstreams.cascade.outlet import Outlet
from bridge.upstreams.cascade.parts import Answer, CallFunction, LanguageModel, Say, Thought
from bridge.upstreams.cascade.sentences import Sentences
from bridge.upstreams.cascade.streams import within
from bridge.upstreams.cascade.voice import Voice

THINK_SECONDS: Final = 30.0
"""How long a mind may take for its next thought."""
AHEAD: Final = 8
"""Sentences the mind may be ahead of the voice."""


@dataclass(slots=True)
class Calls:
    """The calls that were sent out and are not answered yet."""

    open: dict[str, asyncio.Future[Answer]] = field(default_factory=dict)

    def expect(self, calls: Sequence[CallFunction]) -> None:
        """Answers to these calls are taken from now on."""
        loop = asyncio.get_running_loop()
        self.open = {call.id: loop.create_future() for call in calls}

    async def answers(self) -> list[Answer]:
        """Wait until every call has its answer."""
        return await asyncio.gather(*self.open.values())

    def answer(self, told: Told) -> None:
        """An answer came; one to a call that was withdrawn, or a second one, is dropped."""
        waiting = self.open.get(told.call_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(Answer(told.call_id, told.name, told.content, told.note))

    def withdraw(self) -> CallsCancelled | None:
        """Withdraw what is not answered; None when there is nothing to withdraw."""
        ids = tuple(call_id for call_id, waiting in self.open.items() if not waiting.done())
        self.open = {}
        return CallsCancelled(ids) if ids else None


class Reply:
    """Runs one reply of the mind through the voice. Cancelling `run` abandons it."""

    def __init__(
        self, mind: LanguageModel, voice: Voice, outlet: Outlet, calls: Calls, latency: Latency | None
    ) -> None:
        """`latency` None: nobody waited for this reply (a greeting, an injected message)."""
        self._mind = mind
        self._voice = voice
        self._outlet = outlet
        self._calls = calls
        self._latency = latency
        self._clock: Callable[[], float] = asyncio.get_running_loop().time

    async def run(self, thoughts: AsyncIterator[Thought]) -> None:
        """Speak and call until the mind has nothing more to say."""
        self._voice.begin()
        self._voice.on_first_sound = self._sounded if self._latency else None
        try:
            while await self._round(thoughts):
                since = self._clock()
                answers = await self._calls.answers()
                if self._latency:
                    self._latency.answered(self._clock() - since)
                thoughts = self._mind.answered(answers)
        finally:
            if self._voice.on_first_sound == self._sounded:
                self._voice.on_first_sound = None
        self._outlet.put(AgentAudioDone())

    async def _round(self, thoughts: AsyncIterator[Thought]) -> list[CallFunction]:
        """One pass of the mind: everything it says is spoken; returns the calls that were sent out."""
        calls: list[CallFunction] = []
        if self._latency:
            self._latency.thinking()
        try:
            await self._speak_thoughts(thoughts, calls)
        except asyncio.CancelledError as cut:
            raise cut.with_traceback(None)  # noqa: B904 - 3.11: only the garbage collector would free its frames
        return calls

    async def _speak_thoughts(self, thoughts: AsyncIterator[Thought], calls: list[CallFunction]) -> None:
        sentences: asyncio.Queue[str | None] = asyncio.Queue(AHEAD)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._speak(sentences), name="speak")
            with failing(THINK):
                async with aclosing(within(THINK_SECONDS, thoughts)) as timed:
                    async for sentence in self._sentences(timed, calls):
                        await sentences.put(sentence)
            self._send(calls)
            await sentences.put(None)

    async def _sentences(
        self, thoughts: AsyncIterator[Thought], calls: list[CallFunction]
    ) -> AsyncIterator[str]:
        """What is to be spoken, sentence by sentence; calls are put aside."""
        pieces = Sentences()
        async for thought in thoughts:
            match thought:
                case CallFunction():
                    calls.append(thought)
                case Say(text, whole=True):
                    for sentence in (*pieces.flush(), text.strip()):
                        yield self._said(sentence)
                case Say(text):
                    for sentence in pieces.feed(text):
                        yield self._said(sentence)
        for sentence in pieces.flush():
            yield self._said(sentence)

    def _said(self, sentence: str) -> str:
        if self._latency:
            self._latency.said()
        return sentence

    def _send(self, calls: Sequence[CallFunction]) -> None:
        """Ask for the functions, all in one message. They wait for an answer from now on."""
        if calls:
            self._calls.expect(calls)
            functions = (FunctionCall(call.id, call.name, call.arguments_json) for call in calls)
            self._outlet.put(CallsRequested(tuple(functions)))

    async def _speak(self, sentences: asyncio.Queue[str | None]) -> None:
        while (sentence := await sentences.get()) is not None:
            if not sentence:
                continue
            with failing(SPEAK):
                await self._voice.speak(sentence)

    def _sounded(self, tts: float) -> None:
        if self._latency:
            self._outlet.put(self._latency.report(tts))


async def once(sentence: str) -> AsyncIterator[Thought]:
    """A single sentence as a reply: a greeting, an injected message."""
    yield Say(sentence, whole=True)
