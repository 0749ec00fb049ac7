"""Who owns a conversation: the newest epoch. Taken and checked by the database, on its clock.

Locks are always taken in the order user, lease, call, conversation; that is what keeps deadlocks away.
A user's row is another matter: it comes after the leases that are there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import bindparam, delete, func, select, update

from bridge.errors import NotFound, StaleEpoch, StoreUnavailable
from persistence import clock
from persistence.claimed import is_deleted
from persistence.connection import Connection
from persistence.engine import Database
from persistence.tables import LEASES
from persistence.walls import see_all

USER_LOCK: Final = 1_986_359_923
"""The first of two numbers of PostgreSQL's advisory locks of users; the second is a hash of whose it is."""
_EPOCH: Final = select(LEASES.c.epoch, LEASES.c.user_id).where(
    LEASES.c.conversation_id == bindparam("conversation_id")
)
_SHARED: Final = _EPOCH.with_for_update(read=True)
_ALONE: Final = _EPOCH.with_for_update()
_LIVE: Final = select(LEASES.c.conversation_id, LEASES.c.epoch).where(
    LEASES.c.user_id == bindparam("theirs"), LEASES.c.released < LEASES.c.epoch
)
_BEYOND: Final = {
    sqlite: _LIVE.where(LEASES.c.recalled < LEASES.c.epoch)
    # One that was taken while the clock was ahead is no newer than what begins now.
    .order_by(LEASES.c.taken_at > now, LEASES.c.taken_at.desc(), LEASES.c.conversation_id)
    .offset(bindparam("keep"))
    for sqlite, now in ((True, bindparam("now")), (False, func.clock_timestamp()))
}
"""By whose clock, see clock.py: are we on SQLite?"""
_RECALLED: Final = _LIVE.where(LEASES.c.recalled >= LEASES.c.epoch)
_RELEASE: Final = (
    update(LEASES)
    .where(
        LEASES.c.conversation_id == bindparam("in_conversation"),
        LEASES.c.user_id == bindparam("theirs"),
        LEASES.c.released < bindparam("over"),
    )
    .values(released=bindparam("over"))
)
_NEWEST_RELEASED: Final = select(LEASES.c.released).where(
    LEASES.c.conversation_id == bindparam("in_conversation"), LEASES.c.user_id == bindparam("theirs")
)


def alone(connection: SyncConnection, database: Database, user_id: str) -> None:
    """Nobody else counts that user's sessions until this transaction ends; SQLite has one writer anyway."""
    if not database.is_sqlite:
        lock = func.pg_advisory_xact_lock(USER_LOCK, func.hashtext(user_id))
        connection.execute(select(lock))


def first(
    connection: SyncConnection, database: Database, user_id: str, conversation_id: str, owner: str
) -> None:
    """Epoch 1 of a new conversation."""
    values = {"conversation_id": conversation_id, "user_id": user_id, "epoch": 1, "owner": owner}
    connection.execute(LEASES.insert().values(**values, taken_at=clock.sql_now(database)))


def take(
    connection: SyncConnection, database: Database, user_id: str, conversation_id: str, owner: str
) -> int:
    """Raise the epoch by one and return it; waits for intents of the owner before. Raises NotFound."""
    epoch = connection.scalar(
        update(LEASES)
        .where(LEASES.c.conversation_id == conversation_id, LEASES.c.user_id == user_id)
        .values(epoch=LEASES.c.epoch + 1, owner=owner, taken_at=clock.sql_now(database))
        .returning(LEASES.c.epoch)
    )
    if epoch is None:
        raise NotFound("there is no such conversation")
    return int(epoch)


def check(
    connection: SyncConnection, user_id: str, conversation_id: str, epoch: int | None, *, alone: bool = False
) -> None:
    """Make sure that `epoch` is the newest, and that it stays so until this transaction ends; None: any is.

    `alone`: and that nobody else acts in the conversation until then.

    Raises StaleEpoch, also when the conversation was deleted meanwhile; StoreUnavailable when the store has
    lost the claim and has not got it back yet.
    """
    found = connection.execute(_ALONE if alone else _SHARED, {"conversation_id": conversation_id})
    lease = found.one_or_none()
    if lease is None and _is_lost(connection, conversation_id):
        raise StoreUnavailable("the store has lost the conversation")
    if lease is None or lease.user_id != user_id or lease.epoch > (epoch or lease.epoch):
        raise StaleEpoch("somebody newer owns this conversation")
    if lease.epoch < (epoch or 0):
        raise StoreUnavailable("the store has lost who owns the conversation")


def _is_lost(connection: SyncConnection, conversation_id: str) -> bool:
    """It is nobody's, and was not deleted."""
    see_all(connection)
    theirs = connection.scalar(_EPOCH, {"conversation_id": conversation_id})
    return theirs is None and not is_deleted(connection, conversation_id)


def recall(connection: SyncConnection, database: Database, user_id: str, keep: int) -> dict[str, int]:
    """Have a user's sessions end but for the newest `keep`: conversation → epoch of all that still have to.

    One whose end could not be noted, or whose process was killed, counts until then.
    """
    alone(connection, database, user_id)
    theirs = {"theirs": user_id}
    beyond = theirs | {"keep": keep, "now": datetime.now(UTC)}
    for row in sorted(connection.execute(_BEYOND[database.is_sqlite], beyond).all()):
        same = LEASES.c.conversation_id == row.conversation_id, LEASES.c.epoch == row.epoch
        connection.execute(update(LEASES).where(*same).values(recalled=row.epoch))
    return {row.conversation_id: row.epoch for row in connection.execute(_RECALLED, theirs)}


def release(connection: SyncConnection, user_id: str, conversation_id: str, epoch: int) -> bool:
    """All that the owner of that epoch had is in the store. False: it knew that already."""
    mine = {"in_conversation": conversation_id, "theirs": user_id}
    if connection.execute(_RELEASE, mine | {"over": epoch}).rowcount:
        return True
    return connection.scalar(_NEWEST_RELEASED, mine) != epoch


async def release_all(connection: Connection, owner: str) -> None:
    """All that a dead owner had is in the store."""
    await connection.execute(
        update(LEASES)
        .where(LEASES.c.owner == owner, LEASES.c.released < LEASES.c.epoch)
        .values(released=LEASES.c.epoch)
    )


async def released(connection: Connection, conversation_id: str) -> int:
    """The newest epoch that was released; 0 = none."""
    mine = LEASES.c.conversation_id == conversation_id
    return int(await connection.scalar(select(LEASES.c.released).where(mine)) or 0)


async def drop(connection: Connection, user_id: str, conversation_id: str) -> None:
    """Nobody may act any more: the first step of deleting a conversation. Raises NotFound."""
    gone = await connection.execute(
        delete(LEASES).where(LEASES.c.conversation_id == conversation_id, LEASES.c.user_id == user_id)
    )
    if not gone.rowcount:
        raise NotFound("there is no such conversation")
