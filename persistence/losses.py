"""What a store may have lost: a failover, or an older backup, can take its last transactions with it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, tuple_

from bridge.core.model import Entry
from persistence.connection import Connection
from persistence.engine import Database
from persistence.tables import ENTRIES


async def server_of(connection: Connection, database: Database) -> str:
    """Which run of which server this is: only another can have lost something. A file loses nothing."""
    if database.is_sqlite:
        return ""
    started = await connection.text("SELECT extract(epoch FROM pg_postmaster_start_time())::text")
    return str(started.scalar_one())


async def missing(connection: Connection, entries: Sequence[Entry]) -> list[Entry]:
    """Those of them that are not there."""
    columns = ENTRIES.c.conversation_id, ENTRIES.c.epoch, ENTRIES.c.idx
    keys = [(entry.conversation_id, entry.cursor.epoch, entry.cursor.idx) for entry in entries]
    there = await connection.execute(select(*columns).where(tuple_(*columns).in_(keys)))
    found = {tuple(row) for row in there}
    return [entry for entry, key in zip(entries, keys, strict=True) if key not in found]
