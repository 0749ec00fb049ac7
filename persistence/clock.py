"""The database's clock: the same for all processes that count something together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from persistence.connection import Connection
from persistence.engine import Database


def sql_now(database: Database) -> Any:
    """For a statement. SQLite, whose own has whole seconds only, is told: its file is on this machine."""
    return datetime.now(UTC) if database.is_sqlite else func.clock_timestamp()


async def now(connection: Connection, database: Database) -> datetime:
    """UTC."""
    if database.is_sqlite:
        return datetime.now(UTC)
    at: datetime = await connection.scalar(select(sql_now(database)))
    return at.astimezone(UTC)
