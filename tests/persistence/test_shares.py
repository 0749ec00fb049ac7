"""What users have had of their limits: one count for all processes, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from bridge.ports import Rate, RateReached
from persistence import forgetting
from persistence.record import Record, open_record
from persistence.tables import LEASES, STARTS, USAGE
from tests.persistence.build import STRANGER, USER, begun

FIVE = Rate(5, 600)
DAY = Rate(20, 86_400)


@pytest.fixture
async def other(database_url: str, tmp_path: Path) -> AsyncIterator[Record]:
    """Another process's, on the same store."""
    async with open_record(database_url, tmp_path / "other") as record:
        yield record


async def shift(record: Record, **by: float) -> None:
    """What was counted so far was so much earlier."""
    earlier = timedelta(**by)
    async with record.database.writing() as connection:
        for row in (await connection.execute(select(*STARTS.c))).all():
            moved = {"at": row.at - earlier, "until": row.until - earlier}
            await connection.execute(update(STARTS).where(STARTS.c.id == row.id).values(moved))


# ── new sessions ────────────────────────────────────────────────────────────────────────────


async def test_at_the_limit_and_one_past_it_whichever_process_counts(record: Record, other: Record) -> None:
    stores = [record.store, other.store] * 2 + [record.store]
    assert [await store.count_session(USER, [FIVE]) for store in stores] == [None] * 5
    for store in (record.store, other.store):
        reached = await store.count_session(USER, [FIVE])
        assert reached
        assert reached.rate == FIVE
        assert 590 < reached.wait <= 600
    assert await other.store.count_session(STRANGER, [FIVE]) is None


async def test_the_window_moves_and_every_rate_has_to_hold(record: Record) -> None:
    for _ in range(4):
        for _ in range(5):
            assert await record.store.count_session(USER, [FIVE, DAY]) is None
        reached = await record.store.count_session(USER, [FIVE, DAY])
        assert reached
        assert reached.rate == FIVE
        await shift(record, seconds=601)
    reached = await record.store.count_session(USER, [FIVE, DAY])
    assert reached
    assert reached.rate == DAY
    assert reached.wait == pytest.approx(86_400 - 4 * 601, abs=60)
    await shift(record, days=1)
    assert await record.store.count_session(USER, [FIVE, DAY]) is None
    async with record.database.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(STARTS)) == 1


async def test_of_many_at_once_with_one_place_left_one_gets_it(record: Record, other: Record) -> None:
    for _ in range(4):
        await record.store.count_session(USER, [FIVE])
    told = await asyncio.gather(
        *[store.count_session(USER, [FIVE]) for store in (record.store, other.store) for _ in range(6)]
    )
    assert told.count(None) == 1


async def test_a_restart_forgets_nothing(database_url: str, tmp_path: Path) -> None:
    told: list[RateReached | None] = []
    for _ in range(3):
        async with open_record(database_url, tmp_path / "data") as record:
            told += [await record.store.count_session(USER, [Rate(2, 86_400)])]
    assert [reached is None for reached in told] == [True, True, False]


async def test_nobody_gets_in_where_no_session_is_allowed(record: Record) -> None:
    assert await record.store.count_session(USER, [Rate(0, 60)]) == RateReached(Rate(0, 60), 60)


async def test_who_began_while_the_clock_was_ahead_is_not_kept_out_until_then(record: Record) -> None:
    await record.store.count_session(USER, [Rate(1, 60)])
    await shift(record, days=-1)
    assert await record.store.count_session(USER, [Rate(1, 60)]) is None
    reached = await record.store.count_session(USER, [Rate(1, 60)])
    assert reached
    assert 50 < reached.wait <= 60


# ── sessions at a time ──────────────────────────────────────────────────────────────────────


async def test_the_oldest_sessions_beyond_the_quota_are_recalled_wherever_they_are(
    record: Record, other: Record
) -> None:
    ended: list[tuple[str, int]] = []
    first, second, third = [(await begun(one)).conversation.id for one in (other, record, other)]
    owned = {first: 1, third: 1}
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(other.store.watch(lambda: owned, lambda *told: ended.append(told)))
        assert await record.store.recall(USER, 3) == {}
        assert await record.store.recall(USER, 2) == {first: 1}
        async with asyncio.timeout(15):
            while not ended:  # noqa: ASYNC110 — SQLite is looked at every now and then
                await asyncio.sleep(0.01)
        watching.cancel()
    assert set(ended) == {(first, 2)}
    await other.store.release(USER, first, epoch=1, seconds=1)
    assert await record.store.recall(USER, 2) == {}
    assert await record.store.recall(USER, 1) == {second: 1}
    assert await record.store.recall(STRANGER, 1) == {}


