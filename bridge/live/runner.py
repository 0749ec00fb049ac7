"""Runs one session: steps it with what happens at both ends, and performs its commands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import assert_never

import structlog

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core.calls import CANCELLED
from bridge.core.events import Event, Moment, PeerEvent
from bridge.core.model import Entry, Person
from bridge.core.session import Phase, Session
from bridge.errors import JournalFailed
from bridge.live.briefing import Briefing
from bridge.live.ends import Line, Seat
from bridge.live.once import Once
from bridge.live.speech import Speech, Way, silence
from bridge.live.timers import Timers
from bridge.live.voice import Voice
from bridge.live.watch import Audience, Watch
from bridge.ports import Credit, Intents, Job, Journal, SessionFacts, Transport, Upstream, Upstreams

log = structlog.get_logger(__name__)

SILENCE_MS = 20
"""Milliseconds of silence in one frame."""
REPORT_SECONDS = 5.0
"""Between reports of what sound went by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What all sessions of a process use."""

    upstreams: Upstreams
    journal: Journal
    intents: Intents
    briefing: Briefing
    audience: Audience
    now: Callable[[], datetime]
    """Wall time, UTC."""


class Runner:
    """One session as it runs: `run` is its life, `serve` gives it a client's socket."""

    def __init__(self, session: Session, person: Person, facts: SessionFacts, parts: Parts) -> None:
        self.session = session
        self.facts = facts
        self.finished = Once()
        """Set when the session has ended and all is saved and done."""
        self._person = person
        self._parts = parts
        self._speech = Speech(session.agent.limits.sound_rate)
        self._voice = Voice(asyncio.get_running_loop().time)
        self._seat: Seat | None = None
        self._line: Line | None = None
        self._line_task: asyncio.Task[None] | None = None
        self._silence: asyncio.Task[None] | None = None
        self._timers = Timers(self.step)
        self._intents: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._waiting: list[Event | PeerEvent] = []
        self._stepping = False
        self._fault: Exception | None = None
        self._reason = "cut_off"
        """Why it ended; this until it says so itself."""
        self._watch = Watch(facts, parts.audience)
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()

    async def run(self, started: Once) -> None:
        """Live until the session is finished; all its tasks are gone then. `started`: it may be served.

        The observers have been told of its end then. Raises what a fault of ours raised.
        """
        try:
            async with self._group:
                started.set()
                self._report_from_now_on()
                try:
                    await self.finished.wait()
                finally:
                    self.finished.set()
                    for task in list(self._tasks):
                        if not task.cancelling():  # told again, it would not close its end
                            task.cancel()
        except Exception:
            self._reason = "fault"
            raise
        finally:
            self._timers.cancel()
            self._reporting.cancel()
            self._report()  # what has gone by since the last time
            if self._seat:
                self._seat.close(1011, "internal error")
            self._line_task = self._silence = None  # their tracebacks hold this runner
            self._watch.ended(self._reason, self._now())
        if self._fault:
            raise self._fault

    async def serve(self, transport: Transport, *, request_id: str, resume_token: str) -> None:
        """Give the session this client's socket; returns when the socket is done with."""
        seat = Seat(transport)
        if self._seat:
            self._seat.close(1000, "another socket came for this session")
            self.step(ev.ClientLeft(1000))
        self._seat = seat
        self._speech.settle()  # nothing of the other socket's any more
        self._voice.connect(seat.outbox)
        self.step(ev.Attached(request_id=request_id, resume_token=resume_token))
        if self._broken:
            seat.close(1011, "internal error")
        try:
            async with asyncio.TaskGroup() as group:
                pump = group.create_task(seat.pump(), name="client-pump")
                await transport.read(partial(self._from_client, seat))
                pump.cancel()
        finally:  # after a fault of ours the transport has not said so
            self._from_client(seat, ev.ClientLeft())

    def _from_client(self, seat: Seat, frame: bytes | PeerEvent) -> Credit | None:
        if seat is not self._seat:
            return None
        if isinstance(frame, bytes):
            if not self._speech.hear(frame) and not seat.warned:
                seat.warned = True
                self.step(ev.ClientSpokeEarly())
            return self._speech.credit
        if isinstance(frame, ev.ClientLeft):
            self._seat = None
            self._voice.connect(None)
        self.step(frame)
        return None

    def _from_agent(self, line: Line, frame: bytes | PeerEvent) -> Credit | None:
        if line is self._line:
            if isinstance(frame, bytes):
                return self._voice.say(frame)
            self.step(frame)
        return None

    @property
    def queued_bytes(self) -> tuple[int, int]:
        """What waits for the client's socket, and for the agent's."""
        ends = self._seat, self._line
        towards_client, towards_agent = (end.outbox.queued_bytes if end else 0 for end in ends)
        return towards_client, towards_agent

    # ── stepping ────────────────────────────────────────────────────────────────────────────

    def step(self, event: Event | PeerEvent) -> None:
        """Let the session handle an event and perform its commands, at once and without waiting."""
        self._waiting.append(event)
        if self._stepping:
            return
        self._stepping = True
        try:
            while self._waiting:
                self._step(self._waiting.pop(0))
        finally:
            self._stepping = False

    def _step(self, event: Event | PeerEvent) -> None:
        now = self._now()
        try:
            commands = [] if self._broken else self.session.handle(event, now)
            self._watch.stepped(event, commands, now)
            for command in commands:
                self._perform(command)
        except Exception as fault:
            self._fault, self._reason = fault, "fault"
            self.finished.set()

    @property
    def _broken(self) -> bool:
        """It was ended, and not by its rules: they must begin nothing any more."""
        return self.finished.is_set() and self.session.phase is not Phase.CLOSED

    def _now(self) -> Moment:
        voice = self._voice
        clock, at = self._loop.time(), self._parts.now()
        return Moment(clock, at, voice.reply, voice.reply_ms, voice.reply_began)

    def _perform(self, command: do.Command) -> None:
        match command:
            case do.Unschedule():
                self._timers.forget(command.event)
            case do.Schedule():
                self._timers.set(command.seconds, command.event)
            case do.Tell():
                if self._seat:
                    self._seat.tell(command.news)
            case do.Save():
                entry = command.entry
                self._parts.journal.append(entry).add_done_callback(partial(self._saved, entry))
            case do.KeepSpeech() | do.ForgetSpeech():
                self._speech.mind(command)
            case do.DropReply() | do.PassReply() | do.EndReply():
                self._voice.steer(command)
            case do.AskAgent():
                self._ask(command.ask)
            case do.RunIntent() | do.CancelIntent():
                self._act(command)
            case do.OpenAgent() | do.CloseAgent() | do.CloseClient() | do.Finish():
                self._manage(command)
            case do.HoldSpeech() | do.PassSpeech() | do.PlaySilence():
                self._steer_speech(command)
            case _:
                assert_never(command)

    def _ask(self, ask: do.Ask) -> None:
        """An agent that takes nothing any more is lost: another one will be asked again."""
        if self._line and not self._line.ask(ask):
            self._close_line()
            self.step(ev.AgentLeft(reason="too slow"))

    def _manage(self, command: do.OpenAgent | do.CloseAgent | do.CloseClient | do.Finish) -> None:
        match command:
            case do.OpenAgent():
                self._open_line(command)
            case do.CloseAgent():
                self._close_line()
            case do.CloseClient(code, reason):
                if self._seat:
                    self._seat.close(code, reason)
            case do.Finish(reason):
                self._reason = reason
                self.finished.set()

    def _steer_speech(self, command: do.HoldSpeech | do.PassSpeech | do.PlaySilence) -> None:
        if self._silence:
            self._silence.cancel()
            self._silence = None
        match command:
            case do.HoldSpeech():
                self._speech.hold()
            case do.PassSpeech():
                self._speech.open()
            case do.PlaySilence():
                self._speech.way = Way.SILENCE
                self._silence = self._start(self._play_silence(), "silence")

    async def _play_silence(self) -> None:
        frame, due = silence(self._speech.format, SILENCE_MS), self._loop.time()
        while frame:
            self._speech.play_silence(frame)
            due += SILENCE_MS / 1000
            await asyncio.sleep(due - self._loop.time())

    # ── tasks ───────────────────────────────────────────────────────────────────────────────

    def _start(self, work: Coroutine[object, object, None], name: str) -> asyncio.Task[None]:
        task = self._group.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _saved(self, entry: Entry, done: asyncio.Future[None]) -> None:
        error = None if done.cancelled() else done.exception()
        if done.cancelled() or error:
            code = error.code if isinstance(error, JournalFailed) else JournalFailed.code
            log.debug("entry_not_saved", code=code, problem=type(error).__name__)  # the journal says it once
            self.step(ev.SaveFailed(entry, code))
        else:
            self.step(ev.EntrySaved(entry))

    def _report_from_now_on(self) -> None:
        self._report()
        self._reporting = self._loop.call_later(REPORT_SECONDS, self._report_from_now_on)

    def _report(self) -> None:
        """Tell the observers what sound went by, and the session what had to be dropped."""
        now = self._now()
        for towards, way in (("agent", self._speech), ("client", self._voice)):
            frames, size, dropped, too_fast = way.collect()
            if frames:
                self._watch.sounded(towards, frames, size, now)
            for lost, early in ((dropped, False), (too_fast, True)):
                if lost:
                    milliseconds = lost * 1000 // way.format.bytes_per_second
                    self.step(ev.SoundDropped(towards, milliseconds, early))

    # ── the agent's end ─────────────────────────────────────────────────────────────────────

    def _open_line(self, command: do.OpenAgent) -> None:
        self._close_line()
        self._speech.format = command.audio_in
        self._voice.expect(command.audio_out)
        line = Line(self._from_agent)
        self._line = line
        self._speech.connect(line.outbox)
        self._line_task = self._start(line.run(self._brief_and_open(command), self._start), "agent")

    async def _brief_and_open(self, command: do.OpenAgent) -> Upstream:
        brief = await self._parts.briefing.brief(self._person, self.session.agent, command)
        return await self._parts.upstreams.open(brief)

    def _close_line(self) -> None:
        self._line = None
        self._voice.settle()
        self._speech.connect(None)
        if self._line_task:
            self._line_task.cancel()
            self._line_task = None

    # ── intents ─────────────────────────────────────────────────────────────────────────────

    def _act(self, command: do.RunIntent | do.CancelIntent) -> None:
        if isinstance(command, do.CancelIntent):
            if task := self._intents.get((command.request, command.call_id)):
                task.cancel()
            return
        key = command.call.request, command.call.function.id
        self._intents[key] = task = self._start(self._run_intent(command), "intent")
        task.add_done_callback(lambda _: self._intents.pop(key, None))

    async def _run_intent(self, command: do.RunIntent) -> None:
        job = Job(
            session_id=self.session.session_id,
            conversation_id=self.session.conversation_id,
            epoch=self.session.epoch,
            person=self._person,
            agent=self.session.agent,
            call=command.call,
            cursor=command.cursor,
            answered=command.answered,
        )
        try:
            outcome = await self._parts.intents.run(job)
        except asyncio.CancelledError:
            if self.finished.is_set():
                raise
            outcome = CANCELLED
        self.step(ev.IntentFinished(command.call.request, command.call.function.id, outcome))
