"""A store that is slow, locked or deadlocked: nobody who appends waits, and all is there once afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from persistence import flusher
from persistence.flusher import Flusher
from persistence.record import Record, open_record
from tests.persistence.build import USER, append, begun, claimed, cursors, entry, stored, until
from tests.support.postgres import PostgresServer


@asynccontextmanager
async def _somebody_else(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Another user of the database, in a transaction."""
    other = await asyncpg.connect(url)
    try:
        async with other.transaction():
            yield other
    finally:
        await other.close()


async def _append_quickly(record: Record, *entries: Any) -> None:
    began = time.monotonic()
    await append(record, *entries)
    assert time.monotonic() - began < 1


async def test_a_frozen_store_delays_nobody(
    postgres_server: PostgresServer, postgres_url: str, data_dir: Path
) -> None:
    async with open_record(postgres_url, data_dir) as record:
        claim = await begun(record)
        with postgres_server.frozen():
            for idx in range(5):
                await _append_quickly(record, entry(claim, idx, "x"))
                await asyncio.sleep(0.2)
        assert cursors(await stored(record, claim)) == [f"1:{idx}" for idx in range(5)]


async def test_a_locked_table_is_waited_for(postgres_url: str, data_dir: Path) -> None:
    async with open_record(postgres_url, data_dir) as record:
        claim = await begun(record)
        with capture_logs() as lines:
            async with _somebody_else(postgres_url) as other:
                await other.execute("LOCK TABLE entries IN ACCESS EXCLUSIVE MODE")
                await _append_quickly(record, entry(claim, 0, "x"))
                await _waiting_for_a_lock(postgres_url)
                await _append_quickly(record, entry(claim, 1, "x"))
            assert cursors(await stored(record, claim)) == ["1:0", "1:1"]
        assert lines == []


async def test_the_victim_of_a_deadlock_tries_again(postgres_url: str, data_dir: Path) -> None:
    async with open_record(postgres_url, data_dir) as record:
        first, second = sorted([await begun(record), await begun(record)], key=lambda c: c.conversation.id)
        with capture_logs() as lines:
            async with _somebody_else(postgres_url) as other:
                await other.execute("SET LOCAL deadlock_timeout = '1min'")  # so it is the flusher that is hit
                lock = "SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE"
                await other.execute(lock, second.conversation.id)
                await append(record, entry(first, 0, "x"), entry(second, 0, "x"))
                await _waiting_for_a_lock(postgres_url)
                await other.execute(lock, first.conversation.id)
            assert cursors(await stored(record, first)) == ["1:0"]
            assert cursors(await stored(record, second)) == ["1:0"]
            await until(lambda: not record.problem)
        assert [line["event"] for line in lines] == ["store_away", "store_back"]
        assert "deadlock" in lines[0]["reason"].lower()


async def test_who_takes_over_and_says_where_the_user_is_has_the_lease_first_as_who_deletes_both(
    postgres_url: str, data_dir: Path
) -> None:
    """In another order the two would wait for each other."""
    async with open_record(postgres_url, data_dir) as record, asyncio.TaskGroup() as group:
        claim = await begun(record)
        key, user = claim.conversation.id, claim.person.id
        async with _somebody_else(postgres_url) as other:
            await other.execute("SELECT 1 FROM leases WHERE conversation_id = $1 FOR UPDATE", key)
            taking = record.store.claim(user, agent="flux", conversation_id=key, time_zone="Asia/Kolkata")
            taken = group.create_task(taking)
            await _waiting_for_a_lock(postgres_url)
            await other.execute("SELECT 1 FROM users WHERE id = $1 FOR UPDATE NOWAIT", user)
        assert (await taken).person.time_zone == "Asia/Kolkata"


async def test_who_begins_while_the_user_is_deleted_is_somebody_new(
    postgres_url: str, data_dir: Path
) -> None:
    async with open_record(postgres_url, data_dir) as record, asyncio.TaskGroup() as group:
        await record.store.person(USER)
        async with _somebody_else(postgres_url) as other:
            await other.execute("DELETE FROM users WHERE id = $1", USER)
            beginning = record.store.claim(USER, agent="flux", conversation_id=None, time_zone="Asia/Kolkata")
            begun_anew = group.create_task(beginning)
            await _waiting_for_a_lock(postgres_url)
        assert (await begun_anew).person == await record.store.person(USER)
        assert (await begun_anew).person.time_zone == "Asia/Kolkata"


async def test_between_tries_the_flusher_waits_longer_and_longer_and_never_as_long_as_its_siblings(
    postgres_server: PostgresServer, postgres_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    pause = Flusher._pause

    async def note(self: Flusher, seconds: float) -> None:
        if self._outage.reason:
            waits.append(seconds)
        await pause(self, seconds / 20)

    monkeypatch.setattr(Flusher, "_pause", note)
    async with open_record(postgres_url, data_dir, close_seconds=0.2) as record:
        postgres_server.stop()
        try:
            with capture_logs() as lines:
                await append(record, entry(claimed(), 0, "x"))
                await until(lambda: len(waits) == 10)
            assert len(lines) == 1
        finally:
            postgres_server.start()
    longest = [min(flusher.FIRST_RETRY * 2**n, flusher.LONGEST_RETRY) for n in range(10)]
    assert waits[-1] > flusher.LONGEST_RETRY / 2
    assert all(wait <= limit for wait, limit in zip(waits, longest, strict=False))
    assert len({round(wait / limit, 3) for wait, limit in zip(waits, longest, strict=False)}) > 5


async def test_a_store_that_is_away_is_so_until_it_is_back_though_nothing_is_to_be_flushed(
    postgres_server: PostgresServer, postgres_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flusher, "IDLE_SECONDS", 0.05)
    monkeypatch.setattr(flusher, "LONGEST_RETRY", 0.2)
    async with open_record(postgres_url, data_dir) as record:
        claim = await begun(record)
        await append(record, entry(claim, 0, "x"))
        await stored(record, claim)
        with capture_logs() as lines:
            postgres_server.stop()
            try:
                await until(lambda: bool(record.problem))
                tries = record.outage._tries
                while record.outage._tries < tries + 5:
                    assert record.problem
                    await asyncio.sleep(0.01)
            finally:
                postgres_server.start()
            await until(lambda: not record.problem)
    assert [line["event"] for line in lines] == ["store_away", "store_back"]


async def _waiting_for_a_lock(url: str) -> None:
    """Until somebody does."""
    other = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(10):
            while not await other.fetchval(  # noqa: ASYNC110 — the database tells nobody
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database()"
            ):
                await asyncio.sleep(0.02)
    finally:
        await other.close()
