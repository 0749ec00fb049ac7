"""Users' PINs, sign-ins and wrong PINs, for the server (ports.Accounts)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime

from sqlalchemy import delete, select

from bridge.ports import Account, SignIn
from persistence import attempts, revocations
from persistence.attempts import OF_ADDRESS, OF_USER
from persistence.codec import storable
from persistence.engine import Database
from persistence.tables import ACCOUNTS, SIGN_INS


def utc_now() -> datetime:
    return datetime.now(UTC)


class Accounts:
    """See ports.Accounts."""

    def __init__(self, database: Database, *, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._now = now

    async def account(self, user_id: str) -> Account | None:
        """See ports.Accounts."""
        mine = ACCOUNTS.c.user_id == storable(user_id)
        async with self._database.reading() as connection:
            row = (await connection.execute(select(*ACCOUNTS.c).where(mine))).one_or_none()
        return None if row is None or row.pin_hash is None else Account(row.pin_hash, row.locked)

    async def charge(self, user_id: str, address: str) -> float:
        """See ports.Accounts."""
        now = self._now()
        async with self._database.writing() as connection:
            await attempts.forget_old(connection, now)
            of_address = await attempts.charge(connection, self._database, OF_ADDRESS, address, now)
            return max(of_address, await attempts.charge(connection, self._database, OF_USER, user_id, now))

    async def forgive(self, user_id: str, address: str) -> None:
        """See ports.Accounts. The address keeps what others were wrong with there."""
        async with self._database.writing() as connection:
            await attempts.give_back(connection, OF_ADDRESS, address, self._now())
            await attempts.clear(connection, OF_USER, user_id)

    async def keep(self, sign_in: SignIn) -> None:
        """See ports.Accounts."""
        async with self._database.writing() as connection:
            await connection.execute(delete(SIGN_INS).where(SIGN_INS.c.expires_at < self._now()))
            await connection.execute(
                SIGN_INS.insert().values(
                    digest=sign_in.digest,
                    user_id=storable(sign_in.user_id),
                    issued_at=sign_in.issued_at,
                    expires_at=sign_in.expires_at,
                )
            )

    async def find(self, digest: str) -> SignIn | None:
        """See ports.Accounts."""
        good = SIGN_INS.c.digest == digest, SIGN_INS.c.expires_at > self._now()
        async with self._database.reading() as connection:
            row = (await connection.execute(select(*SIGN_INS.c).where(*good))).one_or_none()
            if row is None:
                return None
            found = SignIn(**row._mapping)
            return None if await revocations.taken_back(connection, [found]) else found

    async def stands(self, sign_in: SignIn) -> bool:
        """See ports.Accounts."""
        async with self._database.reading() as connection:
            return not await revocations.taken_back(connection, [sign_in])

    async def revoke(self, sign_in: SignIn, *, everywhere: bool) -> None:
        """See ports.Accounts."""
        async with self._database.writing() as connection:
            await revocations.revoke(connection, self._database, sign_in, self._now())
            if everywhere:
                await revocations.shut_out(connection, self._database, sign_in.user_id, self._now())

    async def watch(
        self, standing: Callable[[], Collection[SignIn]], revoked: Callable[[SignIn], None]
    ) -> None:
        """See ports.Accounts."""
        await revocations.watch(self._database, standing, revoked)
