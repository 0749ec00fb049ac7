"""What a store may have lost: a failover, or an older backup, can take its last transactions with it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, tuple_

from bridge.core.model import Entry
from persistence.tables import ENTRIES


def server_of(connection: Connection) -> str:
    """Which run of which server this is: only another can have lost something. A file loses nothing."""
    if connection.dialect.name == "sqlite":
        return ""
    started = connection.exec_driver_sql("SELECT extract(epoch FROM pg_postmaster_start_time())::text")
    return str(started.scalar_one())


def missing(connection: Connection, entries: Sequence[Entry]) -> list[Entry]:
    """Those of them that are not there."""
    columns = ENTRIES.c.conversation_id, ENTRIES.c.epoch, ENTRIES.c.idx
    keys = [(entry.conversation_id, entry.cursor.epoch, entry.cursor.idx) for entry in entries]
    there = connection.execute(select(*columns).where(tuple_(*columns).in_(keys)))
    found = {tuple(row) for row in there}
    return [entry for entry, key in zip(entries, keys, strict=True) if key not in found]
