"""What is old is deleted, and what is somebody's when they want it; nothing of it comes back."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bridge.core.model import Message, Role
from bridge.errors import NotFound, StaleEpoch
from bridge.ports import Claim
from persistence import forgetting
from persistence.record import Record
from persistence.retention import Retention
from persistence.tables import ACCOUNTS, CONVERSATIONS, GRAVES, LEASES, METADATA, USERS
from tests.persistence.build import STRANGER, USER, adds_goal, adds_task, append, begun, entry, job

OLD = timedelta(days=91)
BEFORE = timedelta(days=90)


async def talked(record: Record, user_id: str = USER, *, ago: timedelta = timedelta(0)) -> Claim:
    """A conversation with a line in it that was last talked in, and opened, so long ago."""
    claim = await begun(record, user_id)
    await append(record, entry(claim, 0, Message(Role.USER, "hello")))
    await record.flusher.flush()
    await age(record, claim, ago)
    return claim


async def age(record: Record, claim: Claim, activity: timedelta, taken: timedelta | None = None) -> None:
    at, key = datetime.now(UTC), claim.conversation.id
    talked_at, taken_at = at - activity, at - (activity if taken is None else taken)
    async with record.database.writing() as connection:
        changed = update(CONVERSATIONS).where(CONVERSATIONS.c.id == key)
        await connection.execute(changed.values(last_activity_at=talked_at))
        await connection.execute(
            update(LEASES).where(LEASES.c.conversation_id == key).values(taken_at=taken_at)
        )


async def there(record: Record, user_id: str = USER) -> set[str]:
    page = await record.store.conversations(user_id, agent=None, text=None, limit=100, after=None)
    return {conversation.id for conversation in page.items}


async def expire(record: Record) -> int:
    return await forgetting.expire(record.database, datetime.now(UTC) - BEFORE)


async def rows(record: Record) -> dict[str, int]:
    """How many rows of the user there are, by table."""
    found: dict[str, int] = {}
    async with record.database.reading() as connection:
        for table in METADATA.sorted_tables:
            column: Any = table.c.get("user_id", table.c.id if table is USERS else None)
            if column is not None:
                count = select(func.count()).select_from(table).where(column == USER)
                found[table.name] = await connection.scalar(count) or 0
    return found


async def test_what_is_old_is_deleted_and_what_is_newer_stays(record: Record) -> None:
    old, new = await talked(record, ago=OLD), await talked(record, ago=timedelta(days=89))
    await record.ledger.run_once(job(old), {"a": 1}, adds_goal())
    await age(record, old, OLD)

    assert (await expire(record), await expire(record)) == (1, 0)
    assert await there(record) == {new.conversation.id}
    with pytest.raises(NotFound):
        await record.store.conversation(USER, old.conversation.id)
    assert [goal.conversation_id for goal in await record.store.goals(USER)] == [None]


async def test_an_old_conversation_that_is_open_again_stays(record: Record) -> None:
    claim = await talked(record)
    await age(record, claim, OLD, timedelta(0))

    assert await expire(record) == 0


async def test_it_is_deleted_a_few_at_a_time(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 2)
    for _ in range(5):
        await talked(record, ago=OLD)

    assert [await expire(record) for _ in range(4)] == [2, 2, 1, 0]


async def test_only_one_process_is_at_it_and_those_that_talk_are_passed_over(record: Record) -> None:
    claim = await talked(record, ago=OLD)
    other = await talked(record, ago=OLD)
    if record.database.is_sqlite:
        pytest.skip("a SQLite file has one writer")
    async with record.database.writing() as connection:
        await connection.execute(
            select(LEASES.c.epoch)
            .where(LEASES.c.conversation_id == claim.conversation.id)
            .with_for_update(read=True)
        )
        assert await expire(record) == 1
        assert other.conversation.id not in await there(record)
    async with record.database.writing() as connection:
        assert await connection.scalar(select(func.pg_try_advisory_xact_lock(forgetting.LOCK)))
        assert await expire(record) == 0
    assert await expire(record) == 1


async def test_what_is_deleted_does_not_come_back_from_the_journal(record: Record) -> None:
    claim = await talked(record, ago=OLD)
    assert await expire(record) == 1
    await append(record, entry(claim, 1, Message(Role.USER, "too late")))
    await record.flusher.flush()

    assert await there(record) == set()
    with pytest.raises(StaleEpoch):
        await record.ledger.run_once(job(claim), {"a": 1}, adds_goal())


async def test_that_something_was_deleted_is_forgotten_after_a_month(record: Record) -> None:
    for days in (29, 31):
        await record.store.delete(USER, (await begun(record)).conversation.id)
        async with record.database.writing() as connection:
            fresh = GRAVES.c.dug_at > datetime.now(UTC) - timedelta(days=1)
            dug_at = datetime.now(UTC) - timedelta(days=days)
            await connection.execute(update(GRAVES).where(fresh).values(dug_at=dug_at))
    await record.store.delete(USER, (await begun(record)).conversation.id)
    async with record.database.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(GRAVES)) == 2


async def test_the_job_deletes_what_is_old_and_keeps_all_with_zero_days(record: Record) -> None:
    claim = await talked(record, ago=OLD)
    for days, left in ((0, {claim.conversation.id}), (90, set())):
        async with Retention(record.database, days=days, look_seconds=0.1):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(10 if days else 0.3):
                    while await there(record):  # noqa: ASYNC110 — the database tells nobody
                        await asyncio.sleep(0.01)
        assert await there(record) == left


async def test_a_user_is_forgotten_with_everything_and_nobody_else(record: Record) -> None:
    claims = [await talked(record) for _ in range(3)]
    theirs = await talked(record, STRANGER)
    await record.ledger.run_once(job(claims[0]), {"a": 1}, adds_goal())
    await record.ledger.run_once(job(claims[1], name="add_task"), {"title": "run"}, adds_task())
    assert {name for name, count in (await rows(record)).items() if count} >= {
        *("users", "conversations", "leases", "entries", "function_calls", "goals", "tasks")
    }

    async with record.database.writing() as connection:
        account = {"user_id": USER, "pin_hash": "x", "created_at": datetime.now(UTC)}
        await connection.execute(ACCOUNTS.insert().values(**account, locked=False, deleted=False))

    await record.store.forget(USER)

    assert {name for name, count in (await rows(record)).items() if count} == {"accounts"}
    assert await there(record, STRANGER) == {theirs.conversation.id}
    await append(record, entry(claims[2], 1, Message(Role.USER, "too late")))
    await record.flusher.flush()
    assert {name for name, count in (await rows(record)).items() if count} == {"accounts"}
    with pytest.raises(StaleEpoch):
        await record.ledger.run_once(job(claims[2]), {"a": 2}, adds_goal())
    assert (await record.store.person(USER)).name == ""
    async with record.database.reading() as connection:
        account_now = (await connection.execute(select(*ACCOUNTS.c))).one()
    assert (account_now.pin_hash, account_now.locked) == (None, False)
    assert account_now.signed_out_at is not None


async def test_more_than_a_batch_is_forgotten_too(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 2)
    for _ in range(5):
        await begun(record)
    async with record.database.writing() as connection:
        account = {"user_id": USER, "pin_hash": "x", "created_at": datetime.now(UTC)}
        await connection.execute(ACCOUNTS.insert().values(**account, locked=False, deleted=False))

    await record.store.forget(USER)

    assert {name for name, count in (await rows(record)).items() if count} == {"accounts"}


async def test_nobody_can_be_forgotten(record: Record) -> None:
    await record.store.forget("nobody")
