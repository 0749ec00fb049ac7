"""New sessions of each user, counted for all processes together, in a window that moves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from bridge.ports import Rate, RateReached
from persistence import clock
from persistence.connection import Connection
from persistence.engine import Database
from persistence.lease import alone
from persistence.tables import STARTS


async def count(
    connection: Connection, database: Database, user_id: str, rates: Sequence[Rate]
) -> RateReached | None:
    """Count one more, unless that is more than one of the rates allows: then which."""
    await alone(connection, database, user_id)
    now = await clock.now(connection, database)
    for rate in rates:
        if wait := await _wait(connection, user_id, rate, now):
            return RateReached(rate, wait)
    until = now + timedelta(seconds=max(rate.seconds for rate in rates))
    await connection.execute(delete(STARTS).where(STARTS.c.user_id == user_id, STARTS.c.until < now))
    await connection.execute(STARTS.insert().values(user_id=user_id, at=now, until=until))
    return None


async def _wait(connection: Connection, user_id: str, rate: Rate, now: datetime) -> float:
    """Seconds until the rate allows one more."""
    if not rate.sessions:
        return rate.seconds
    window = timedelta(seconds=rate.seconds)
    # None that has yet to come: the clock was ahead for a while, and would shut the user out until then.
    recent = STARTS.c.user_id == user_id, STARTS.c.at > now - window, STARTS.c.at <= now
    last = select(STARTS.c.at).where(*recent).order_by(STARTS.c.at.desc()).offset(rate.sessions - 1).limit(1)
    if (at := await connection.scalar(last)) is None:
        return 0.0
    return float((at + window - now).total_seconds())


async def forget_old(connection: Connection, now: datetime) -> None:
    """Those that no rate counts any more."""
    await connection.execute(delete(STARTS).where(STARTS.c.until < now))
