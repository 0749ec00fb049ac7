"""What a session knows, and the small steps that several of its rules share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import InitVar, dataclass, field
from enum import Enum

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core import timers as due
from bridge.core.agent import Agent
from bridge.core.call_limits import CallLimits
from bridge.core.calls import Calls, CallState
from bridge.core.events import Moment
from bridge.core.model import Cursor, Entry, What
from bridge.core.questions import Questions
from bridge.core.reply import Broken, Reply
from bridge.core.turn import Turn

Commands = Iterator[do.Command]

CLOSE_SECONDS = 30.0
"""How long saves and intents may run out after the end."""


class Phase(Enum):
    """Where a session stands."""

    WAITING = "waiting"
    """A client may be there; its `Settings` are not."""
    OPENING = "opening"
    """The client is there, the agent's end is being opened, perhaps again."""
    LIVE = "live"
    LINGERING = "lingering"
    """The client is gone; it may come back, and the agent may end its turn."""
    CLOSING = "closing"
    """Both ends are closed; saves and intents run out."""
    CLOSED = "closed"


class Link(Enum):
    """The agent's end."""

    ABSENT = "absent"
    OPENING = "opening"
    READY = "ready"


@dataclass(kw_only=True, eq=False, slots=True)
class State:
    """What a session knows. The rules (near, far, talk, acts, ending) change it; nobody else does."""

    session_id: str
    conversation_id: str
    user_id: str
    agent: Agent
    epoch: int
    history: InitVar[tuple[Entry, ...]] = ()
    phase: Phase = Phase.WAITING
    link: Link = Link.ABSENT
    entries: list[Entry] = field(init=False)
    """All durable entries of the conversation, oldest first."""
    resumed: bool = field(init=False)
    greeted: bool = field(init=False)
    settings: ev.ClientSettings | None = None
    """The newest the client sent."""
    settled: bool = False
    """The client that is there now has sent its `Settings`."""
    applied: bool = False
    """It has been told `SettingsApplied`."""
    resume_token: str = ""
    calls: Calls = field(default_factory=Calls)
    call_limits: CallLimits = field(init=False)
    reply: Reply = field(default_factory=Reply)
    broken: Broken | None = None
    """The reply the user broke into, while the client's last report of it is awaited."""
    turn: Turn = field(default_factory=Turn)
    confirmed: bool = False
    """The user's turn is confirmed: intents that write may run."""
    questions: Questions = field(default_factory=Questions)
    unheard: list[str] = field(default_factory=list)
    """What was typed and not echoed by the agent yet."""
    again: str = ""
    """What the user said last, given to a new agent session and not echoed by it yet."""
    request: str = ""
    """Id of the agent session (Deepgram: `Welcome.request_id`)."""
    failures: int = 0
    """Tries to open the agent that failed in a row."""
    waits: int = 0
    """Tries to open the agent that were put off in a row because it is busy."""
    ready_at: float = 0.0
    """Clock at which the agent was ready."""
    lost: bool = False
    """The client was told that the agent is gone."""
    amended: set[Cursor] = field(default_factory=set)
    """Entries that changed while there was no client to tell."""
    renew_by: float | None = None
    """Clock until which the agent session must be renewed; None = it is young."""
    leaving: ev.EndRequested | None = None
    """The session ends as soon as the turn under way is over,"""
    leave_by: float = 0.0
    """or at this clock."""
    next_idx: int = 0
    saving: int = 0
    """Entries on the way to the journal."""
    reason: str = ""
    """Why it ended."""

    def __post_init__(self, history: tuple[Entry, ...]) -> None:
        self.entries = list(history)
        self.resumed = self.greeted = bool(history)
        self.call_limits = CallLimits(self.agent.limits)

    @property
    def last(self) -> Cursor | None:
        """The newest durable entry."""
        return self.entries[-1].cursor if self.entries else None

    def tell(self, news: do.News) -> Commands:
        """Tell the client, if there is one that has said how it talks."""
        if self.settled:
            yield do.Tell(news)

    def record(self, what: What, now: Moment) -> Entry:
        """Number an entry. The caller must yield `Save` for it."""
        entry = Entry(
            conversation_id=self.conversation_id,
            user_id=self.user_id,
            cursor=Cursor(self.epoch, self.next_idx),
            at=now.at,
            what=what,
        )
        self.next_idx += 1
        self.saving += 1
        return entry

    def active(self) -> Commands:
        """Something was said: the idle time starts anew."""
        if self.settled:
            yield do.Unschedule(due.IdleOver)
            yield do.Schedule(self.agent.limits.idle_seconds, due.IdleReached())

    def close(self, reason: str, code: int = 1000) -> Commands:
        """End both ends; what is being saved or done runs out first."""
        self.phase, self.link, self.reason = Phase.CLOSING, Link.ABSENT, reason
        self.settled, self.confirmed = False, True
        for timer in ALL_TIMERS:
            yield do.Unschedule(timer)
        yield do.CloseClient(code, reason)
        yield do.CloseAgent()
        yield do.Schedule(CLOSE_SECONDS, due.CloseOverdue())
        for opened in self.calls.held():
            opened.state = CallState.RUNNING
            yield do.RunIntent(opened.call, opened.cursor)
        yield from self.finish_if_done()

    def finish_if_done(self) -> Commands:
        """End the session's tasks once nothing is under way."""
        if self.phase is Phase.CLOSING and not self.saving and not self.calls.running():
            yield from self.finish()

    def finish(self) -> Commands:
        self.phase = Phase.CLOSED
        yield do.Unschedule(due.CloseOverdue)
        yield do.Finish(self.reason)


ALL_TIMERS: tuple[type[due.Timer], ...] = (
    due.SettingsOverdue,
    due.ReopenDue,
    due.TurnConfirmDue,
    due.CutDue,
    due.StragglersOver,
    due.LingerOver,
    due.RejoinOver,
    due.IdleReached,
    due.IdleOver,
    due.LengthReached,
    due.PauseDue,
    due.RenewalDue,
    due.AnswerLate,
    due.AnswerOverdue,
    due.IntentLate,
)
