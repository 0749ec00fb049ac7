"""Row-level security: each user's rows are theirs, whatever a query asks for. PostgreSQL only."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MINE = "= (SELECT current_setting('bridge.user', true))"
OF_A_USER = ("conversations", "leases", "entries", "function_calls", "goals", "tasks", "usage")
OF_THE_SYSTEM = ("tickets", "noted_calls", "accounts", "sign_ins", "revoked", "attempts")
"""Read before it is known who asks, or for all."""


def upgrade() -> None:
    """Each table's policies hold for its owner too. A new table needs its own, see `_wall`.

    Who may use the tables at all is put right at each start, see walls.py.
    """
    if op.get_bind().dialect.name != "postgresql":
        return
    _wall("users", f"id {MINE}")
    for table in OF_A_USER:
        _wall(table, f"user_id {MINE}")
    for table in OF_THE_SYSTEM:
        _wall(table, "false")
    _wall("graves", "true")  # ids that lead nowhere


def _wall(table: str, rows: str) -> None:
    """`rows`: the condition that picks those a user may see and change."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY of_the_user ON {table} USING ({rows})")
    system = "(SELECT current_setting('bridge.system', true)) = 'on'"
    op.execute(f"CREATE POLICY of_the_system ON {table} USING ({system})")
