"""Owners say when all they had is in the store."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Whoever owned a conversation before this version is not waited for."""
    op.add_column("leases", sa.Column("released", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE leases SET released = epoch")
