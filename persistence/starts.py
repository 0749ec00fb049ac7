"""New sessions of each user, counted for all processes together, in a window that moves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import bindparam, delete, select

from bridge.ports import Rate, RateReached
from persistence import clock
from persistence.connection import Connection
from persistence.engine import Database
from persistence.lease import alone
from persistence.tables import STARTS

_THEIRS: Final = STARTS.c.user_id == bindparam("theirs")
_LAST: Final = (
    select(STARTS.c.at)
    # None that has yet to come: the clock was ahead for a while, and would shut the user out until then.
    .where(_THEIRS, STARTS.c.at > bindparam("since"), STARTS.c.at <= bindparam("now"))
    .order_by(STARTS.c.at.desc())
    .offset(bindparam("before"))
    .limit(1)
)
_OVER: Final = delete(STARTS).where(_THEIRS, STARTS.c.until < bindparam("now"))
_ADD: Final = STARTS.insert()


def count(
    connection: SyncConnection, database: Database, user_id: str, rates: Sequence[Rate]
) -> RateReached | None:
    """Count one more, unless that is more than one of the rates allows: then which."""
    alone(connection, database, user_id)
    now = clock.now(connection, database)
    for rate in rates:
        if wait := _wait(connection, user_id, rate, now):
            return RateReached(rate, wait)
    until = now + timedelta(seconds=max(rate.seconds for rate in rates))
    connection.execute(_OVER, {"theirs": user_id, "now": now})
    connection.execute(_ADD, {"user_id": user_id, "at": now, "until": until})
    return None


def _wait(connection: SyncConnection, user_id: str, rate: Rate, now: datetime) -> float:
    """Seconds until the rate allows one more."""
    if not rate.sessions:
        return rate.seconds
    window = timedelta(seconds=rate.seconds)
    recent = {"theirs": user_id, "since": now - window, "now": now, "before": rate.sessions - 1}
    if (at := connection.scalar(_LAST, recent)) is None:
        return 0.0
    return float((at + window - now).total_seconds())


async def forget_old(connection: Connection, now: datetime) -> None:
    """Those that no rate counts any more."""
    await connection.execute(delete(STARTS).where(STARTS.c.until < now))
