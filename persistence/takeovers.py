"""Tells a process which of its sessions are to end: others have their conversations, or their places."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any, Final

import asyncpg
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from bridge.errors import StoreUnavailable
from persistence.engine import Database
from persistence.tables import LEASES

CHANNEL: Final = "bridge_taken"
"""What PostgreSQL carries: `epoch conversation`."""
LOOK_SECONDS: Final = 2.0
"""How often SQLite is looked at, which tells nobody anything."""
PULSE_SECONDS: Final = 10.0
"""How often PostgreSQL is looked at: it may have told us of a session that was only about to begin."""
FIRST_RETRY: Final = 0.25
LONGEST_RETRY: Final = 5.0

Owned = Callable[[], Mapping[str, int]]
"""The conversations that have a session here, with its epoch."""
Taken = Callable[[str, int], None]
"""Is told a conversation and its newest epoch."""


def announce(connection: Connection, database: Database, conversation_id: str, epoch: int) -> None:
    """Tell all processes, on commit, that older owners of a conversation are to end."""
    if not database.is_sqlite:
        connection.execute(select(func.pg_notify(CHANNEL, f"{epoch} {conversation_id}")))


async def watch(database: Database, owned: Owned, taken: Taken) -> None:
    """Report take-overs until cancelled; what happened while the store was away is caught up with.

    It may lack tables for a while, too: somebody restores a backup.
    """
    retry = FIRST_RETRY
    while True:
        try:
            if database.is_sqlite:
                await _check(database, owned, taken)
                await asyncio.sleep(LOOK_SECONDS)
            else:
                await _listen(database, owned, taken)
            retry = FIRST_RETRY
        except (StoreUnavailable, DBAPIError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await asyncio.sleep(retry * random.uniform(0.5, 1))
            retry = min(retry * 2, LONGEST_RETRY)


async def _listen(database: Database, owned: Owned, taken: Taken) -> None:
    """Until the connection is lost. Raises what asyncpg raises."""

    def heard(_connection: Any, _pid: int, _channel: str, payload: Any) -> None:
        epoch, _, conversation_id = str(payload).partition(" ")
        taken(conversation_id, int(epoch))

    async with database.listening() as connection:
        await connection.add_listener(CHANNEL, heard)
        while True:
            await connection.execute("SELECT 1")
            await _check(database, owned, taken)
            await asyncio.sleep(PULSE_SECONDS)


async def _check(database: Database, owned: Owned, taken: Taken) -> None:
    mine = owned()
    if not mine:
        return
    async with database.reading() as connection:
        columns = LEASES.c.conversation_id, LEASES.c.epoch, LEASES.c.recalled
        rows = await connection.execute(select(*columns).where(LEASES.c.conversation_id.in_(list(mine))))
    for row in rows.all():
        newest = max(row.epoch, row.recalled + 1)
        if newest > mine[row.conversation_id]:
            taken(row.conversation_id, newest)
