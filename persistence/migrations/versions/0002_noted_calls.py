"""Calls that were noted while the store was away, and are still to be run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One row for each, until it has been run."""
    op.create_table(
        "noted_calls",
        sa.Column("conversation_id", sa.String(), nullable=False),
        *(_number(name) for name in ("epoch", "idx", "call_epoch", "call_idx")),
        sa.PrimaryKeyConstraint("conversation_id", "epoch", "idx", name="pk_noted_calls"),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_noted_calls_conversation_id",
            ondelete="CASCADE",
        ),
    )


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)
