"""Wrong PINs, counted over all processes: who has had too many waits, each time twice as long."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import case, delete, literal, update

from bridge.errors import TooMany
from persistence.connection import Connection
from persistence.engine import Database
from persistence.tables import ATTEMPTS

FORGOTTEN: Final = timedelta(hours=24)
"""After so long without another one they are forgotten."""
FIRST_WAIT: Final = 30.0
LONGEST_WAIT: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Limit:
    """How often one name, or one address, may be wrong before it has to wait."""

    kind: str
    tries: int
    code: str
    description: str

    def key(self, value: str) -> str:
        """What is stored of it."""
        return f"{self.kind} {hashlib.sha256(value.encode(errors='replace')).hexdigest()}"

    def wait(self, failures: int) -> float:
        """Seconds after so many failures."""
        over = failures - self.tries
        return 0.0 if over < 0 else min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(over, 30))


OF_ADDRESS: Final = Limit(
    "address", 20, "BRIDGE_TOO_MANY_TRIES", "Too many wrong PINs came from where you are."
)
OF_USER: Final = Limit("user", 5, "BRIDGE_LOCKED_OUT", "Too many wrong PINs for that name.")


async def charge(
    connection: Connection, database: Database, limit: Limit, value: str, now: datetime
) -> float:
    """Count one more; gives the seconds until the next one may be made. Raises TooMany, which counts nothing.

    Whoever tries at the same moment waits for this transaction. Charge limits in one order everywhere.
    """
    key = limit.key(value)
    fresh = database.insert(ATTEMPTS).values(key=key, failures=0, last_at=now, wait_until=now)
    # One statement that makes or locks it: between two a right PIN might clear it.
    locked = fresh.on_conflict_do_update(
        index_elements=[ATTEMPTS.c.key], set_={"failures": ATTEMPTS.c.failures}
    )
    row = (await connection.execute(locked.returning(*ATTEMPTS.c))).one()
    if row.wait_until > now:
        raise TooMany(limit.description, code=limit.code, retry_after=(row.wait_until - now).total_seconds())
    failures = 1 if now - row.last_at > FORGOTTEN else row.failures + 1
    wait = limit.wait(failures)
    await connection.execute(
        update(ATTEMPTS)
        .where(ATTEMPTS.c.key == key)
        .values(failures=failures, last_at=now, wait_until=now + timedelta(seconds=wait))
    )
    return wait


async def give_back(connection: Connection, limit: Limit, value: str, now: datetime) -> None:
    """One that was charged was right."""
    mine, columns = ATTEMPTS.c.key == limit.key(value), ATTEMPTS.c
    free = case(
        (columns.failures <= limit.tries, literal(now, columns.wait_until.type)), else_=columns.wait_until
    )
    fewer = update(ATTEMPTS).where(mine, columns.failures > 0)
    await connection.execute(fewer.values(failures=columns.failures - 1, wait_until=free))


async def clear(connection: Connection, limit: Limit, value: str) -> None:
    await connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.key == limit.key(value)))


async def forget_old(connection: Connection, now: datetime) -> None:
    """Those nobody is held to any more."""
    await connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.last_at < now - FORGOTTEN))
