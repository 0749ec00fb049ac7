"""What each user has of the limits, for all processes together: sessions begun, sessions at a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Whoever is deleted keeps what they have used up, so those tables refer to nobody."""
    with op.batch_alter_table("usage") as usage:
        usage.drop_constraint("fk_usage_user_id", type_="foreignkey")
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "starts",
        sa.Column("id", number, nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_starts"),
    )
    op.create_index("ix_starts_user_id_at", "starts", ["user_id", "at"])
    recalled = sa.Column("recalled", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("leases", recalled)
    op.execute("UPDATE leases SET recalled = epoch")  # nothing runs that nobody has released yet
    live = sa.text("released < epoch")
    op.create_index("ix_leases_live", "leases", ["user_id"], postgresql_where=live, sqlite_where=live)
    if op.get_bind().dialect.name == "postgresql":
        _wall()


def _wall() -> None:
    """As of every table, see 0009."""
    mine = "user_id = (SELECT current_setting('bridge.user', true))"
    system = "(SELECT current_setting('bridge.system', true)) = 'on'"
    op.execute("ALTER TABLE starts ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE starts FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY of_the_user ON starts USING ({mine})")
    op.execute(f"CREATE POLICY of_the_system ON starts USING ({system})")
