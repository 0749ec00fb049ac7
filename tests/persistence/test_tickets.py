"""One-time tokens at PostgreSQL: for one process of all, once, in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from persistence.record import Record, open_record
from persistence.tables import TICKETS
from tests.persistence.build import begun

SECONDS = 30.0


@pytest.fixture
async def pair(postgres_url: str, tmp_path: Path) -> AsyncIterator[tuple[Record, Record]]:
    """Two processes on one database."""
    async with (
        open_record(postgres_url, tmp_path / "a") as one,
        open_record(postgres_url, tmp_path / "b") as two,
    ):
        yield one, two


async def kept(record: Record, digest: str, *, left: float = SECONDS) -> str:
    """One that is good for so many seconds more; the id of its conversation."""
    key = (await begun(record)).conversation.id
    await record.store.keep_ticket(key, digest=digest, seconds=left, sign_in=None)
    return key


async def test_of_all_who_come_with_it_at_once_one_is_let_in(pair: tuple[Record, Record]) -> None:
    key = await kept(pair[0], "d")
    told = await asyncio.gather(*[record.store.take_ticket(["no", "d"]) for record in pair for _ in range(5)])
    assert [ticket.conversation.id for ticket in told if ticket] == [key]
    assert await pair[0].store.take_ticket(["d"]) is None


async def test_it_is_good_until_its_time_is_over(pair: tuple[Record, Record]) -> None:
    one, other = pair
    await kept(one, "late", left=5)
    await kept(one, "too late", left=-0.001)
    assert await other.store.take_ticket(["too late"]) is None
    assert await other.store.take_ticket(["late"])


async def test_those_whose_time_is_over_are_forgotten_with_the_next_one(pair: tuple[Record, Record]) -> None:
    await kept(pair[0], "old", left=-0.001)
    await kept(pair[1], "new")
    async with pair[0].database.reading() as connection:
        assert (await connection.execute(select(TICKETS.c.digest))).scalars().all() == ["new"]
        left = await connection.scalar(select(TICKETS.c.expires_at - func.now()))
    assert timedelta(seconds=SECONDS - 10) < left <= timedelta(seconds=SECONDS)
