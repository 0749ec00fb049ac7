"""A session as a script: `>> event` happens, `<< command` must follow. No socket, clock or database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core.agent import Agent, Effect, Intent
from bridge.core.events import Event, Moment, PeerEvent
from bridge.core.model import AudioFormat, Cursor, Entry, FunctionCall, Message, Role, What
from bridge.core.session import Session
from bridge.core.timers import Timer

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
HEARD = AudioFormat("linear16", 16000)
SPOKEN = AudioFormat("linear16", 24000)

AGENT = Agent(
    name="flux",
    title="Flux",
    prompt="You help.",
    greeting="Hey!",
    intents=(
        Intent(name="add_task", route="NEW_TASK", description="Add a task.", handler="planner.add_task"),
        Intent(
            name="list_tasks",
            route="LIST",
            description="List tasks.",
            handler="planner.list",
            effect=Effect.READ,
        ),
    ),
)

Expected = do.Command | type[do.Command] | Callable[[do.Command], bool]


class Playbook:
    """Steps a session and compares. Timers and kept speech stand apart, so that a script reads as a talk."""

    def __init__(self, *, agent: Agent = AGENT, history: tuple[Entry, ...] = ()) -> None:
        self.session = Session(
            session_id="s", conversation_id="c", user_id="u", agent=agent, epoch=2, history=history
        )
        self.now = Moment(0.0, START)
        self.timers: dict[type[Timer], float] = {}
        """Type → seconds, of those that are set."""
        self.keeping = False
        """What the user says is kept."""
        self.unsaved: list[Entry] = []
        self._pending: list[do.Command] = []

    def __rshift__(self, event: Event | PeerEvent) -> Playbook:
        """It happens. All that the event before led to must have been named."""
        self.done()
        if isinstance(event, Timer):
            assert type(event) in self.timers, f"{type(event).__name__} is not set"
            del self.timers[type(event)]
        for command in self.session.handle(event, self.now):
            match command:
                case do.Schedule(seconds, timer):
                    self.timers[type(timer)] = seconds
                case do.Unschedule(timer_type):
                    self.timers.pop(timer_type, None)
                case do.KeepSpeech() | do.ForgetSpeech():
                    self.keeping = isinstance(command, do.KeepSpeech)
                case _:
                    self._pending.append(command)
            if isinstance(command, do.Save):
                self.unsaved.append(command.entry)
        return self

    def __lshift__(self, expected: Expected) -> Playbook:
        """This must be next."""
        assert self._pending, f"nothing followed, but {expected!r} was expected"
        found = self._pending.pop(0)
        if isinstance(expected, type):
            assert isinstance(found, expected), f"{found!r} is no {expected.__name__}"
        elif callable(expected):
            assert expected(found), f"unexpected {found!r}"
        else:
            assert found == expected
        return self

    def done(self) -> None:
        """Nothing more may follow."""
        assert not self._pending, f"not named: {self._pending!r}"

    def save(self) -> Playbook:
        """The journal has made the oldest unsaved entry durable."""
        return self >> ev.EntrySaved(self.unsaved.pop(0))

    def take(self, into: list[do.Command]) -> Playbook:
        """What followed is for the script itself to look at."""
        into += self._pending
        return self.skip()

    def skip(self) -> Playbook:
        """What followed is the business of another test."""
        self._pending.clear()
        return self

    def wait(self, seconds: float) -> Playbook:
        """Time goes by; timers fire only when the script says so."""
        self.now = self.now._replace(
            clock=self.now.clock + seconds, at=self.now.at + timedelta(seconds=seconds)
        )
        return self

    def sound(self, reply: int, milliseconds: int) -> Playbook:
        """The agent's sound was relayed up to there."""
        self.now = self.now._replace(reply=reply, reply_ms=milliseconds)
        return self


def settings(**changes: object) -> ev.ClientSettings:
    """What our page sends."""
    return replace(ev.ClientSettings(audio_in=HEARD, audio_out=SPOKEN, wants_greeting=True), **changes)  # type: ignore[arg-type]


def live(**options: object) -> Playbook:
    """A session in the middle of a talk: client there, agent ready."""
    book = Playbook(**options)  # type: ignore[arg-type]
    for event in (ev.Attached(request_id="r", resume_token="t"), settings(), ev.AgentReady("agent-1")):
        book = (book >> event).skip()
    return book


def entry(idx: int, what: What, *, epoch: int = 2, at: datetime = START) -> Entry:
    """The entry the playbook's session makes of something."""
    return Entry(conversation_id="c", user_id="u", cursor=Cursor(epoch, idx), at=at, what=what)


def said(role: str, content: str) -> ev.TextArrived:
    """A line of the talk."""
    return ev.TextArrived(Message(Role(role), content))


def call(call_id: str = "f1", name: str = "add_task", arguments: str = "{}") -> FunctionCall:
    """A function call as an agent asks for it."""
    return FunctionCall(call_id, name, arguments)
