"""The tables, as SQLModel classes. Neither they nor their rows leave `persistence/`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, ClassVar, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from persistence.codec import in_utc

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_LIVE: Final = text("released < epoch")


class UTCDateTime(TypeDecorator[datetime]):
    """An instant. In and out as an aware datetime in UTC; SQLite, which knows no zones, keeps it naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Raises ValueError for naive ones."""
        if value is None:
            return None
        value = in_utc(value)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Always aware."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _json() -> Any:
    """JSON on both databases, binary on PostgreSQL; None is SQL's NULL."""
    return JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def _number() -> Any:
    """A counting primary key; SQLite counts only a column that is exactly INTEGER."""
    return BigInteger().with_variant(Integer(), "sqlite")


def _user(*, index: bool = False) -> Any:
    return Field(sa_column=Column(String, ForeignKey("users.id"), nullable=False, index=index))


def _owner(*, primary_key: bool = True) -> Any:
    """The conversation a row lives and dies with."""
    key = ForeignKey("conversations.id", ondelete="CASCADE")
    return Field(sa_column=Column(String, key, primary_key=primary_key, nullable=False))


def _origin() -> Any:
    """The conversation a goal or task was made in; it outlives it."""
    key = ForeignKey("conversations.id", ondelete="SET NULL")
    return Field(default=None, sa_column=Column(String, key, nullable=True, index=True))


def _at(*, nullable: bool = False) -> Any:
    column: Column[datetime] = Column(UTCDateTime(), nullable=nullable)
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)


def _text(*, nullable: bool = False) -> Any:
    return Field(default=None if nullable else "", sa_column=Column(Text, nullable=nullable))


class Row(SQLModel):
    """The root of our tables."""

    metadata: ClassVar[MetaData] = METADATA


class User(Row, table=True):
    """Somebody who talks."""

    __tablename__ = "users"
    id: str = Field(primary_key=True)
    name: str = _text()
    time_zone: str = _text()
    chronotype: str = _text()
    work_hours: str = _text()
    sleep_window: str = _text()
    created_at: datetime = _at()


class Conversation(Row, table=True):
    """A conversation; lives until it is deleted."""

    __tablename__ = "conversations"
    __table_args__ = (Index(None, "user_id", "last_activity_at", "id"),)
    id: str = Field(primary_key=True)
    user_id: str = _user()
    agent: str = _text()
    title: str = _text()
    started_at: datetime = _at()
    last_activity_at: datetime = _at()
    ended_at: datetime | None = _at(nullable=True)
    duration_seconds: int = Field(default=0)
    message_count: int = Field(default=0)
    linked_goal_id: str | None = _text(nullable=True)
    linked_task_id: str | None = _text(nullable=True)
    extracted_intent: str | None = _text(nullable=True)
    intent_payload: Any = Field(default=None, sa_column=Column(_json(), nullable=True))


class Lease(Row, table=True):
    """Who may act in a conversation. A table of its own: a slow intent does not hold up the flusher."""

    __tablename__ = "leases"
    __table_args__ = (
        Index(None, "owner"),
        Index("ix_leases_live", "user_id", postgresql_where=_LIVE, sqlite_where=_LIVE),
    )
    conversation_id: str = _owner()
    user_id: str = _user()
    epoch: int = Field(sa_column=Column(BigInteger, nullable=False))
    released: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    """The newest epoch whose owner has brought everything into the store."""
    recalled: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    """The newest epoch whose owner is to end: its user has begun others."""
    owner: str | None = _text(nullable=True)
    """The journal of the process that took it; None: in an older version."""
    taken_at: datetime = _at()


class Ticket(Row, table=True):
    """A one-time token for a conversation, of any process."""

    __tablename__ = "tickets"
    digest: str = Field(primary_key=True)
    """SHA-256 of the token, in hex."""
    conversation_id: str = _owner(primary_key=False)
    expires_at: datetime = _at()
    sign_in: str | None = _text(nullable=True)
    """Digest of the sign-in that asked for it; None: there was none that could be taken back."""
    issued_at: datetime | None = _at(nullable=True)
    """Of that sign-in, as is the next."""
    valid_until: datetime | None = _at(nullable=True)


class Account(Row, table=True):
    """Who may come. Users of an issuer's tokens have one only once they were locked or signed out."""

    __tablename__ = "accounts"
    user_id: str = Field(primary_key=True)
    pin_hash: str | None = _text(nullable=True)
    """argon2id; None: comes without a PIN, or not at all."""
    locked: bool = Field(default=False)
    deleted: bool = Field(default=False)
    """The name stays taken: what was said by it is still there."""
    signed_out_at: datetime | None = _at(nullable=True)
    """Sign-ins issued until then do not count."""
    created_at: datetime = _at()


class SignIn(Row, table=True):
    """A browser or an app whose user has entered a PIN."""

    __tablename__ = "sign_ins"
    digest: str = Field(primary_key=True)
    """SHA-256 of the credential, in hex."""
    user_id: str = Field(index=True)
    issued_at: datetime = _at()
    expires_at: datetime = _at()


class Revoked(Row, table=True):
    """A sign-in that was taken back before its time, whoever issued it."""

    __tablename__ = "revoked"
    digest: str = Field(primary_key=True)
    expires_at: datetime = _at()


