"""What operators do about users: add, list, lock, delete them, give them another PIN."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, or_, select, update

from bridge.errors import NotFound, Refused
from persistence import attempts, forgetting, revocations
from persistence.accounts import utc_now
from persistence.archive import sqlite_file
from persistence.attempts import OF_USER
from persistence.codec import storable
from persistence.connection import Connection
from persistence.engine import Database, make_engine, mapped
from persistence.migrate import PATIENCE_SECONDS, migrate, revisions
from persistence.tables import ACCOUNTS, CONVERSATIONS, GOALS, SIGN_INS, TASKS


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFacts:
    """What is shown of a user."""

    user_id: str
    has_pin: bool
    locked: bool
    sign_ins: int
    """Browsers and apps that are signed in by PIN now."""
    created_at: datetime


class Users:
    """Every method raises StoreUnavailable; those about one user NotFound.

    strangers: users whom an issuer knows may be named too, whether they have come yet or not.
    """

    def __init__(self, database: Database, *, strangers: bool = False) -> None:
        self._database = database
        self._strangers = strangers

    async def add(self, user_id: str, pin_hash: str, *, restore: bool = False) -> None:
        """Raises Refused when there is one, or (but with `restore`) was one whose record is still there."""
        async with self._database.writing() as connection:
            found = await connection.execute(select(*ACCOUNTS.c).where(_mine(user_id)))
            row = found.one_or_none()
            if not restore and await _left_something(connection, user_id):
                raise Refused(f"{user_id} was deleted; what was said by that name is still there")
            if row is not None and not row.deleted and row.pin_hash is not None:
                raise Refused(f"{user_id} is there already")
            await self._add(connection, user_id)
            changed = update(ACCOUNTS).where(_mine(user_id))
            await connection.execute(changed.values(pin_hash=pin_hash, deleted=False, locked=False))
            await attempts.clear(connection, OF_USER, user_id)

    async def all(self) -> Sequence[UserFacts]:
        """All but the deleted ones, by name."""
        columns = ACCOUNTS.c
        good = SIGN_INS.c.expires_at > utc_now()
        count = (
            select(SIGN_INS.c.user_id, func.count().label("sign_ins"))
            .where(good)
            .group_by(SIGN_INS.c.user_id)
        )
        there = select(*columns).where(~columns.deleted).order_by(columns.user_id)
        async with self._database.reading() as connection:
            counts = {row.user_id: row.sign_ins for row in await connection.execute(count)}
            return [_facts(row, counts.get(row.user_id, 0)) for row in await connection.execute(there)]

    async def set_pin(self, user_id: str, pin_hash: str) -> None:
        """Ends their sign-ins, and the wait after wrong PINs."""
        async with self._database.writing() as connection:
            await self._change(connection, user_id, pin_hash=pin_hash)
            await self._shut_out(connection, user_id)
            await attempts.clear(connection, OF_USER, user_id)

    async def lock(self, user_id: str) -> None:
        """Nobody comes by that name until `unlock`; sign-ins of before are ended for good."""
        async with self._database.writing() as connection:
            await self._change(connection, user_id, locked=True)
            await self._shut_out(connection, user_id)

    async def unlock(self, user_id: str) -> None:
        """Ends the wait after wrong PINs, too."""
        async with self._database.writing() as connection:
            await self._change(connection, user_id, locked=False)
            await attempts.clear(connection, OF_USER, user_id)

    async def sign_out(self, user_id: str) -> None:
        """Everywhere."""
        async with self._database.writing() as connection:
            await self._change(connection, user_id, deleted=False)
            await self._shut_out(connection, user_id)

    async def delete(self, user_id: str, *, keep: bool = False) -> None:
        """Nobody comes by that name any more, and all that is theirs goes, too.

        `keep`: what was said and made stays, until they are deleted without. There is no way back.
        """
        async with self._database.writing() as connection:
            if keep or not await _left_something(connection, user_id):
                await self._change(connection, user_id, pin_hash=None, deleted=True)
                await self._shut_out(connection, user_id)
        if not keep:
            await forgetting.forget(self._database, storable(user_id))

    async def _change(self, connection: Connection, user_id: str, **values: object) -> None:
        if self._strangers:
            await self._add(connection, user_id)
        there = update(ACCOUNTS).where(_mine(user_id), ~ACCOUNTS.c.deleted)
        if not (await connection.execute(there.values(**values))).rowcount:
            raise NotFound(f"there is no user {user_id}")

    async def _add(self, connection: Connection, user_id: str) -> None:
        await revocations.add_account(connection, self._database, user_id, utc_now())

    async def _shut_out(self, connection: Connection, user_id: str) -> None:
        await revocations.shut_out(connection, self._database, user_id, utc_now())


def _mine(user_id: str) -> Any:
    return ACCOUNTS.c.user_id == storable(user_id)


async def _left_something(connection: Connection, user_id: str) -> bool:
    """They were deleted, and what they said or made is still there."""
    deleted = exists().where(_mine(user_id), ACCOUNTS.c.deleted)
    theirs = [exists().where(t.c.user_id == storable(user_id)) for t in (CONVERSATIONS, GOALS, TASKS)]
    return bool(await connection.scalar(select(deleted & or_(*theirs))))


def _facts(row: Any, sign_ins: int) -> UserFacts:
    return UserFacts(
        user_id=row.user_id,
        has_pin=row.pin_hash is not None,
        locked=row.locked,
        sign_ins=sign_ins,
        created_at=row.created_at,
    )


async def able_to_sign_in(url: str) -> int:
    """How many have a PIN and are not locked; changes nothing. Raises BadConfig, StoreUnavailable."""
    if (file := sqlite_file(url)) and not file.is_file():
        return 0
    database = Database(url)
    database.open_for_use()
    try:
        with mapped():
            _, newest = await revisions(database.engine)
        if not newest:
            return 0
        able = select(func.count()).where(ACCOUNTS.c.pin_hash.is_not(None), ~ACCOUNTS.c.locked)
        async with database.reading() as connection:
            return int(await connection.scalar(able))
    finally:
        await database.close()


@asynccontextmanager
async def open_users(url: str, *, strangers: bool = False) -> AsyncIterator[Users]:
    """For as long as the block lasts, with or without a server; makes the tables.

    Raises BadConfig, StoreUnavailable.
    """
    engine = make_engine(url, statement_seconds=PATIENCE_SECONDS)
    try:
        with mapped():
            await migrate(engine)
    finally:
        await engine.dispose()
    database = Database(url)
    database.open_for_use()
    try:
        yield Users(database, strangers=strangers)
    finally:
        await database.close()
