"""What operators read: conversations of all users, straight from the database, which is left as it is.

What a server has in its journal only is not there yet.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Select, and_, make_url, select
from sqlalchemy.exc import ArgumentError

from bridge.core.model import Conversation, Entry
from bridge.errors import BadConfig, NotFound
from bridge.ports import Page
from persistence.engine import Database
from persistence.pages import position, token
from persistence.rows import to_conversation, to_entry
from persistence.tables import CONVERSATIONS, ENTRIES


class Archive:
    """Every method raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def conversations(
        self, *, user_id: str | None, limit: int, after: str | None
    ) -> Page[Conversation]:
        """Newest activity first. Raises Refused when `after` is none of our tokens."""
        columns = CONVERSATIONS.c
        newest = columns.last_activity_at.desc(), columns.id.desc()
        query = select(*columns).order_by(*newest).limit(limit + 1)
        if user_id is not None:
            query = query.where(columns.user_id == user_id)
        if after is not None:
            at, key = position(after)
            same = and_(columns.last_activity_at == at, columns.id < key)
            query = query.where((columns.last_activity_at < at) | same)
        found = [to_conversation(row) for row in await self._read(query)]
        last = found[limit - 1] if len(found) > limit else None
        return Page(items=tuple(found[:limit]), next=token(last.last_activity_at, last.id) if last else None)

    async def conversation(self, conversation_id: str) -> tuple[Conversation, tuple[Entry, ...]]:
        """One, and all its entries, oldest first. Raises NotFound."""
        mine = CONVERSATIONS.c.id == conversation_id
        found = await self._read(select(*CONVERSATIONS.c).where(mine))
        if not found:
            raise NotFound("there is no such conversation")
        columns = ENTRIES.c
        said = select(*columns).where(columns.conversation_id == conversation_id)
        entries = await self._read(said.order_by(columns.epoch, columns.idx))
        return to_conversation(found[0]), tuple(to_entry(row) for row in entries)

    async def _read(self, query: Select[Any]) -> list[Any]:
        async with self._database.reading() as connection:
            return list((await connection.execute(query)).all())


@asynccontextmanager
async def open_archive(url: str) -> AsyncIterator[Archive]:
    """For as long as the block lasts. Raises BadConfig; a SQLite file that is not there is not made."""
    if (file := sqlite_file(url)) and not file.is_file():
        raise BadConfig(f"DATABASE_URL: there is no file {file} yet")
    database = Database(url)
    database.open_for_use()
    try:
        yield Archive(database)
    finally:
        await database.close()


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite URL; None: it is no such URL."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    sqlite = parsed.drivername.partition("+")[0] == "sqlite"
    return Path(parsed.database) if sqlite and parsed.database else None
