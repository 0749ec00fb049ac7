"""Who may come: accounts with PINs, sign-ins, what was taken back, and wrong PINs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Not a user's own rows: they are read before it is known who asks."""
    op.drop_column("users", "pin_hash")  # never used
    op.create_table(
        "accounts",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("pin_hash", sa.Text(), nullable=True),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        _at("signed_out_at", nullable=True),
        _at("created_at"),
        sa.PrimaryKeyConstraint("user_id", name="pk_accounts"),
    )
    op.create_table(
        "sign_ins",
        _digest(),
        sa.Column("user_id", sa.String(), nullable=False),
        _at("issued_at"),
        _at("expires_at"),
        sa.PrimaryKeyConstraint("digest", name="pk_sign_ins"),
    )
    op.create_index("ix_sign_ins_user_id", "sign_ins", ["user_id"])
    op.create_table(
        "revoked", _digest(), _at("expires_at"), sa.PrimaryKeyConstraint("digest", name="pk_revoked")
    )
    op.create_table(
        "attempts",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        _at("last_at"),
        _at("wait_until"),
        sa.PrimaryKeyConstraint("key", name="pk_attempts"),
    )
    op.add_column("tickets", sa.Column("sign_in", sa.Text(), nullable=True))
    op.add_column("tickets", _at("issued_at", nullable=True))
    op.add_column("tickets", _at("valid_until", nullable=True))


def _digest() -> sa.Column[str]:
    return sa.Column("digest", sa.String(), nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
