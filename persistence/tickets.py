"""One-time tokens that any process on this database honours. They live by the database's clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, delete, func, select

from bridge.ports import SignIn, Ticket
from persistence.connection import Connection
from persistence.revocations import taken_back
from persistence.rows import to_conversation
from persistence.tables import CONVERSATIONS, TICKETS


async def keep(
    connection: Connection, conversation_id: str, digest: str, seconds: float, sign_in: SignIn | None
) -> None:
    """Remember one, and forget those whose time is over."""
    await connection.execute(delete(TICKETS).where(TICKETS.c.expires_at < func.now()))
    await connection.execute(
        TICKETS.insert().values(
            digest=digest,
            conversation_id=conversation_id,
            expires_at=func.now() + timedelta(seconds=seconds),
            sign_in=sign_in and sign_in.digest,
            issued_at=sign_in and sign_in.issued_at,
            valid_until=sign_in and sign_in.expires_at,
        )
    )


async def take(connection: Connection, digests: Sequence[str]) -> Ticket | None:
    """What one of these, of the same token, is for, if it is still good; gone from now on."""
    taken = await connection.execute(
        delete(TICKETS)
        .where(TICKETS.c.digest.in_(digests), TICKETS.c.expires_at > func.now())
        .returning(*TICKETS.c)
    )
    if (row := taken.one_or_none()) is None:
        return None
    mine = CONVERSATIONS.c.id == row.conversation_id
    conversation = to_conversation((await connection.execute(select(*CONVERSATIONS.c).where(mine))).one())
    sign_in = _sign_in(row, conversation.user_id)
    if sign_in and await taken_back(connection, [sign_in]):
        return None
    return Ticket(conversation, sign_in)


def _sign_in(row: Row[Any], user_id: str) -> SignIn | None:
    if row.sign_in is None:
        return None
    return SignIn(user_id=user_id, digest=row.sign_in, issued_at=row.issued_at, expires_at=row.valid_until)
