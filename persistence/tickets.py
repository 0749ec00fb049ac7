"""One-time tokens that any process on this database honours. They live by the database's clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, select

from bridge.core.model import Conversation
from persistence.connection import Connection
from persistence.rows import to_conversation
from persistence.tables import CONVERSATIONS, TICKETS


async def keep(connection: Connection, conversation_id: str, digest: str, seconds: float) -> None:
    """Remember one, and forget those whose time is over."""
    await connection.execute(delete(TICKETS).where(TICKETS.c.expires_at < func.now()))
    expires_at = func.now() + timedelta(seconds=seconds)
    await connection.execute(
        TICKETS.insert().values(digest=digest, conversation_id=conversation_id, expires_at=expires_at)
    )


async def take(connection: Connection, digests: Sequence[str]) -> Conversation | None:
    """What one of these, of the same token, is for, if its time is not over; gone from now on."""
    conversation_id = await connection.scalar(
        delete(TICKETS)
        .where(TICKETS.c.digest.in_(digests), TICKETS.c.expires_at > func.now())
        .returning(TICKETS.c.conversation_id)
    )
    if conversation_id is None:
        return None
    found = await connection.execute(select(*CONVERSATIONS.c).where(CONVERSATIONS.c.id == conversation_id))
    return to_conversation(found.one())
