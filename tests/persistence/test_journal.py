"""The journal: durable before anyone is told, in order, in few commits, and never lost with its process."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.core.model import Entry
from bridge.errors import JournalFailed
from bridge.ports import Claim
from persistence import journal_file
from persistence.adoption import CHUNK
from persistence.codec import decode, encode
from persistence.journal import Journal
from persistence.record import Record, open_record
from tests.persistence.build import USER, append, begun, claimed, cursors, entry, stored, until


def _files(folder: Path) -> list[str]:
    return sorted(path.name.partition("-")[0] + path.suffix for path in folder.iterdir())


async def _pending(journal: Journal) -> list[Entry]:
    return [decode(row.body) for row in (await journal.pending(100_000))[0]]


@asynccontextmanager
async def _busy_disk(folder: Path) -> AsyncIterator[None]:
    """As long as it lasts no commit gets through: the writer thread waits for SQLite's lock."""
    (path,) = journal_file.journals(folder)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


async def test_an_entry_is_durable_when_its_future_ends(tmp_path: Path) -> None:
    async with Journal(tmp_path) as journal:
        item = entry(claimed(), 0, "hello")
        await journal.append(item)
        (path,) = journal_file.journals(tmp_path)
        with sqlite3.connect(path) as reader:
            rows = reader.execute("SELECT body FROM entries").fetchall()
        reader.close()
        assert [decode(body) for (body,) in rows] == [item]


async def test_appending_waits_for_nothing_and_shares_commits(tmp_path: Path) -> None:
    async with Journal(tmp_path) as journal:
        before = journal.commits
        ended: list[int] = []
        async with _busy_disk(tmp_path):
            futures = [journal.append(entry(claimed(), idx, "x")) for idx in range(1000)]
            for idx, future in enumerate(futures):
                future.add_done_callback(partial(_note, ended, idx))
            await asyncio.sleep(0)
            assert not ended
        await asyncio.gather(*futures)
        assert ended == list(range(1000))
        assert journal.commits - before <= 2
        assert cursors(await _pending(journal)) == [f"1:{idx}" for idx in range(1000)]


def _note(ended: list[int], idx: int, _future: asyncio.Future[None]) -> None:
    ended.append(idx)


async def test_a_cancelled_waiter_changes_nothing_for_the_others(tmp_path: Path) -> None:
    async with Journal(tmp_path) as journal:
        async with _busy_disk(tmp_path):
            first, second = (journal.append(entry(claimed(), idx, "x")) for idx in (0, 1))
            first.cancel()
        await second
        assert cursors(await _pending(journal)) == ["1:0", "1:1"]


async def test_beyond_its_quota_it_refuses_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    claim = claimed()
    size = len(encode(entry(claim, 0, "x" * 100))[0])
    async with Journal(tmp_path, quota_bytes=size * 2) as journal:
        crowded = []
        for idx in (0, 1):
            await journal.append(entry(claim, idx, "x" * 100))
            crowded.append(journal.crowded)
        assert crowded == [False, True]
        with capture_logs() as lines:
            for _ in range(3):
                with pytest.raises(JournalFailed):
                    await journal.append(entry(claim, 2, "x" * 100))
            await journal.mark((await journal.pending(1))[1], set())
            await journal.purge(0)
            await journal.append(entry(claim, 3, "x" * 100))
        assert [line["event"] for line in lines] == ["journal_full", "journal_has_room"]
        assert lines[1]["refused"] == 3
        assert cursors(await _pending(journal)) == ["1:1", "1:3"]


async def test_what_is_flushed_stays_for_a_while(tmp_path: Path) -> None:
    async with Journal(tmp_path) as journal:
        await journal.append(entry(claimed(), 0, "x"))
        await journal.mark((await journal.pending(10))[1], set())
        await journal.purge(60)
        assert journal.size > 0
        assert await _pending(journal) == []
        await journal.purge(0)
        assert journal.size == 0


async def test_what_is_flushed_and_not_kept_is_gone_at_once_but_for_what_the_store_refuses(
    tmp_path: Path,
) -> None:
    async with Journal(tmp_path) as journal:
        for idx in range(4):
            await journal.append(entry(claimed(), idx, "x"))
        size = journal.size // 4
        await journal.mark(3, {2}, keep=False)
        assert journal.size == 2 * size
        assert cursors(await _pending(journal)) == ["1:3"]
    async with Journal(tmp_path) as successor:
        assert cursors(await _pending(successor)) == ["1:1", "1:3"]


