"""What a session needs from outside. Leaves implement these; `app.py` puts them together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from bridge.core.agent import Agent
from bridge.core.commands import Ask, Command, News
from bridge.core.events import Event, Moment, PeerEvent
from bridge.core.model import (
    JSON,
    AudioFormat,
    Call,
    Conversation,
    Cursor,
    Entry,
    Goal,
    Outcome,
    Person,
    Task,
    Thing,
)

T = TypeVar("T")

# ── both ends of the bridge ───────────────────────────────────────────────────────────────────────


class Transport(Protocol):
    """One client's socket, accepted. Exactly one task iterates `frames`; exactly one calls `send`."""

    def frames(self) -> AsyncIterator[bytes | PeerEvent]:
        """Sound as `bytes` (never empty), the rest as events. Ends when the socket is gone; never raises.

        The last thing it yields is `ClientLeft`. Unreadable messages come as `ClientErred`.
        """
        ...

    async def send(self, frame: bytes | News) -> None:
        """Write one frame. Raises PeerGone when the socket is gone or takes nothing for 5 s."""
        ...

    async def close(self, code: int, reason: str) -> None:
        """Close the socket; never raises, may be called twice."""
        ...


class Upstream(Protocol):
    """One agent session, open. Exactly one task iterates `frames`; exactly one calls `send`."""

    def frames(self) -> AsyncIterator[bytes | PeerEvent]:
        """Sound as `bytes`, the rest as events, `AgentReady` first. Ends with the agent; never raises.

        The last thing it yields is `AgentLeft`.
        """
        ...

    async def send(self, frame: bytes | Ask) -> None:
        """Write one frame. Raises PeerGone when the agent is gone or takes nothing for 5 s."""
        ...

    async def close(self) -> None:
        """End the agent session; never raises, may be called twice."""
        ...


class References(Protocol):
    """The user's things an argument may refer to, as they are now."""

    async def __call__(self, kind: str) -> Sequence[Thing]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """All that an agent is told before it talks."""

    agent: Agent
    prompt: str
    """The agent's prompt with the user's context appended."""
    greeting: str
    """Spoken first; empty = the agent waits to be spoken to."""
    history: tuple[Entry, ...]
    audio_in: AudioFormat
    """What it will hear."""
    audio_out: AudioFormat
    """What it must speak."""
    person: Person
    references: References
    client_agent: JSON | None = None
    """A client's own `Settings.agent`, when the agent allows it: replaces prompt, models, functions."""
    context: JSON = field(default_factory=dict)
    """What another bridge in front of us told of its user: time_zone, things."""


class Upstreams(Protocol):
    """A way to reach agents."""

    @property
    def name(self) -> str:
        """`deepgram`, `local`, …: for logs, metrics and the page."""
        ...

    async def open(self, brief: Brief) -> Upstream:
        """Open an agent session. Raises UpstreamFailed."""
        ...

    async def aclose(self) -> None:
        """Give back what is shared between sessions."""
        ...


# ── the record ────────────────────────────────────────────────────────────────────────────────────


class Journal(Protocol):
    """The local, durable, append-only log."""

    def append(self, entry: Entry) -> asyncio.Future[None]:
        """Queue an entry, without waiting. The future ends when it is durable, in the order of the calls.

        It fails with JournalFailed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A conversation and the right to act in it."""

    conversation: Conversation
    epoch: int
    """Ours; older owners' intents fail from now on."""
    history: tuple[Entry, ...]
    """All entries so far, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """A part of a list."""

    items: tuple[T, ...]
    next: str | None
    """Give it back to get the next part; None = this was the last."""


class Store(Protocol):
    """The SQL database. Every method takes the user first; what is not theirs is NotFound.

    All raise StoreUnavailable.
    """

    async def person(self, user_id: str, *, time_zone: str | None = None) -> Person:
        """The user; made with defaults when there is none yet. `time_zone`: IANA name, theirs from now on."""
        ...

    async def claim(self, user_id: str, *, agent: str, conversation_id: str | None) -> Claim:
        """Begin a conversation, or take one over: raises its epoch. Journalled entries are flushed first."""
        ...

    async def watch(self, owned: Callable[[], Mapping[str, int]], taken: Callable[[str, int], None]) -> None:
        """Tell `taken` of conversations in `owned` (id → epoch) that got a newer epoch; until cancelled."""
        ...

    async def release(self, user_id: str, conversation_id: str, *, epoch: int, seconds: int) -> None:
        """A session is over after that many seconds, all of it stored; `ended_at` if the epoch is the newest."""

    async def conversations(
        self, user_id: str, *, agent: str | None, text: str | None, limit: int, after: str | None
    ) -> Page[Conversation]:
        """Newest activity first; `text` is looked for in titles and messages."""
        ...

    async def conversation(self, user_id: str, conversation_id: str) -> Conversation: ...

    async def entries(
        self, user_id: str, conversation_id: str, *, after: Cursor | None, limit: int
    ) -> Page[Entry]:
        """Oldest first, those after the cursor. Cuts are entries of their own here."""
        ...

    async def rename(self, user_id: str, conversation_id: str, title: str) -> Conversation: ...

    async def delete(self, user_id: str, conversation_id: str) -> None:
        """The conversation, its entries and calls; goals and tasks stay. Wins over what is journalled."""
        ...

    async def goals(self, user_id: str) -> Sequence[Goal]: ...

    async def tasks(self, user_id: str) -> Sequence[Task]: ...

    async def ping(self) -> None:
        """One round trip, for `/ready`."""
        ...


# ── intents ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A function call of ours that is due."""

    session_id: str
    conversation_id: str
    epoch: int | None
    """The session's; None: the call was accepted before, whoever owns the conversation now."""
    person: Person
    """The session's user: authorisation comes from here, never from an argument."""
    agent: Agent
    call: Call
    cursor: Cursor
    asked_at: datetime | None = None
    """UTC; None: just now."""


