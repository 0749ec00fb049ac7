"""How long somebody has talked on a day, all their conversations and all processes together."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import select

from persistence.connection import Connection
from persistence.engine import Database
from persistence.tables import USAGE


def today() -> date:
    """Days begin at midnight, UTC."""
    return datetime.now(UTC).date()


async def add(connection: Connection, database: Database, user_id: str, seconds: int) -> None:
    """They have talked so much longer today."""
    first = database.insert(USAGE).values(user_id=user_id, day=today(), seconds=seconds)
    key, more = [USAGE.c.user_id, USAGE.c.day], {"seconds": USAGE.c.seconds + seconds}
    await connection.execute(first.on_conflict_do_update(index_elements=key, set_=more))


async def seconds_today(connection: Connection, user_id: str) -> int:
    """What they have talked today in sessions that are over."""
    mine = select(USAGE.c.seconds).where(USAGE.c.user_id == user_id, USAGE.c.day == today())
    return int(await connection.scalar(mine) or 0)
