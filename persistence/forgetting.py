"""Deletes for good: conversations nobody has talked in for long, and all that there is of a user."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, delete, func, select, update

from persistence import clock, revocations, starts, usage
from persistence.accounts import utc_now
from persistence.claimed import remember_deletions
from persistence.connection import Connection
from persistence.engine import Database
from persistence.tables import ACCOUNTS, CONVERSATIONS, LEASES, METADATA, STARTS, USAGE, USERS

BATCH: Final = 20
"""Conversations of one transaction: a few hundred entries each, so that others wait for moments only."""
LOCK: Final = 7_201_405_118
"""Of the process that deletes what is old; PostgreSQL's advisory locks are numbers."""
STAYS: Final = (ACCOUNTS, STARTS, USAGE)
"""Of a user who is deleted: that earlier sign-ins do not count, and what they have had of their limits."""


async def expire(database: Database, before: datetime) -> int:
    """Delete some conversations that were last talked in, and last opened, before then; how many.

    0 = there are none left, or another process is at it. Those that are being opened are passed over.
    Raises StoreUnavailable.
    """
    async with database.writing() as connection:
        if not (database.is_sqlite or await connection.scalar(select(func.pg_try_advisory_xact_lock(LOCK)))):
            return 0
        old = (CONVERSATIONS.c.last_activity_at < before) & (LEASES.c.taken_at < before)
        return await _delete(connection, database, old)


async def forget_counts(database: Database) -> None:
    """What users have had of their limits, when it counts no more. Raises StoreUnavailable."""
    async with database.writing() as connection:
        now = await connection.run(lambda one: clock.now(one, database))
        await usage.forget_old(connection, now.date())
        await starts.forget_old(connection, now)


async def forget(database: Database, user_id: str) -> None:
    """Delete a user and all that is theirs: conversations, what was made in them, their PIN.

    Only the name stays, that whatever they were signed in with does not count any more, and until the day is
    over when they began to talk and for how long: else deleting oneself would be a way round every limit.
    What is still in a journal finds its conversation gone, and a call that runs has no effect.
    Raises StoreUnavailable.
    """
    mine = CONVERSATIONS.c.user_id == user_id
    more = BATCH
    while more == BATCH:
        async with database.writing() as connection:
            more = await _delete(connection, database, mine, wait=True)
    async with database.writing() as connection:
        while await _delete(connection, database, mine, wait=True):
            pass
        for table in reversed(METADATA.sorted_tables):
            if "user_id" in table.c and table not in STAYS:
                await connection.execute(delete(table).where(table.c.user_id == user_id))
        await connection.execute(delete(USERS).where(USERS.c.id == user_id))
        await revocations.shut_out(connection, database, user_id, utc_now())
        await connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.user_id == user_id).values(pin_hash=None))


async def _delete(
    connection: Connection, database: Database, which: ColumnElement[bool], *, wait: bool = False
) -> int:
    """A batch of those, with all that belongs to them; the leases are locked first, as by everybody."""
    rows = await connection.execute(
        select(LEASES.c.conversation_id)
        .join(CONVERSATIONS, CONVERSATIONS.c.id == LEASES.c.conversation_id)
        .where(which)
        .order_by(LEASES.c.conversation_id)
        .limit(BATCH)
        .with_for_update(of=LEASES, skip_locked=not wait)
    )
    ids = [row.conversation_id for row in rows.all()]
    if ids:
        await remember_deletions(connection, database, ids)
        await connection.execute(delete(LEASES).where(LEASES.c.conversation_id.in_(ids)))
        await connection.execute(delete(CONVERSATIONS).where(CONVERSATIONS.c.id.in_(ids)))
    return len(ids)
