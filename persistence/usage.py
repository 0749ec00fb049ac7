"""How long people have talked today, all their conversations and all processes together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import delete, select

from persistence.connection import Connection
from persistence.engine import Database
from persistence.tables import USAGE


async def add(
    connection: Connection, database: Database, talked: Mapping[str, int], today: date
) -> dict[str, int]:
    """Each has talked so many seconds more today; how many that are now. The day begins at midnight, UTC."""
    if not talked:
        return {}
    insert = database.insert(USAGE)
    more = {"seconds": USAGE.c.seconds + insert.excluded.seconds}
    upsert = insert.on_conflict_do_update(index_elements=[USAGE.c.user_id, USAGE.c.day], set_=more)
    # In one order everywhere: two processes that lock each other's rows would wait for ever.
    rows = [{"user_id": user, "day": today, "seconds": seconds} for user, seconds in sorted(talked.items())]
    await connection.execute(upsert, rows)
    theirs = USAGE.c.user_id.in_(list(talked)), USAGE.c.day == today
    found = await connection.execute(select(USAGE.c.user_id, USAGE.c.seconds).where(*theirs))
    return {row.user_id: row.seconds for row in found}


async def forget_old(connection: Connection, today: date) -> None:
    """Nobody asks how long they talked on another day."""
    await connection.execute(delete(USAGE).where(USAGE.c.day < today))
