"""From the journal into the store: each entry once, whatever happens in between."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.core.model import Cursor, Cut, Entry, Message, Role
from bridge.errors import JournalFailed, StoreUnavailable
from bridge.ports import Claim
from persistence import flusher, journal_file
from persistence.entry_writer import write
from persistence.flusher import BATCH, Flusher
from persistence.journal import Journal
from persistence.record import Record, open_record
from tests.persistence.build import USER, adds_goal, append, begun, cursors, entry, job, stored, until
from tests.support.postgres import PostgresServer

GIANT = 2**63
"""A number no database takes: bad content that the journal does take."""


async def _columns(record: Record, sql: str) -> list[tuple[object, ...]]:
    async with record.database.reading() as connection:
        return [tuple(row) for row in await connection.text(sql)]


async def test_a_batch_written_again_in_another_order_changes_nothing(record: Record) -> None:
    claim = await begun(record)
    cut = entry(claim, 2, Cut(Cursor(1, 0), "fir"))
    batch = [entry(claim, 0, "first wish"), entry(claim, 1, "second"), cut]
    for again in ([*batch, *batch], batch, batch[::-1], batch[1:]):
        await record.database.transaction(partial(write, database=record.database, entries=again))
    assert await stored(record, claim) == batch
    conversation = await record.store.conversation(USER, claim.conversation.id)
    assert (conversation.message_count, conversation.title) == (2, "first wish")


async def test_more_than_a_batch_arrives_in_order(record: Record) -> None:
    claim = await begun(record)
    count = BATCH * 2 + 1
    await append(record, *[entry(claim, idx, "x") for idx in range(count)])
    assert cursors(await stored(record, claim)) == [f"1:{idx}" for idx in range(count)]
    assert record.journal.last_of(claim.conversation.id) == 0


async def test_a_cut_marks_its_message_and_stays_an_entry(record: Record) -> None:
    claim = await begun(record)
    await append(
        record,
        entry(claim, 0, Message(Role.ASSISTANT, "a long answer")),
        entry(claim, 1, Message(Role.ASSISTANT, "another")),
        entry(claim, 2, Cut(Cursor(1, 0), "a long")),
        entry(claim, 3, Cut(Cursor(1, 77), "of nothing")),
    )
    assert cursors(await stored(record, claim)) == ["1:0", "1:1", "1:2", "1:3"]
    rows = await _columns(record, "SELECT idx, heard FROM entries WHERE interrupted ORDER BY idx")
    assert rows == [(0, "a long")]


async def test_what_a_store_refuses_is_set_aside_and_the_rest_arrives(
    record: Record, database_url: str, data_dir: Path
) -> None:
    claim = await begun(record)
    good = [entry(claim, idx, "x") for idx in range(9)]
    bad = [entry(claim, GIANT + n, "refused") for n in range(2)]
    await append(record, *good[:3], bad[0], *good[3:7], bad[1], *good[7:])
    assert await stored(record, claim) == good
    rows, *_ = await record.journal.pending(100)
    assert rows == []
    (path,) = journal_file.journals(data_dir)
    await append(record, entry(claim, 9, "goes on"))
    assert cursors(await stored(record, claim))[-1] == "1:9"
    assert path.exists()


REFUSES = (
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql"
    " AS $$ BEGIN RAISE EXCEPTION 'not this'; END $$",
    "CREATE TRIGGER refuse BEFORE INSERT ON entries FOR EACH ROW WHEN (NEW.content LIKE 'odd%')"
    " EXECUTE FUNCTION refuse()",
)
"""A database that refuses rows for a reason of its own."""


async def _sql(record: Record, *statements: str) -> None:
    async with record.database.writing() as connection:
        for statement in statements:
            await connection.text(statement)


async def test_rows_a_store_refuses_for_reasons_of_its_own_hold_up_nobody(
    postgres_url: str, data_dir: Path
) -> None:
    async with open_record(postgres_url, data_dir) as record:
        await _sql(record, *REFUSES)
        claim = await begun(record)
        with capture_logs() as lines:
            await append(record, *[entry(claim, n, "odd" if n % 7 == 3 else "x") for n in range(50)])
            assert cursors(await stored(record, claim)) == [f"1:{n}" for n in range(50) if n % 7 != 3]
        told = [line for line in lines if line["event"] == "entry_set_aside"]
        assert len(told) == record.journal.set_aside == 7
        assert {line["sqlstate"] for line in told} == {"P0001"}
        assert {line["conversation_id"] for line in told} == {claim.conversation.id}
        assert "odd" not in str(lines)


async def test_a_row_refused_all_by_itself_is_set_aside_after_a_while(
    postgres_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flusher, "FIRST_RETRY", 0.01)
    async with open_record(postgres_url, data_dir) as record:
        await _sql(record, *REFUSES)
        claim = await begun(record)
        await record.flusher.flush()
        await append(record, entry(claim, 0, "odd"), entry(claim, 1, "odd"))
        await until(lambda: bool(record.problem))
        await until(lambda: record.journal.set_aside == 2)
        await until(lambda: not record.problem)
    async with open_record(postgres_url, data_dir) as record:
        await _sql(record, "DROP TRIGGER refuse ON entries")
        assert cursors(await stored(record, claim)) == ["1:0", "1:1"]


async def test_a_store_that_refuses_everything_for_a_while_is_only_away(
    postgres_url: str, data_dir: Path
) -> None:
    async with open_record(postgres_url, data_dir) as record:
        claim = await begun(record)
        with capture_logs() as lines:
            await _sql(record, "ALTER TABLE entries RENAME TO elsewhere")
            await append(record, *[entry(claim, n, "x") for n in range(20)])
            await until(lambda: bool(record.problem))
            await _sql(record, "ALTER TABLE elsewhere RENAME TO entries")
            assert len(await stored(record, claim)) == 20
        assert [line["event"] for line in lines] == ["store_away", "store_back"]


async def test_text_no_database_takes_is_made_storable(record: Record) -> None:
    claim = await begun(record)
    await append(record, entry(claim, 0, "x\0\ud800y"), entry(claim, 1, "x" * 1_500_000))
    said = [item.what for item in await stored(record, claim)]
    assert said == [Message(Role.USER, "x\ufffd\ufffdy"), Message(Role.USER, "x" * 1_500_000)]


async def test_what_was_set_aside_is_kept_for_the_next_start(database_url: str, data_dir: Path) -> None:
    async with open_record(database_url, data_dir, keep_seconds=0) as record:
        claim = await begun(record)
        await append(record, entry(claim, GIANT, "refused"), entry(claim, 0, "fine"))
        assert cursors(await stored(record, claim)) == ["1:0"]
    assert len(journal_file.journals(data_dir)) == 1
    async with Journal(data_dir) as journal:
        rows, *_ = await journal.pending(100)
        assert len(rows) == 1


async def test_leaving_flushes_what_is_journalled(database_url: str, data_dir: Path) -> None:
    async with open_record(database_url, data_dir, keep_seconds=0) as record:
        claim = await begun(record)
        futures = [record.journal.append(entry(claim, idx, "x")) for idx in range(700)]
    await asyncio.gather(*futures)
    assert journal_file.journals(data_dir) == []
    async with open_record(database_url, data_dir) as record:
        assert len(await stored(record, claim)) == 700


async def test_leaving_with_an_error_flushes_too_and_the_error_comes_out_as_it_was(
    database_url: str, data_dir: Path
) -> None:
    async def use_and_break() -> None:
        async with open_record(database_url, data_dir, keep_seconds=0) as record:
            claims.append(await begun(record))
            record.journal.append(entry(claims[0], 0, "x"))
            raise LookupError("somewhere else")

    claims: list[Claim] = []
    with pytest.raises(LookupError, match="somewhere else"):
        await use_and_break()
    assert journal_file.journals(data_dir) == []
    async with open_record(database_url, data_dir) as record:
        assert cursors(await stored(record, claims[0])) == ["1:0"]


async def test_the_data_folder_is_made_and_nobody_else_may_look_into_it(
    database_url: str, data_dir: Path
) -> None:
    async with open_record(database_url, data_dir):
        (path,) = journal_file.journals(data_dir)
        assert data_dir.stat().st_mode & 0o777 == 0o700
        assert path.stat().st_mode & 0o777 == 0o600


async def test_settling_does_not_wait_for_an_entry_that_could_not_be_journalled(
    database_url: str, data_dir: Path
) -> None:
    async with open_record(database_url, data_dir, journal_quota_bytes=500) as record:
        claim = await begun(record)
        await append(record, entry(claim, 0, "x"))
        with pytest.raises(JournalFailed):
            await append(record, entry(claim, 1, "x" * 500))
        assert cursors(await stored(record, claim)) == ["1:0"]


async def _outage(server: PostgresServer, record: Record, claim: Claim, entries: list[Entry]) -> None:
    """The server dies, entries are appended, the server comes back."""
    server.stop()
    try:
        await append(record, *entries)
        with pytest.raises(StoreUnavailable):
            await record.store.person(USER)
        with pytest.raises(StoreUnavailable):
            await record.store.claim(USER, agent="flux", conversation_id=claim.conversation.id)
        with pytest.raises(StoreUnavailable):
            await record.store.conversation(USER, claim.conversation.id)
        with pytest.raises(StoreUnavailable):
            await record.ledger.run_once(job(claim), {}, adds_goal())
        assert record.problem
    finally:
        server.start()


async def test_a_store_that_goes_away_and_comes_back_gets_everything_once(
    postgres_server: PostgresServer, postgres_url: str, data_dir: Path
) -> None:
    async with open_record(postgres_url, data_dir) as record:
        claim = await begun(record)
        await append(record, entry(claim, 0, "before"))
        assert cursors(await stored(record, claim)) == ["1:0"]
        with capture_logs() as lines:
            meanwhile = [entry(claim, n, "meanwhile") for n in range(1, 31)]
            await _outage(postgres_server, record, claim, meanwhile)
            await until(lambda: not record.problem)
        assert [line["event"] for line in lines] == ["store_away", "store_back"]
        assert lines[1]["entries"] == 30
        assert lines[1]["seconds"] > 0
        await append(record, entry(claim, 31, "after"))
        assert cursors(await stored(record, claim)) == [f"1:{n}" for n in range(32)]
        await until(lambda: not record.problem)
        assert (await record.store.conversation(USER, claim.conversation.id)).message_count == 32


async def test_a_store_that_is_down_at_start_gets_everything_once_when_it_comes_up(
    postgres_server: PostgresServer, postgres_url: str, data_dir: Path
) -> None:
    async with open_record(postgres_url, data_dir) as record:
        claim = await begun(record)
    postgres_server.stop()
    try:
        async with open_record(postgres_url, data_dir) as record:
            assert not record.ready
            await _outage(postgres_server, record, claim, [entry(claim, n, "early") for n in range(30)])
            await until(lambda: record.ready)
            assert cursors(await stored(record, claim)) == [f"1:{n}" for n in range(30)]
            assert (await record.store.conversation(USER, claim.conversation.id)).message_count == 30
    finally:
        postgres_server.start()


async def test_a_store_that_never_comes_leaves_the_journal_for_the_next_start(
    postgres_server: PostgresServer, postgres_url: str, data_dir: Path
) -> None:
    async with open_record(postgres_url, data_dir) as record:
        claim = await begun(record)
    postgres_server.stop()
    try:
        async with open_record(postgres_url, data_dir) as record:
            await append(record, entry(claim, 0, "kept"))
    finally:
        postgres_server.start()
    assert len(journal_file.journals(data_dir)) == 1
    async with open_record(postgres_url, data_dir) as record:
        assert cursors(await stored(record, claim)) == ["1:0"]


def _fails_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next round of any flusher breaks, those after it do not."""
    flush_batch = Flusher._flush_batch
    faults = iter([RuntimeError("a bug")])

    async def flush_or_break(self: Flusher) -> bool:
        for fault in faults:
            raise fault
        return await flush_batch(self)

    monkeypatch.setattr(Flusher, "_flush_batch", flush_or_break)


async def test_a_fault_in_one_round_does_not_end_the_flusher(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = await begun(record)
    _fails_once(monkeypatch)
    await append(record, entry(claim, 0, "x"))
    await until(lambda: record.journal.last_of(claim.conversation.id) == 0)
    assert cursors(await stored(record, claim)) == ["1:0"]


async def test_whoever_waits_for_an_entry_makes_the_flusher_try_again_at_once(
    database_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flusher, "FIRST_RETRY", 3600)
    async with open_record(database_url, data_dir) as record:
        claim = await begun(record)
        _fails_once(monkeypatch)
        await append(record, entry(claim, 0, "x"))
        await until(lambda: bool(record.problem))
        assert cursors(await stored(record, claim)) == ["1:0"]
        assert not record.problem