async def test_a_write_that_fails_is_reported_and_the_journal_lives_on(tmp_path: Path) -> None:
    async with Journal(tmp_path) as journal:
        (path,) = journal_file.journals(tmp_path)
        with _vandal(path) as vandal, capture_logs() as lines:
            vandal.execute("ALTER TABLE entries RENAME TO elsewhere")
            for idx in range(5):
                with pytest.raises(JournalFailed):
                    await journal.append(entry(claimed(), idx, "x"))
            assert journal.size == 0
            vandal.execute("ALTER TABLE elsewhere RENAME TO entries")
            await journal.append(entry(claimed(), 1, "x"))
        assert [line["event"] for line in lines] == ["journal_write_failed", "journal_writes_again"]
        assert cursors(await _pending(journal)) == ["1:1"]


async def test_a_closed_journal_takes_nothing(tmp_path: Path) -> None:
    async with Journal(tmp_path) as journal:
        pass
    with pytest.raises(JournalFailed):
        await journal.append(entry(claimed(), 0, "x"))


async def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    with pytest.raises(JournalFailed):
        async with Journal(tmp_path / "missing"):
            pass


async def test_closing_writes_what_is_queued_and_leaves_it_for_the_next_start(tmp_path: Path) -> None:
    async with Journal(tmp_path) as journal:
        future = journal.append(entry(claimed(), 0, "x"))
    await future
    assert _files(tmp_path) == ["journal.db", "journal.lock"]
    async with Journal(tmp_path) as successor:
        assert cursors(await _pending(successor)) == ["1:0"]
        assert successor.last_of("c") == 1
        assert len(journal_file.journals(tmp_path)) == 1


async def test_an_empty_journal_leaves_no_file(tmp_path: Path) -> None:
    async with Journal(tmp_path):
        assert "journal.db" in _files(tmp_path)
    assert _files(tmp_path) == []


async def test_a_journal_whose_process_lives_is_left_alone(tmp_path: Path) -> None:
    async with Journal(tmp_path) as living:
        await living.append(entry(claimed(), 0, "x"))
        async with Journal(tmp_path) as other:
            assert await _pending(other) == []
        assert cursors(await _pending(living)) == ["1:0"]


async def test_of_many_who_start_at_once_one_adopts(tmp_path: Path) -> None:
    async with Journal(tmp_path) as dead:
        await dead.append(entry(claimed(), 0, "x"))
    journals = [Journal(tmp_path) for _ in range(6)]
    await asyncio.gather(*[journal.__aenter__() for journal in journals])
    found = [item for journal in journals for item in await _pending(journal)]
    await asyncio.gather(*[journal.__aexit__(None, None, None) for journal in journals])
    assert cursors(found) == ["1:0"]


async def test_a_damaged_journal_is_set_aside_and_everything_else_goes_on(tmp_path: Path) -> None:
    async with Journal(tmp_path) as dead:
        await dead.append(entry(claimed(), 0, "x"))
    (tmp_path / "journal-0.db").write_bytes(b"this is no database" * 100)
    (tmp_path / "journal-1.db").touch()
    async with Journal(tmp_path) as journal:
        assert cursors(await _pending(journal)) == ["1:0"]
        await journal.mark((await journal.pending(10))[1], set())
        await journal.purge(0)
    assert _files(tmp_path) == ["damaged.db"]


@pytest.mark.parametrize("flushing", [False, True])
async def test_what_a_killed_process_acknowledged_is_in_the_store_once_and_in_order(
    database_url: str, data_dir: Path, flushing: bool
) -> None:
    async with open_record(database_url, data_dir, keep_seconds=0) as record:
        claim = await begun(record)
    command = [sys.executable, "-m", "tests.persistence.appender", str(data_dir), claim.conversation.id]
    acknowledged = await _kill_after(3000, [*command, database_url] if flushing else command)
    assert len(journal_file.journals(data_dir)) == 1
    async with open_record(database_url, data_dir, keep_seconds=0) as record:
        await _check_complete(record, claim, acknowledged)
    assert journal_file.journals(data_dir) == []


async def test_what_a_killed_process_left_is_flushed_by_a_living_one_within_seconds(
    database_url: str, data_dir: Path
) -> None:
    async with open_record(database_url, data_dir, keep_seconds=0) as record:
        claim = await begun(record)
        command = [sys.executable, "-m", "tests.persistence.appender", str(data_dir), claim.conversation.id]
        acknowledged = await _kill_after(2000, command)
        await until(lambda: len(journal_file.journals(data_dir)) == 1, seconds=5)
        await _check_complete(record, claim, acknowledged)


