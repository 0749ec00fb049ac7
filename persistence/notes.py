"""Calls noted while the store was away, or whose effect it may have lost: still to be run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, func, select, tuple_

from bridge.core.model import Entry, Note, Outcome
from persistence.connection import Connection
from persistence.engine import Database
from persistence.entry_writer import is_to_run
from persistence.rows import to_entry, to_person
from persistence.tables import CONVERSATIONS, ENTRIES, NOTED_CALLS, USERS
from persistence.together import Together, amend, together, with_outcome

CONVERSATIONS_AT_ONCE: Final = 1000
CALLS_AT_ONCE: Final = 50
GATHER_SECONDS: Final = 0.25
LONGEST_GATHER_SECONDS: Final = 2.0
"""Calls that come in together are run together, which is less work; they have waited for longer than that."""


class Notes:
    """What the flusher put aside to be run. Any process may run it: the ledger knows what was.

    All methods but `flushed` raise StoreUnavailable.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._arrived = asyncio.Event()

    def flushed(self, entries: Sequence[Entry], again: bool) -> None:
        """The flusher's news: these are in the store now. `again`: it may have had them and lost them."""
        if any(is_to_run(entry, again=again) for entry in entries):
            self._arrived.set()

    async def wait(self, seconds: float) -> None:
        """Until there may be new ones, at most so long; and while more come at once, two seconds at most."""
        if not await self._arrives(seconds):
            return
        give_up = asyncio.get_running_loop().time() + LONGEST_GATHER_SECONDS
        while asyncio.get_running_loop().time() < give_up and await self._arrives(GATHER_SECONDS):
            pass

    async def _arrives(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            return False
        self._arrived.clear()
        return True

    async def waiting(self) -> list[str]:
        """The conversations that have some, those that wait for longest first."""
        async with self._database.reading() as connection:
            rows = await connection.execute(
                select(NOTED_CALLS.c.conversation_id)
                .join(ENTRIES, _of_call())
                .group_by(NOTED_CALLS.c.conversation_id)
                .order_by(func.min(ENTRIES.c.at))
                .limit(CONVERSATIONS_AT_ONCE)
            )
            return [row.conversation_id for row in rows]

    async def due(self, conversation_id: str) -> list[Note]:
        """The oldest ones of that, in the order they were asked for; not again what `end` was told of."""
        async with self._database.reading() as connection:
            rows = await connection.execute(
                select(*NOTED_CALLS.c, CONVERSATIONS.c.agent, CONVERSATIONS.c.user_id)
                .join(CONVERSATIONS, CONVERSATIONS.c.id == NOTED_CALLS.c.conversation_id)
                .join(ENTRIES, _of_call())
                .where(NOTED_CALLS.c.conversation_id == conversation_id)
                .order_by(ENTRIES.c.at, ENTRIES.c.epoch, ENTRIES.c.idx)
                .limit(CALLS_AT_ONCE)
            )
            return await _read(connection, rows.all())

    async def end(self, note: Note, outcome: Outcome) -> Entry:
        """It was run: its result becomes that outcome. The entry as it stands now."""
        ended = with_outcome(note, outcome)
        async with self._database.writing() as connection:
            await amend(connection, [ended])
        return ended

    def together(self, notes: Sequence[Note]) -> AbstractAsyncContextManager[Together]:
        """A transaction in which those of one conversation are run, see together.py."""
        return together(self._database, notes)


async def _read(connection: Connection, rows: Sequence[Row[Any]]) -> list[Note]:
    people = await connection.execute(select(*USERS.c).where(USERS.c.id.in_({row.user_id for row in rows})))
    keys = {key for row in rows for key in (_call(row), _result(row))}
    columns = ENTRIES.c.conversation_id, ENTRIES.c.epoch, ENTRIES.c.idx
    found = await connection.execute(select(*ENTRIES.c).where(tuple_(*columns).in_(keys)))
    persons = {row.id: to_person(row) for row in people}
    entries = {(row.conversation_id, row.epoch, row.idx): to_entry(row) for row in found}
    return [
        Note(
            agent=row.agent,
            person=persons[row.user_id],
            call=entries[_call(row)],
            result=entries[_result(row)],
        )
        for row in rows
    ]


def _call(row: Row[Any]) -> tuple[str, int, int]:
    return row.conversation_id, row.call_epoch, row.call_idx


def _result(row: Row[Any]) -> tuple[str, int, int]:
    return row.conversation_id, row.epoch, row.idx


def _of_call() -> ColumnElement[bool]:
    """The entry of the call, not of its result."""
    return and_(
        ENTRIES.c.conversation_id == NOTED_CALLS.c.conversation_id,
        ENTRIES.c.epoch == NOTED_CALLS.c.call_epoch,
        ENTRIES.c.idx == NOTED_CALLS.c.call_idx,
    )
