"""The first tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Users and conversations first; everything else refers to them."""
    _people_and_conversations()
    _what_was_said_and_done()
    _plans()


def _people_and_conversations() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(), nullable=False),
        *(_text(name) for name in ("name", "time_zone", "chronotype", "work_hours", "sleep_window")),
        _text("pin_hash", nullable=True),
        _at("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
    )
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(), nullable=False),
        _user("conversations"),
        _text("agent"),
        _text("title"),
        _at("started_at"),
        _at("last_activity_at"),
        _at("ended_at", nullable=True),
        sa.Column("duration_seconds", sa.Integer(), nullable=False),
        sa.Column("message_count", sa.Integer(), nullable=False),
        _text("linked_goal_id", nullable=True),
        _text("linked_task_id", nullable=True),
        _text("extracted_intent", nullable=True),
        _json("intent_payload", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
    )
    columns = ["user_id", "last_activity_at", "id"]
    op.create_index("ix_conversations_user_id_last_activity_at_id", "conversations", columns)
    op.create_table(
        "leases",
        _conversation("leases"),
        _user("leases"),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        _at("taken_at"),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_leases"),
    )


def _what_was_said_and_done() -> None:
    op.create_table(
        "entries",
        _conversation("entries"),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        _user("entries"),
        _at("at"),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=True),
        _text("content"),
        sa.Column("input_modality", sa.String(), nullable=True),
        sa.Column("interrupted", sa.Boolean(), nullable=False),
        _text("heard", nullable=True),
        _json("detail"),
        sa.PrimaryKeyConstraint("conversation_id", "epoch", "idx", name="pk_entries"),
    )
    op.create_table(
        "function_calls",
        _conversation("function_calls"),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        _user("function_calls"),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        _json("arguments"),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("wish", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        _json("result", nullable=True),
        _at("started_at"),
        _at("finished_at", nullable=True),
        sa.PrimaryKeyConstraint("conversation_id", "request", "call_id", name="pk_function_calls"),
    )
    columns = ["conversation_id", "wish", "started_at"]
    op.create_index("ix_function_calls_conversation_id_wish_started_at", "function_calls", columns)


def _plans() -> None:
    op.create_table(
        "goals",
        *_planned("goals"),
        _text("statement"),
        _text("timeline"),
        _at("due_at", nullable=True),
        _text("context_notes"),
        sa.PrimaryKeyConstraint("id", name="pk_goals"),
    )
    op.create_table(
        "tasks",
        *_planned("tasks"),
        _text("title"),
        sa.Column("trigger_type", sa.String(), nullable=False),
        _at("scheduled_at", nullable=True),
        _text("recurrence_rule", nullable=True),
        _text("location_trigger", nullable=True),
        _at("previous_time", nullable=True),
        _text("reschedule_reason"),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
    )
    for table in ("goals", "tasks"):
        op.create_index(f"ix_{table}_user_id", table, ["user_id"])
        op.create_index(f"ix_{table}_conversation_id", table, ["conversation_id"])


def _planned(table: str) -> list[sa.Column[Any]]:
    """What goals and tasks have in common; they outlive their conversation."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    name = f"fk_{table}_conversation_id"
    origin = sa.ForeignKey("conversations.id", name=name, ondelete="SET NULL")
    return [
        sa.Column("id", number, nullable=False),
        _user(table),
        sa.Column("conversation_id", sa.String(), origin, nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        _at("created_at"),
    ]


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON().with_variant(JSONB(), "postgresql"), nullable=nullable)


def _user(table: str) -> sa.Column[Any]:
    key = sa.ForeignKey("users.id", name=f"fk_{table}_user_id")
    return sa.Column("user_id", sa.String(), key, nullable=False)


def _conversation(table: str) -> sa.Column[Any]:
    """The row goes with its conversation."""
    key = sa.ForeignKey("conversations.id", name=f"fk_{table}_conversation_id", ondelete="CASCADE")
    return sa.Column("conversation_id", sa.String(), key, nullable=False)
