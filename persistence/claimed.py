"""That a process took a conversation, kept in its journal: a failover may take it out of the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import delete, func, select

from bridge.core.model import Entry
from persistence import clock
from persistence.codec import decode, dump_json
from persistence.connection import Connection
from persistence.engine import Database
from persistence.tables import CONVERSATIONS, GRAVES, LEASES, USERS

GRAVE_DAYS = 30
"""How long a deletion is remembered: longer than a machine with a journal stays off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A conversation was begun, or taken over."""

    conversation_id: str
    user_id: str
    time_zone: str
    """The user's, should they have to be made again; IANA name."""
    agent: str
    epoch: int
    owner: str
    """The journal's name."""
    at: datetime
    """UTC."""


def encode_claim(claimed: Claimed) -> bytes:
    """One line of JSON, told apart from an entry by having no cursor."""
    return dump_json({**asdict(claimed), "at": claimed.at.isoformat()})


def decode_line(text: bytes) -> Entry | Claimed:
    """A line of a journal. Raises ValueError, KeyError or TypeError when it is none."""
    if b'"cursor"' in text:
        return decode(text)
    body = orjson.loads(text)
    return Claimed(**{**body, "at": datetime.fromisoformat(body["at"])})


def restore(connection: SyncConnection, database: Database, claims: Sequence[Claimed]) -> None:
    """Make sure that the conversations are there, with those epochs at least, but for those deleted."""
    lost = _without_deleted(connection, _lost(connection, claims))
    for claimed in sorted(lost, key=lambda one: (one.conversation_id, one.epoch)):
        for table, values in _rows(claimed):
            connection.execute(database.insert(table).values(values).on_conflict_do_nothing())
        connection.execute(
            LEASES.update()
            .where(LEASES.c.conversation_id == claimed.conversation_id, LEASES.c.epoch < claimed.epoch)
            .values(epoch=claimed.epoch, owner=claimed.owner, taken_at=func.now())
        )


async def remember_deletions(connection: Connection, database: Database, ids: Sequence[str]) -> None:
    """Nobody restores them."""
    now = await connection.run(lambda one: clock.now(one, database))
    await connection.execute(delete(GRAVES).where(GRAVES.c.dug_at < now - timedelta(days=GRAVE_DAYS)))
    graves = [{"conversation_id": conversation_id, "dug_at": now} for conversation_id in ids]
    await connection.execute(database.insert(GRAVES).values(graves).on_conflict_do_nothing())


def is_deleted(connection: SyncConnection, conversation_id: str) -> bool:
    """Whether it was, in the last days."""
    mine = GRAVES.c.conversation_id == conversation_id
    return connection.scalar(select(GRAVES.c.conversation_id).where(mine)) is not None


def _lost(connection: SyncConnection, claims: Sequence[Claimed]) -> list[Claimed]:
    """Those whose lease is not there, or older. Nothing is locked: somebody may be acting."""
    ids = {claimed.conversation_id for claimed in claims}
    leases = connection.execute(
        select(LEASES.c.conversation_id, LEASES.c.epoch).where(LEASES.c.conversation_id.in_(ids))
    )
    epochs = {row.conversation_id: row.epoch for row in leases}
    return [claimed for claimed in claims if epochs.get(claimed.conversation_id, 0) < claimed.epoch]


def _without_deleted(connection: SyncConnection, claims: Sequence[Claimed]) -> list[Claimed]:
    ids = {claimed.conversation_id for claimed in claims}
    deleted = {*connection.scalars(select(GRAVES.c.conversation_id).where(GRAVES.c.conversation_id.in_(ids)))}
    return [claimed for claimed in claims if claimed.conversation_id not in deleted]


def _rows(claimed: Claimed) -> list[tuple[Any, dict[str, Any]]]:
    """What there has to be, in the order of the references."""
    person = {"id": claimed.user_id, "time_zone": claimed.time_zone, "created_at": claimed.at}
    blank = dict.fromkeys(("name", "chronotype", "work_hours", "sleep_window"), "")
    conversation = {
        "id": claimed.conversation_id,
        "user_id": claimed.user_id,
        "agent": claimed.agent,
        "title": "",
        "started_at": claimed.at,
        "last_activity_at": claimed.at,
        "duration_seconds": 0,
        "message_count": 0,
    }
    lease = {
        "conversation_id": claimed.conversation_id,
        "user_id": claimed.user_id,
        "epoch": claimed.epoch,
        "owner": claimed.owner,
        "taken_at": claimed.at,
    }
    return [(USERS, {**blank, **person}), (CONVERSATIONS, conversation), (LEASES, lease)]
