"""Leases tell whose they are, so that those of a dead process can be given up for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those taken before this version belong to nobody."""
    op.add_column("leases", sa.Column("owner", sa.Text(), nullable=True))
    op.create_index("ix_leases_owner", "leases", ["owner"])
