"""The nouns of a conversation: what was said, what was done, by whom, and where in the order it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from bridge.core.fact import fact

JSON = Mapping[str, object]
"""A JSON object as it came; the core carries it and does not look inside."""


class Role(StrEnum):
    """Who said a message (Deepgram: `ConversationText.role`)."""

    USER = "user"
    ASSISTANT = "assistant"


class Modality(StrEnum):
    """How a message came in."""

    VOICE = "voice"
    TEXT = "text"


class Status(StrEnum):
    """How a function call ended."""

    DONE = "done"
    REFUSED = "refused"
    """The arguments were wrong, missing or impossible, or the function is not known; nothing happened."""
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    UNCONFIRMED = "unconfirmed"
    """It is destructive and the user has not said yes yet: the content is the question; nothing happened."""
    CANCELLED = "cancelled"
    """The agent withdrew it before it had an effect."""
    NOTED = "noted"
    """The store is away: accepted, runs once later from the journal."""


@fact(order=True)
class Cursor:
    """The position of an entry in its conversation; later entries compare greater."""

    epoch: int
    """How many times the conversation has been taken over, from 1."""
    idx: int
    """Number of the entry within its epoch, from 0, without holes."""

    def __str__(self) -> str:
        return f"{self.epoch}:{self.idx}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read `epoch:idx`. Raises ValueError when it is anything else."""
        epoch, colon, idx = text.partition(":")
        if not (colon and epoch.isascii() and epoch.isdecimal() and idx.isascii() and idx.isdecimal()):
            raise ValueError(f"a cursor looks like 3:14, not {text[:40]!r}")
        if len(text) > 30:
            raise ValueError("that cursor is too long")
        return cls(int(epoch), int(idx))


@fact()
class AudioFormat:
    """Raw sound without a header, one channel (Deepgram: `audio.input`, `audio.output`)."""

    encoding: str = "linear16"
    """Deepgram's name: linear16, mulaw, alaw, …"""
    sample_rate: int = 16000
    """Hz."""

    @property
    def bytes_per_second(self) -> int:
        """Bytes of one second of sound; for compressed encodings an upper bound."""
        match self.encoding:
            case "mulaw" | "alaw":
                return self.sample_rate
            case "linear32":
                return self.sample_rate * 4
            case _:
                return self.sample_rate * 2


@fact()
class Message:
    """Something that was said."""

    role: Role
    content: str
    modality: Modality = Modality.VOICE
    extra: JSON = field(default_factory=dict)
    """Further keys of Deepgram's `ConversationText` (languages, conversational_behavior, …), passed on."""


@fact()
class FunctionCall:
    """A function the agent wants to have run (Deepgram: `FunctionCallRequest.functions[]`)."""

    id: str
    """The agent's, opaque."""
    name: str
    arguments: str
    """JSON as text; from a language model, so perhaps not JSON at all."""
    client_side: bool = True
    """Deepgram's flag: True = the receiver of the request is to answer it."""
    thought_signature: str | None = None


@fact(kw_only=True)
class Call:
    """A function call as an entry: asked for, not yet answered."""

    request: str
    """Id of the agent session (Deepgram: `Welcome.request_id`); with `function.id` the idempotency key."""
    function: FunctionCall
    ours: bool = True
    """True: an intent executed here. False: a function of the client's, answered by the client."""


@fact(kw_only=True)
class Outcome:
    """What came of a function call."""

    status: Status
    content: str
    """One sentence for the agent to say or to act on."""
    note: str = ""
    """For the agent only, never spoken: ids it may need later, e.g. `task_id: 12`."""
    duration_ms: int = 0
    route: str = ""
    """The intent's route, e.g. NEW_TASK; empty when the function is not known."""
    goal_id: str | None = None
    task_id: str | None = None


@fact(kw_only=True)
class Result:
    """The end of a function call as an entry."""

    request: str
    call_id: str
    name: str
    outcome: Outcome
    ours: bool = True
    of: Cursor | None = None
    """Where its call stands."""


@fact()
class Cut:
    """The user interrupted: of that assistant message only `heard` was heard."""

    of: Cursor
    heard: str


What = Message | Call | Result | Cut


@fact(kw_only=True)
class Entry:
    """One thing that was said or done, in its place. Never changed once it has a cursor.

    But for one: a result that was noted gets its outcome when the call has been run.
    """

    conversation_id: str
    user_id: str
    cursor: Cursor
    at: datetime
    """When it was parsed, UTC."""
    what: What


@fact(kw_only=True)
class Conversation:
    """What is known of a conversation beside its entries."""

    id: str
    user_id: str
    agent: str
    title: str
    """The first wish, shortened; empty until there is one."""
    started_at: datetime
    last_activity_at: datetime
    ended_at: datetime | None = None
    duration_seconds: int = 0
    """Seconds in sessions, all sessions together."""
    message_count: int = 0
    linked_goal_id: str | None = None
    linked_task_id: str | None = None
    extracted_intent: str | None = None
    """Route of the last intent that was done."""
    intent_payload: JSON | None = None
    """Its arguments."""


@fact(kw_only=True)
class Person:
    """A user, as far as an agent needs to know them."""

    id: str
    name: str = ""
    time_zone: str = "UTC"
    """IANA name."""
    chronotype: str = ""
    work_hours: str = ""
    """E.g. `09:00-17:30`, local."""
    sleep_window: str = ""


@fact(kw_only=True)
class Note:
    """A call that was answered with NOTED, and is still to be run."""

    agent: str
    person: Person
    call: Entry
    result: Entry


@fact(kw_only=True)
class Goal:
    """Something a user wants to reach."""

    id: str
    statement: str
    timeline: str = ""
    """As said: "in three months"."""
    due_at: datetime | None = None
    """What the timeline means, UTC, when it was understood."""
    context_notes: str = ""
    status: str = "open"
    created_at: datetime
    conversation_id: str | None = None


@fact(kw_only=True)
class Task:
    """Something a user wants to be reminded of."""

    id: str
    title: str
    trigger_type: str
    """time | location"""
    scheduled_at: datetime | None = None
    """UTC; of a recurrence, the first occurrence."""
    recurrence_rule: str | None = None
    """RFC 5545 RRULE without its prefix; wall-clock time in the user's zone."""
    location_trigger: str | None = None
    status: str = "open"
    previous_time: datetime | None = None
    """Where it was before the last move, UTC."""
    reschedule_reason: str = ""
    created_at: datetime
    conversation_id: str | None = None


@fact()
class Thing:
    """One of a user's things that an argument may refer to."""

    kind: str
    """What it is, as in a parameter's `refers_to`: task, goal."""
    id: str
    title: str
    at: datetime | None = None
