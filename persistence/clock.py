"""The database's clock: the same for all processes that count something together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from persistence.engine import Database


def sql_now(database: Database) -> Any:
    """For a statement. SQLite, whose own has whole seconds only, is told: its file is on this machine."""
    return datetime.now(UTC) if database.is_sqlite else func.clock_timestamp()


def now(connection: Connection, database: Database) -> datetime:
    """UTC."""
    if database.is_sqlite:
        return datetime.now(UTC)
    at: datetime | None = connection.scalar(select(sql_now(database)))
    assert at is not None
    return at.astimezone(UTC)
