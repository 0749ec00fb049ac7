"""Sign-ins that were taken back: written down, told to every process, looked up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import asyncpg
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.exc import DBAPIError

from bridge.errors import StoreUnavailable
from bridge.ports import SignIn
from persistence.codec import storable
from persistence.connection import Connection
from persistence.engine import Database
from persistence.tables import ACCOUNTS, REVOKED, SIGN_INS

CHANNEL: Final = "bridge_revoked"
"""What PostgreSQL carries: a user's id."""
LOOK_SECONDS: Final = 0.5
"""How often SQLite is looked at, which tells nobody anything."""
PULSE_SECONDS: Final = 1.0
"""How often PostgreSQL is looked at: it may have told nothing, or just before there was anything to end."""
RETRY_SECONDS: Final = 0.5

Standing = Callable[[], Collection[SignIn]]
"""The sign-ins on whose strength something is open here."""


async def announce(connection: Connection, database: Database, user_id: str) -> None:
    """Tell all processes, on commit, that a user's sign-ins may not be good any more."""
    if not database.is_sqlite:
        await connection.execute(select(func.pg_notify(CHANNEL, storable(user_id))))


async def revoke(connection: Connection, database: Database, sign_in: SignIn, now: datetime) -> None:
    """Take one back. What would be over by itself is remembered no longer."""
    await connection.execute(delete(REVOKED).where(REVOKED.c.expires_at < now))
    await connection.execute(delete(SIGN_INS).where(SIGN_INS.c.digest == sign_in.digest))
    await connection.execute(
        database.insert(REVOKED)
        .values(digest=sign_in.digest, expires_at=sign_in.expires_at)
        .on_conflict_do_nothing()
    )
    await announce(connection, database, sign_in.user_id)


async def add_account(connection: Connection, database: Database, user_id: str, now: datetime) -> None:
    """Unless there is one."""
    fresh = {"user_id": storable(user_id), "locked": False, "deleted": False, "created_at": now}
    await connection.execute(database.insert(ACCOUNTS).values(fresh).on_conflict_do_nothing())


async def shut_out(connection: Connection, database: Database, user_id: str, now: datetime) -> None:
    """Take back all of a user's so far."""
    user_id = storable(user_id)
    await add_account(connection, database, user_id, now)
    mine = ACCOUNTS.c.user_id == user_id
    await connection.execute(update(ACCOUNTS).where(mine).values(signed_out_at=now))
    await connection.execute(delete(SIGN_INS).where(SIGN_INS.c.user_id == user_id))
    await announce(connection, database, user_id)


async def taken_back(connection: Connection, sign_ins: Iterable[SignIn]) -> list[SignIn]:
    """Those of them that are good no more, though their time is not over."""
    mine = list(sign_ins)
    digests = select(REVOKED.c.digest).where(REVOKED.c.digest.in_([one.digest for one in mine]))
    revoked = set((await connection.execute(digests)).scalars())
    users = ACCOUNTS.c.user_id.in_({storable(one.user_id) for one in mine})
    shut = or_(ACCOUNTS.c.locked, ACCOUNTS.c.deleted, ACCOUNTS.c.signed_out_at.is_not(None))
    rows = await connection.execute(select(*ACCOUNTS.c).where(users, shut))
    accounts = {row.user_id: row for row in rows}
    return [one for one in mine if one.digest in revoked or _is_shut_out(accounts, one)]


def _is_shut_out(accounts: dict[str, Any], sign_in: SignIn) -> bool:
    account = accounts.get(storable(sign_in.user_id))
    if account is None:
        return False
    too_old = account.signed_out_at is not None and sign_in.issued_at <= account.signed_out_at
    return bool(account.locked or account.deleted or too_old)


async def watch(database: Database, standing: Standing, revoked: Callable[[SignIn], None]) -> None:
    """Report what is taken back until cancelled; what happened while the store was away is caught up with.

    It may lack tables for a while, too: somebody restores a backup.
    """
    while True:
        with suppress(StoreUnavailable, DBAPIError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            if database.is_sqlite:
                await _check(database, standing, revoked)
            else:
                await _listen(database, standing, revoked)
        await asyncio.sleep(LOOK_SECONDS if database.is_sqlite else RETRY_SECONDS)


async def _listen(database: Database, standing: Standing, revoked: Callable[[SignIn], None]) -> None:
    """Until the connection is lost. Raises what asyncpg raises."""
    told = asyncio.Event()

    def heard(*_: object) -> None:
        told.set()

    async with database.listening() as connection:
        await connection.add_listener(CHANNEL, heard)
        while True:
            await connection.execute("SELECT 1")
            told.clear()
            await _check(database, standing, revoked)
            with suppress(TimeoutError):
                async with asyncio.timeout(PULSE_SECONDS):
                    await told.wait()


async def _check(database: Database, standing: Standing, revoked: Callable[[SignIn], None]) -> None:
    if mine := standing():
        async with database.reading() as connection:
            gone = await taken_back(connection, mine)
        for sign_in in gone:
            revoked(sign_in)