async def test_what_was_recalled_unheard_is_told_to_who_looks_later(record: Record) -> None:
    key = (await begun(record)).conversation.id
    await record.store.recall(USER, 0)
    told: list[tuple[str, int]] = []
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(record.store.watch(lambda: {key: 1}, lambda *one: told.append(one)))
        async with asyncio.timeout(5):
            while not told:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        watching.cancel()
    assert told[0] == (key, 2)


async def test_of_sessions_that_begin_at_once_as_many_are_left_as_may_be(
    record: Record, other: Record
) -> None:
    async def begin(one: Record) -> dict[str, int]:
        await begun(one)
        return dict(await one.store.recall(USER, 2))

    ended = await asyncio.gather(*[begin(one) for one in (record, other) for _ in range(4)])
    assert len({key for keys in ended for key in keys}) == 6


async def test_a_recalled_conversation_that_is_taken_up_again_is_the_newest(record: Record) -> None:
    first, second = [(await begun(record)).conversation.id for _ in range(2)]
    assert await record.store.recall(USER, 1) == {first: 1}
    await record.store.claim(USER, agent="flux", conversation_id=first)
    assert await record.store.recall(USER, 1) == {second: 1}
    async with record.database.reading() as connection:
        lease = await connection.execute(select(LEASES.c.epoch, LEASES.c.recalled).order_by(LEASES.c.epoch))
        assert [tuple(row) for row in lease] == [(1, 1), (2, 1)]


async def test_a_session_that_began_while_the_clock_was_ahead_is_no_newer_than_the_next(
    record: Record,
) -> None:
    first = (await begun(record)).conversation.id
    async with record.database.writing() as connection:
        await connection.execute(update(LEASES).values(taken_at=datetime.now(UTC) + timedelta(days=1)))
    await begun(record)
    assert await record.store.recall(USER, 1) == {first: 1}


# ── minutes of a day ────────────────────────────────────────────────────────────────────────


async def test_what_all_processes_tell_is_added_up_by_user(record: Record, other: Record) -> None:
    await asyncio.gather(
        *[one.store.spend({USER: 2, STRANGER: 1}) for one in (record, other) for _ in range(5)]
    )
    assert await other.store.spend({USER: 1}) == {USER: 21}
    assert await record.store.spend({USER: 0, STRANGER: 0, "new\0": 3}) == {
        USER: 21,
        STRANGER: 10,
        "new\0": 3,
    }
    assert await record.store.spend({}) == {}


async def test_another_day_counts_anew(record: Record) -> None:
    await record.store.spend({USER: 100})
    async with record.database.writing() as connection:
        await connection.execute(update(USAGE).values(day=yesterday()))
    assert await record.store.spend({USER: 1}) == {USER: 1}


def yesterday() -> object:
    return (datetime.now(UTC) - timedelta(days=1)).date()


# ── afterwards ──────────────────────────────────────────────────────────────────────────────


async def test_who_is_deleted_does_not_begin_anew_today(record: Record) -> None:
    for _ in range(5):
        await record.store.count_session(USER, [FIVE])
    await begun(record)
    await record.store.spend({USER: 300})
    await record.store.forget(USER)
    assert await record.store.count_session(USER, [FIVE])
    assert await record.store.spend({USER: 0}) == {USER: 300}


async def test_what_counts_no_more_is_deleted_whoever_it_was_of(record: Record) -> None:
    for user_id in (USER, STRANGER):
        await record.store.count_session(user_id, [FIVE])
        await record.store.spend({user_id: 5})
    await shift(record, seconds=601)
    async with record.database.writing() as connection:
        await connection.execute(update(USAGE).where(USAGE.c.user_id == USER).values(day=yesterday()))
    await record.store.count_session("new", [FIVE])
    await forgetting.forget_counts(record.database)
    async with record.database.reading() as connection:
        assert (await connection.execute(select(STARTS.c.user_id))).scalars().all() == ["new"]
        assert (await connection.execute(select(USAGE.c.user_id))).scalars().all() == [STRANGER]
