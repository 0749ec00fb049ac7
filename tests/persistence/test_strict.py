"""Durability strict: an entry counts only when the store has it too."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.errors import JournalFailed
from persistence import confirming
from persistence.journal import Journal
from persistence.record import Record, open_record
from tests.persistence.build import begun, claimed, cursors, entry, stored
from tests.support.postgres import PostgresServer


async def _count(record: Record) -> int:
    async with record.database.reading() as connection:
        return int((await connection.text("SELECT count(*) FROM entries")).scalar_one())


async def test_an_entry_is_in_the_store_when_its_future_ends(postgres_url: str, data_dir: Path) -> None:
    async with open_record(postgres_url, data_dir, durability="strict") as record:
        claim = await begun(record)
        for idx in range(20):
            await record.journal.append(entry(claim, idx, "x"))
            assert await _count(record) == idx + 1


async def test_many_at_once_end_in_their_order(postgres_url: str, data_dir: Path) -> None:
    async with open_record(postgres_url, data_dir, durability="strict") as record:
        claim = await begun(record)
        ended: list[int] = []
        futures = [record.journal.append(entry(claim, idx, "x")) for idx in range(1200)]
        for idx, future in enumerate(futures):
            future.add_done_callback(lambda _, idx=idx: ended.append(idx))  # type: ignore[misc]
        await asyncio.gather(*futures)
        assert ended == list(range(1200))


async def test_with_the_store_away_it_says_so_and_the_entry_gets_there_later(
    postgres_server: PostgresServer, postgres_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirming, "STORE_SECONDS", 0.3)
    async with open_record(postgres_url, data_dir, durability="strict") as record:
        claim = await begun(record)
        await record.journal.append(entry(claim, 0, "before"))
        postgres_server.stop()
        try:
            with pytest.raises(JournalFailed):
                await record.journal.append(entry(claim, 1, "meanwhile"))
        finally:
            postgres_server.start()
        assert cursors(await stored(record, claim)) == ["1:0", "1:1"]
        monkeypatch.undo()
        await record.journal.append(entry(claim, 2, "after"))
        assert await _count(record) == 3


async def test_an_entry_the_store_refuses_does_not_count(postgres_url: str, data_dir: Path) -> None:
    async with open_record(postgres_url, data_dir, durability="strict") as record:
        claim = await begun(record)
        good, bad = (
            record.journal.append(entry(claim, 0, "x")),
            record.journal.append(entry(claim, 2**63, "x")),
        )
        await good
        with pytest.raises(JournalFailed):
            await bad


async def test_what_waits_when_the_journal_is_closed_fails(tmp_path: Path) -> None:
    async with Journal(tmp_path, durability="strict") as journal:
        waiting = journal.append(entry(claimed(), 0, "x"))
    with pytest.raises(JournalFailed):
        await waiting


async def test_what_cannot_be_journalled_fails_at_once(tmp_path: Path) -> None:
    async with Journal(tmp_path, durability="strict", quota_bytes=10) as journal:
        with pytest.raises(JournalFailed):
            await journal.append(entry(claimed(), 0, "x"))
