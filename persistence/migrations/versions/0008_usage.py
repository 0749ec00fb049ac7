"""How long somebody has talked on a day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One row a day for everybody who talks."""
    key = sa.ForeignKey("users.id", name="fk_usage_user_id", ondelete="CASCADE")
    op.create_table(
        "usage",
        sa.Column("user_id", sa.String(), key, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "day", name="pk_usage"),
    )