class Attempts(Row, table=True):
    """PINs that were wrong, of one name or from one address."""

    __tablename__ = "attempts"
    key: str = Field(primary_key=True)
    """The kind and SHA-256 of it: who types the PIN for a name leaves no PIN here."""
    failures: int = Field(default=0)
    last_at: datetime = _at()
    wait_until: datetime = _at()


class Start(Row, table=True):
    """A new session, for as long as it counts. Whoever is deleted does not begin anew, so no reference."""

    __tablename__ = "starts"
    __table_args__ = (Index(None, "user_id", "at"),)
    id: int | None = Field(default=None, sa_column=Column(_number(), primary_key=True))
    user_id: str
    at: datetime = _at()
    until: datetime = _at()
    """No rate counts it any more."""


class Usage(Row, table=True):
    """How long somebody has talked on a day. Of whoever is deleted, too."""

    __tablename__ = "usage"
    user_id: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    """UTC."""
    seconds: int = Field(sa_column=Column(BigInteger, nullable=False))


class Grave(Row, table=True):
    """A conversation that was deleted not long ago: nobody brings it back."""

    __tablename__ = "graves"
    conversation_id: str = Field(primary_key=True)
    dug_at: datetime = _at()


class Entry(Row, table=True):
    """One thing that was said or done. `detail` is the codec's JSON of it, for a message its further keys."""

    __tablename__ = "entries"
    conversation_id: str = _owner()
    epoch: int = Field(sa_column=Column(BigInteger, primary_key=True))
    idx: int = Field(sa_column=Column(BigInteger, primary_key=True))
    user_id: str = _user()
    at: datetime = _at()
    kind: str
    role: str | None = Field(default=None)
    content: str = _text()
    input_modality: str | None = Field(default=None)
    interrupted: bool = Field(default=False)
    heard: str | None = _text(nullable=True)
    detail: Any = Field(sa_column=Column(_json(), nullable=False))


class FunctionCall(Row, table=True):
    """A call of one of our intents: claimed once, and what came of it. `status` pending = not known yet."""

    __tablename__ = "function_calls"
    __table_args__ = (Index(None, "conversation_id", "wish", "started_at"),)
    conversation_id: str = _owner()
    request: str = Field(primary_key=True)
    call_id: str = Field(primary_key=True)
    user_id: str = _user()
    epoch: int = Field(sa_column=Column(BigInteger, nullable=False))
    name: str
    arguments: Any = Field(sa_column=Column(_json(), nullable=False))
    fingerprint: str
    """Hash of the arguments: the same call must come with the same ones."""
    wish: str | None = Field(default=None)
    """Hash of the arguments that make two calls the same wish, when the intent names some."""
    status: str
    result: Any = Field(default=None, sa_column=Column(_json(), nullable=True))
    started_at: datetime = _at()
    finished_at: datetime | None = _at(nullable=True)


class NotedCall(Row, table=True):
    """A call whose result says that it was noted, or whose effect may have been lost: still to be run."""

    __tablename__ = "noted_calls"
    conversation_id: str = _owner()
    epoch: int = Field(sa_column=Column(BigInteger, primary_key=True))
    idx: int = Field(sa_column=Column(BigInteger, primary_key=True))
    """Of the result; the call stands at `call_epoch`, `call_idx`."""
    call_epoch: int = Field(sa_column=Column(BigInteger, nullable=False))
    call_idx: int = Field(sa_column=Column(BigInteger, nullable=False))


class Goal(Row, table=True):
    """Something a user wants to reach."""

    __tablename__ = "goals"
    id: int | None = Field(default=None, sa_column=Column(_number(), primary_key=True))
    user_id: str = _user(index=True)
    conversation_id: str | None = _origin()
    statement: str = _text()
    timeline: str = _text()
    due_at: datetime | None = _at(nullable=True)
    context_notes: str = _text()
    status: str = Field(default="open")
    created_at: datetime = _at()


class Task(Row, table=True):
    """Something a user wants to be reminded of."""

    __tablename__ = "tasks"
    id: int | None = Field(default=None, sa_column=Column(_number(), primary_key=True))
    user_id: str = _user(index=True)
    conversation_id: str | None = _origin()
    title: str = _text()
    trigger_type: str
    scheduled_at: datetime | None = _at(nullable=True)
    recurrence_rule: str | None = _text(nullable=True)
    location_trigger: str | None = _text(nullable=True)
    status: str = Field(default="open")
    previous_time: datetime | None = _at(nullable=True)
    reschedule_reason: str = _text()
    created_at: datetime = _at()


def _table(name: str) -> Table:
    return METADATA.tables[name]


USERS: Final = _table("users")
CONVERSATIONS: Final = _table("conversations")
LEASES: Final = _table("leases")
TICKETS: Final = _table("tickets")
ACCOUNTS: Final = _table("accounts")
SIGN_INS: Final = _table("sign_ins")
REVOKED: Final = _table("revoked")
ATTEMPTS: Final = _table("attempts")
STARTS: Final = _table("starts")
USAGE: Final = _table("usage")
GRAVES: Final = _table("graves")
ENTRIES: Final = _table("entries")
FUNCTION_CALLS: Final = _table("function_calls")
NOTED_CALLS: Final = _table("noted_calls")
GOALS: Final = _table("goals")
TASKS: Final = _table("tasks")
