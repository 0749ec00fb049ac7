"""The JSON of our REST interface as pydantic models: they check requests and fill /openapi.json."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from unicodedata import category

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, SecretStr, StringConstraints

from bridge.settings import known_zone
from bridge.wire import read_cursor
from bridge.wire.server_messages import EntryJson


def _printable(text: str) -> str:
    if any(category(character) == "Cc" for character in text):
        raise ValueError("control characters are not allowed")
    if not any(character.isprintable() and not character.isspace() for character in text):
        raise ValueError("there is nothing to see in it")
    return text


def _cursor(text: str) -> str:
    read_cursor(text)
    return text


Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_printable)
]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(known_zone)]
CursorText = Annotated[str, StringConstraints(max_length=30), AfterValidator(_cursor)]


class Shape(BaseModel):
    """Unknown fields are mistakes."""

    model_config = ConfigDict(extra="forbid")


# ── requests ────────────────────────────────────────────────────────────────────────────────


class SessionWish(Shape):
    agent: Name | None = Field(
        None, description="Name of the agent; absent: the conversation's, or the default."
    )
    conversation_id: Name | None = Field(None, description="Go on with this conversation.")
    time_zone: Zone | None = Field(None, description="The user's IANA time zone, e.g. Europe/Berlin; kept.")


class SignInWish(Shape):
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    pin: SecretStr = Field(min_length=1, max_length=64)
    keep: Literal["cookie", "token"] = Field(
        "cookie", description="cookie: for a browser; token: the answer has it, for an app."
    )


class SignOutWish(Shape):
    everywhere: bool = Field(
        False, strict=True, description="All of the user's sign-ins, not this one alone."
    )


class ConversationChange(Shape):
    title: Words


class ConversationQuery(Shape):
    agent: Name | None = Field(None, description="Only conversations with this agent.")
    text: Words | None = Field(None, description="Only those with this text in their title or messages.")
    limit: int = Field(50, ge=1, le=200, description="At most so many.")
    after: Words | None = Field(None, description="`next` of the part before.")


class EntryQuery(Shape):
    limit: int = Field(100, ge=1, le=200, description="At most so many.")
    after: CursorText | None = Field(None, description="Only entries after this cursor, e.g. 3:14.")


class EventQuery(Shape):
    after: CursorText | None = Field(None, description="Only entries after this cursor, e.g. 3:14.")


class ExportQuery(Shape):
    format: Literal["json", "markdown"] = "json"


# ── answers ─────────────────────────────────────────────────────────────────────────────────


class Error(Shape):
    code: str = Field(description="Stable; see docs/protocol.md.")
    description: str


class ErrorAnswer(Shape):
    error: Error


class SignInState(Shape):
    method: Literal["none", "pin", "jwt"] = Field(description="How people prove who they are.")
    user_id: str | None = Field(description="Who is signed in; null: nobody.")
    sign_in_url: str | None = Field(description="Where people sign in, if elsewhere.")


class SignedIn(Shape):
    user_id: str
    expires_at: datetime
    token: str | None = Field(description="With `keep: token`; null: it is in the cookie.")


class EntryShape(RootModel[EntryJson]):
    root: EntryJson = Field(discriminator="kind")


class EntryPart(Shape):
    items: list[EntryShape]
    next: str | None


class ConversationShape(Shape):
    id: str
    agent: str
    title: str
    started_at: datetime
    last_activity_at: datetime
    ended_at: datetime | None
    duration_seconds: int
    message_count: int
    linked_goal_id: str | None
    linked_task_id: str | None
    extracted_intent: str | None
    intent_payload: dict[str, object] | None


class ConversationPart(Shape):
    items: list[ConversationShape]
    next: str | None


class ConversationExport(Shape):
    conversation: ConversationShape
    messages: list[EntryShape]


class UserShape(Shape):
    id: str
    name: str
    time_zone: str
    chronotype: str
    work_hours: str
    sleep_window: str


class UserExport(Shape):
    user: UserShape
    goals: list[GoalShape]
    tasks: list[TaskShape]
    conversations: list[ConversationExport]


class AgentShape(Shape):
    name: str
    title: str
    greeting: str


class LimitsShape(Shape):
    session_seconds: float
    idle_seconds: float
    idle_grace_seconds: float


class SessionAnswer(Shape):
    session_id: str
    conversation_id: str
    websocket_url: str
    token: str = Field(description="For one handshake, within 30 seconds.")
    agent: AgentShape
    upstream: str = Field(description="Who answers: deepgram, local, …")
    messages: list[EntryShape] = Field(description="All entries so far, calls and results included.")
    limits: LimitsShape


class SessionClosed(Shape):
    session_id: str
    status: Literal["closed"]
    message_count: int


class GoalShape(Shape):
    id: str
    statement: str
    timeline: str
    due_at: datetime | None
    context_notes: str
    status: str
    created_at: datetime
    conversation_id: str | None


class GoalPart(Shape):
    items: list[GoalShape]
    next: str | None


class TaskShape(Shape):
    id: str
    title: str
    trigger_type: str
    scheduled_at: datetime | None
    recurrence_rule: str | None
    location_trigger: str | None
    status: str
    previous_time: datetime | None
    reschedule_reason: str
    created_at: datetime
    conversation_id: str | None


class TaskPart(Shape):
    items: list[TaskShape]
    next: str | None
