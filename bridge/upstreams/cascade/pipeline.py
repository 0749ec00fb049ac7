"""One session of an agent made of parts, behind the port `Upstream`: sound and asks in, both out."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Final, assert_never

import structlog

from bridge.core.commands import Answer, Ask, Hear, Speak, Steer
from bridge.core.events import (
    AgentAudioDone,
    AgentErred,
    AgentLeft,
    AgentReady,
    AgentSaidOther,
    PeerEvent,
    TextArrived,
    TurnEnded,
    UserStartedSpeaking,
)
from bridge.core.model import Message, Modality, Role
from bridge.errors import PeerGone
from bridge.ports import Brief, Take
from bridge.upstreams.cascade.codec import check
from bridge.upstreams.cascade.failures import HEAR, PartFailed, first_failure
from bridge.upstreams.cascade.latency import Latency
from bridge.upstreams.cascade.listening import Hearing, Listener, Reports, Utterance
from bridge.upstreams.cascade.outlet import Outlet
from bridge.upstreams.cascade.parts import Fit, MakeModel, TextToSpeech, Thought, Turn
from bridge.upstreams.cascade.replying import THINK_SECONDS, Calls, Reply, once
from bridge.upstreams.cascade.steering import steer
from bridge.upstreams.cascade.streams import within
from bridge.upstreams.cascade.voice import Pace, Voice

log = structlog.get_logger(__name__)

CLOSE_SECONDS: Final = 3.0
"""How long the parts of a session may take to let go."""
AFTER: Final = 16
"""Injected messages that wait for the current reply at most."""
NOISE_SECONDS: Final = 0.8
"""What is shorter, has no words and cut nothing was a noise; it gets no answer."""
REFUSED: Final = {"type": "InjectionRefused"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionParts:
    """The parts of one session. It owns them: they are closed with it."""

    make_mind: MakeModel
    hearing: Hearing | None = None
    """None: typed text is served, sound is ignored."""
    speech: TextToSpeech | None = None
    """None: replies are text alone."""


class Pipeline:
    """One agent session. `start` it once, then use it as `Upstream`; `close` ends all its tasks."""

    def __init__(
        self,
        brief: Brief,
        parts: SessionParts,
        *,
        request: str,
        pace: Pace = Pace(),  # noqa: B008 - frozen
        clock: Callable[[], float] | None = None,
    ) -> None:
        """`request`: the id of this session. Raises UpstreamFailed for sound it cannot read or make."""
        check(brief.audio_in)
        check(brief.audio_out)
        self._brief = brief
        self._parts = parts
        self._request = request
        self._clock = clock or asyncio.get_running_loop().time
        self._outlet = Outlet()
        self._mind = parts.make_mind(brief)
        self._voice = Voice(parts.speech, brief.audio_out, self._outlet, pace, clock=self._clock)
        self._calls = Calls()
        reports = Reports(self._fits, self._speaking, self._started, self._ended)
        self._listener = Listener(parts.hearing, brief.audio_in, reports, self._clock)
        self._group = asyncio.TaskGroup()
        self._listening: asyncio.Task[None] | None = None
        self._replying: asyncio.Task[None] | None = None
        self._after: deque[str] = deque(maxlen=AFTER)
        """Injected messages to be said when the current reply is done."""
        self._cut: str | None = None
        """What was heard of the reply that was cut last; for the mind's next turn."""
        self._unanswered = ""
        """What the person said and the mind has not reacted to yet."""
        self._closed = False
        self._gone = asyncio.Event()

    # ── the port ─────────────────────────────────────────────────────────────────────────────────────

    async def start(self) -> None:
        """Begin: ready at once, then the greeting. To be called once, before anything else."""
        await self._group.__aenter__()
        self._outlet.put(AgentReady(self._request))
        self._listening = self._group.create_task(self._listen(), name="listen")
        if self._brief.greeting:
            self._say(self._brief.greeting)

    async def read(self, take: Take) -> None:
        """Bring sound and events, `AgentReady` first, `AgentLeft` last."""
        await self._outlet.read(take)

    async def send(self, frame: bytes | Ask) -> None:
        """Take sound or an ask. Raises PeerGone when the session is over or takes no sound for 5 s."""
        if self._outlet.closed:
            raise PeerGone("the agent is gone")
        match frame:
            case bytes():
                await self._listener.take(frame)
            case Hear(content):
                self._wrote(content)
            case Answer():
                self._calls.answer(frame)
            case Speak(message, behavior):
                self.inject(message, behavior)
            case Steer(raw):
                steer(self, raw)
            case _:
                assert_never(frame)

    async def close(self) -> None:
        """End all tasks and give back the parts; never raises, may be called twice."""
        if self._closed:
            await self._gone.wait()
            return
        self._closed = True
        self._outlet.put(AgentLeft(1000, "closed"))
        for task in (self._listening, self._replying):
            if task:
                task.cancel()
        try:
            await self._group.__aexit__(None, None, None)
            with suppress(Exception):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._let_go()
        finally:
            self._gone.set()
            self._listening = self._replying = None  # nothing is left in cycles: their tracebacks hold this,
            del self._listener, self._group  # and so do its reports, and whose group it is

    async def _let_go(self) -> None:
        if self._parts.hearing:
            await self._parts.hearing.ear.aclose()
        if self._parts.speech:
            await self._parts.speech.aclose()

    # ── hearing ──────────────────────────────────────────────────────────────────────────────────────

    async def _listen(self) -> None:
        await self._guard(self._listener.run())

    def _fits(self, partial: str) -> Fit:
        return self._mind.fits(partial)

    def _speaking(self) -> bool:
        return self._voice.sounding

    def _started(self) -> None:
        """The person began to speak: whatever is being said stops."""
        self._interrupt(UserStartedSpeaking())

    def _ended(self, said: Utterance) -> None:
        """The person's turn is over and understood, or not."""
        text = self._mind.choose((said.text, *said.alternatives)) if said.alternatives else said.text
        if text:
            self._outlet.put(TextArrived(Message(Role.USER, text)))
        self._outlet.put(TurnEnded(said.trigger))
        if not text and self._cut is None and said.seconds < NOISE_SECONDS:
            return
        turn = Turn(text, said.confidence, cut=self._cut)
        self._take_turn(turn, Latency(self._clock, said.ended, stt=said.took))

    def _wrote(self, content: str) -> None:
        """The person typed: the same as a turn, without speech before it."""
        if self._busy:
            self._interrupt(UserStartedSpeaking())
        self._outlet.put(TextArrived(Message(Role.USER, content, Modality.TEXT)))
        self._outlet.put(TurnEnded("manual"))
        self._take_turn(Turn(content, typed=True, cut=self._cut), Latency(self._clock, self._clock()))

    def _take_turn(self, turn: Turn, latency: Latency) -> None:
        """Give a turn to the mind, together with one that it had no time to answer."""
        self._cut = None
        if self._unanswered and turn.text:
            turn = replace(turn, text=f"{self._unanswered}. {turn.text}")
        self._unanswered = turn.text or self._unanswered
        self._reply(self._noticing(self._mind.reply(turn)), latency)

    async def _noticing(self, thoughts: AsyncIterator[Thought]) -> AsyncIterator[Thought]:
        """The thoughts; with the first one the turn counts as answered."""
        async with aclosing(within(THINK_SECONDS, thoughts)) as timed:
            async for thought in timed:
                self._unanswered = ""
                yield thought

    # ── speaking ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def _busy(self) -> bool:
        """A reply is being thought of, spoken, or waits for its calls."""
        return self._replying is not None and not self._replying.done()

    def _interrupt(self, because: UserStartedSpeaking | None) -> None:
        """Stop the current reply within one piece of sound; withdraw its calls."""
        busy = self._busy
        if self._replying and busy:
            self._replying.cancel()
        heard = self._voice.cut()
        if because:
            self._outlet.put(because)
        if busy:
            self._cut = heard
            self._outlet.put(AgentAudioDone())
            if withdrawn := self._calls.withdraw():
                self._outlet.put(withdrawn)
        self._after.clear()

    def _say(self, sentence: str) -> None:
        self._reply(once(sentence), None)

    def _reply(self, thoughts: AsyncIterator[Thought], latency: Latency | None) -> None:
        """Begin a reply as soon as the one before has let go."""
        before, self._replying = self._replying, None
        if before:
            before.cancel()
        reply = Reply(self._mind, self._voice, self._outlet, self._calls, latency)
        if not self._closed:
            self._replying = self._group.create_task(self._run(reply, thoughts, before), name="reply")

    async def _run(
        self, reply: Reply, thoughts: AsyncIterator[Thought], before: asyncio.Task[None] | None
    ) -> None:
        if before:
            await asyncio.wait([before])
        await self._guard(reply.run(thoughts))
        while self._after:
            again = Reply(self._mind, self._voice, self._outlet, self._calls, None)
            await self._guard(again.run(once(self._after.popleft())))

    def inject(self, message: str, behavior: str) -> None:
        """Say a sentence of somebody else's, when `behavior` allows it (Deepgram: `InjectAgentMessage`)."""
        if behavior == "interrupt":
            if self._busy:
                self._interrupt(None)
            self._say(message)
        elif self._listener.talking or (behavior != "queue" and self._busy):
            self._outlet.put(AgentSaidOther({**REFUSED, "message": "Somebody is in the middle of a turn."}))
        elif self._busy:
            self._after.append(message)
        else:
            self._say(message)

    # ── steering, for steering.py ────────────────────────────────────────────────────────────────────

    def tell(self, event: PeerEvent) -> None:
        """Put an event out as it is."""
        self._outlet.put(event)

    def force_end(self) -> bool:
        """End the person's turn now; False when there is no ear that could."""
        return self._listener.force_end()

    def rethink(self, think: object) -> None:
        """Go on with other functions (Deepgram: `UpdateThink`); only where a client may bring its own."""
        if self._brief.client_agent is not None:
            client_agent = {**self._brief.client_agent, "think": think}
            self._brief = replace(self._brief, client_agent=client_agent)
            self._mind = self._parts.make_mind(self._brief)

    # ── failing ──────────────────────────────────────────────────────────────────────────────────────

    async def _guard(self, work: Coroutine[object, object, None]) -> None:
        """Run a part; its failure ends the session politely, and never the caller."""
        try:
            await work
        except Exception as error:
            self._fail(first_failure(error) or PartFailed(HEAR), error)

    def _fail(self, failure: PartFailed, error: Exception) -> None:
        cause = failure.__cause__ or error
        log.error("part_failed", code=failure.code, problem=type(cause).__name__)
        self._outlet.put(AgentErred(failure.code, failure.description))
        self._outlet.put(AgentLeft(1011, failure.code))
        current = asyncio.current_task()
        for task in (self._listening, self._replying):
            if task and task is not current:
                task.cancel()