async def test_a_process_that_was_killed_here_is_not_waited_for(
    database_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-m", "tests.persistence.appender", str(data_dir), "-", database_url]
    killed = await _kill_after(1, command)
    monkeypatch.setattr("persistence.store.HANDOVER_SECONDS", 3600)
    async with open_record(database_url, data_dir) as record, asyncio.timeout(10):
        (conversation,) = (
            await record.store.conversations(USER, agent=None, text=None, limit=9, after=None)
        ).items
        claim = await record.store.claim(USER, agent="flux", conversation_id=conversation.id)
    assert claim.epoch == 2
    assert {str(entry.cursor) for entry in claim.history} >= set(killed)


async def test_a_living_process_adopts_nothing_of_another_that_lives(
    database_url: str, data_dir: Path
) -> None:
    async with open_record(database_url, data_dir) as record, Journal(data_dir) as other:
        claim = await begun(record)
        await other.append(entry(claim, 0, "theirs"))
        await record.journal.adopt()
        await append(record, entry(claim, 1, "ours"))
        assert cursors(await stored(record, claim)) == ["1:1"]


async def test_an_adoption_that_breaks_off_goes_on_where_it_was(tmp_path: Path) -> None:
    async with Journal(tmp_path) as living:
        (path,) = journal_file.journals(tmp_path)
        async with Journal(tmp_path) as dead:
            for idx in range(CHUNK + 7):
                dead.append(entry(claimed(), idx, "x"))
        with _vandal(path) as vandal:
            vandal.execute(
                f"CREATE TRIGGER full BEFORE INSERT ON entries WHEN NEW.seq > {CHUNK}"
                " BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
            with pytest.raises(JournalFailed):
                await living.adopt()
            assert len(journal_file.journals(tmp_path)) == 2
            vandal.execute("DROP TRIGGER full")
        await living.adopt()
        assert cursors(await _pending(living)) == [f"1:{idx}" for idx in range(CHUNK + 7)]
        assert journal_file.journals(tmp_path) == [path]


async def test_what_was_flushed_is_adopted_too_and_is_not_pending(tmp_path: Path) -> None:
    async with Journal(tmp_path) as dead:
        await dead.append(entry(claimed(), 0, "flushed"))
        await dead.mark((await dead.pending(10))[1], set(), "server 1")
        await dead.append(entry(claimed(), 1, "pending"))
    async with Journal(tmp_path) as journal:
        assert cursors(await _pending(journal)) == ["1:1"]
        assert [row.seq for row in await journal.kept("server 1", 0, 10)] == []
        assert [decode(row.body).cursor.idx for row in await journal.kept("server 2", 0, 10)] == [0]


async def test_a_journal_of_the_first_version_is_adopted(tmp_path: Path) -> None:
    async with Journal(tmp_path) as dead:
        await dead.append(entry(claimed(), 0, "x"))
    (path,) = journal_file.journals(tmp_path)
    with _vandal(path) as vandal:
        vandal.execute("ALTER TABLE entries DROP COLUMN flushed_to")
        vandal.execute("PRAGMA user_version = 1")
    async with Journal(tmp_path) as journal:
        assert cursors(await _pending(journal)) == ["1:0"]


async def test_giant_entries_are_read_a_few_at_a_time(tmp_path: Path) -> None:
    async with Journal(tmp_path) as journal:
        for idx in range(12):
            await journal.append(entry(claimed(), idx, "x" * 1_000_000))
        read = []
        while rows := (await journal.pending(500))[0]:
            assert len(rows) <= 5
            read += [decode(row.body).cursor.idx for row in rows]
            await journal.mark(rows[-1].seq, set())
        assert read == list(range(12))


@contextmanager
def _vandal(path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody else who writes into that journal."""
    other = sqlite3.connect(path, isolation_level=None)
    try:
        yield other
    finally:
        other.close()


async def _kill_after(lines: int, command: list[str]) -> list[str]:
    """What the process printed until it was killed in the middle of its work."""
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    printed = [await process.stdout.readline() for _ in range(lines)]
    process.kill()
    printed += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    return [line.decode().strip() for line in printed if line.endswith(b"\n")]


async def _check_complete(record: Record, claim: Claim, acknowledged: list[str]) -> None:
    found = await stored(record, claim)
    assert cursors(found)[: len(acknowledged)] == acknowledged
    assert cursors(found) == [f"1:{idx}" for idx in range(len(found))]
    conversation = await record.store.conversation(USER, claim.conversation.id)
    assert conversation.message_count == len(found)


@pytest.mark.parametrize(("durability", "synchronous"), [("strict", 2), ("disk", 2), ("process", 1)])
async def test_how_much_a_commit_outlives_is_chosen(
    tmp_path: Path, durability: journal_file.Durability, synchronous: int
) -> None:
    file = journal_file.create(tmp_path, "x", durability)
    try:
        assert file.connection.execute("PRAGMA synchronous").fetchone() == (synchronous,)
    finally:
        file.close()


async def test_what_is_called_a_journal_and_is_none_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "journal-folder.db").mkdir()
    (tmp_path / "journal-link.db").symlink_to("nowhere")
    with capture_logs() as logs:
        async with Journal(tmp_path):
            pass
    assert [line["file"] for line in logs if line["event"] == "journal_damaged"] == ["journal-folder.db"]
    assert (tmp_path / "damaged-journal-folder.db").is_dir()