class Intents(Protocol):
    """Executes function calls."""

    async def run(self, job: Job) -> Outcome:
        """Run it once; the same call again gets the stored outcome. Never raises but CancelledError."""
        ...


class Planner(Protocol):
    """Goals and tasks of one user, inside one transaction."""

    async def add_goal(
        self, *, statement: str, timeline: str, due_at: datetime | None, context_notes: str
    ) -> Goal: ...

    async def add_task(
        self,
        *,
        title: str,
        trigger_type: str,
        scheduled_at: datetime | None,
        recurrence_rule: str | None,
        location_trigger: str | None,
    ) -> Task: ...

    async def open_tasks(self) -> Sequence[Task]: ...

    async def task(self, task_id: str) -> Task | None:
        """That task, if it is this user's."""
        ...

    async def move_task(self, task_id: str, *, to: datetime, reason: str) -> Task:
        """Move it and keep the old time and the reason. Raises NotFound."""
        ...


class Transaction(Protocol):
    """What an intent's handler may touch; committed together with its outcome, or not at all."""

    @property
    def planner(self) -> Planner: ...


Handle = Callable[[Transaction], Awaitable[Outcome]]


class Ledger(Protocol):
    """Function calls: claimed once, run once, remembered. Key: conversation, upstream request, call id."""

    async def run_once(self, job: Job, arguments: JSON, handle: Handle) -> Outcome:
        """In ONE transaction: check the epoch, claim, `handle`, link the conversation, store the outcome.

        There already (same arguments, or the same wish in the intent's dedupe window): the stored outcome.
        An outcome that is not DONE rolls back what the handler wrote, and is stored.
        Raises StaleEpoch, CallMismatch, StoreUnavailable. Cancelling it before the commit leaves nothing.
        """
        ...

    async def begin(self, job: Job, arguments: JSON) -> Outcome | None:
        """Claim a call whose effect is outside (HTTP), committed at once. An Outcome: it ran before."""
        ...

    async def settle(self, job: Job, arguments: JSON, outcome: Outcome) -> None:
        """Store what came of a call that `begin` claimed."""
        ...


@dataclass(frozen=True, slots=True)
class SpokenTime:
    """A time found in words."""

    phrase: str
    """The words that were the time."""
    rest: str
    """The text without them."""
    at: datetime | None
    """UTC."""
    recurrence: str | None
    """RFC 5545 RRULE without its prefix."""


class TimeGrammar(Protocol):
    """Finds the time in what somebody said."""

    def __call__(self, text: str, now: datetime, zone: ZoneInfo) -> SpokenTime | None: ...


# ── watching ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """What identifies a session in logs and metrics."""

    session_id: str
    conversation_id: str
    user_id: str
    agent: str
    upstream: str


class Observer(Protocol):
    """Watches every step and changes nothing. Must be quick and must not raise."""

    def stepped(
        self, facts: SessionFacts, event: Event | PeerEvent, commands: Sequence[Command], now: Moment
    ) -> None: ...

    def sounded(self, facts: SessionFacts, towards: str, frames: int, size: int) -> None:
        """Frames and bytes relayed since the last report, at most once a second and at the end."""
        ...


# ── who is there ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Principal:
    """Who somebody is."""

    user_id: str


class Authenticator(Protocol):
    """Tells who somebody is from what a request brings."""

    async def __call__(self, headers: Mapping[str, str], credential: str | None) -> Principal:
        """`credential`: from the Authorization header or the sub-protocol. Raises Unauthenticated."""
        ...
