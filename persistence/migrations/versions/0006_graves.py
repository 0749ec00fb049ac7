"""What was deleted is remembered for a while, so that a failover does not bring it back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of a conversation only its id."""
    op.create_table(
        "graves",
        sa.Column("conversation_id", sa.String(), nullable=False),
        sa.Column("dug_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_graves"),
    )
