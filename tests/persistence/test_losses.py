"""A store that has lost its last transactions gets them again; one that was only away gets nothing twice."""

from __future__ import annotations

from pathlib import Path

from structlog.testing import capture_logs

from bridge.core.model import Entry
from persistence.record import Record, open_record
from tests.persistence.build import append, begun, cursors, entry, stored, until
from tests.support.postgres import PostgresServer


async def _stored_without_waiting(record: Record) -> list[str]:
    """What the store has at this moment, whatever the journal may still bring."""
    async with record.database.reading() as connection:
        rows = await connection.text("SELECT epoch, idx FROM entries ORDER BY epoch, idx")
        return [f"{row.epoch}:{row.idx}" for row in rows]


async def _flushed(record: Record, *entries: Entry) -> None:
    await append(record, *entries)
    await record.store.entries(entries[0].user_id, entries[0].conversation_id, after=None, limit=1)


async def test_what_a_failover_lost_is_there_again(
    postgres_server: PostgresServer, postgres_url: str, data_dir: Path
) -> None:
    async with open_record(postgres_url, data_dir) as record:
        claim = await begun(record)
        await _flushed(record, *[entry(claim, idx, "before") for idx in range(3)])
        postgres_server.back_up()
        await _flushed(record, *[entry(claim, idx, "lost") for idx in range(3, 1203)])
        with capture_logs() as lines:
            postgres_server.lose()
            await append(record, entry(claim, 1203, "after"))
            await until(lambda: "store_lost_entries" in {line["event"] for line in lines})
            assert cursors(await stored(record, claim)) == [f"1:{idx}" for idx in range(1204)]
        (line,) = [line for line in lines if line["event"] == "store_lost_entries"]
        assert line["flushed_again"] == 1200
        conversation = await record.store.conversation(claim.conversation.user_id, claim.conversation.id)
        assert (conversation.message_count, conversation.title) == (1204, "before")


async def test_nobody_needs_to_say_anything_for_a_loss_to_be_noticed(
    postgres_server: PostgresServer, postgres_url: str, data_dir: Path
) -> None:
    async with open_record(postgres_url, data_dir) as record:
        claim = await begun(record)
        postgres_server.back_up()
        await _flushed(record, entry(claim, 0, "lost"))
        with capture_logs() as lines:
            postgres_server.lose()
            await until(lambda: "store_lost_entries" in {line["event"] for line in lines})
        assert await _stored_without_waiting(record) == ["1:0"]


async def test_a_loss_while_nobody_runs_is_made_good_by_the_next_start(
    postgres_server: PostgresServer, postgres_url: str, data_dir: Path
) -> None:
    async with open_record(postgres_url, data_dir) as record:
        claim = await begun(record)
        postgres_server.back_up()
        await _flushed(record, entry(claim, 0, "lost"))
    postgres_server.lose()
    async with open_record(postgres_url, data_dir) as record:
        await append(record, entry(claim, 1, "after"))
        assert cursors(await stored(record, claim)) == ["1:0", "1:1"]


async def test_a_server_that_was_only_away_is_given_nothing_twice(
    postgres_server: PostgresServer, postgres_url: str, data_dir: Path
) -> None:
    async with open_record(postgres_url, data_dir) as record:
        claim = await begun(record)
        await _flushed(record, *[entry(claim, idx, "x") for idx in range(5)])
        with capture_logs() as lines:
            postgres_server.stop()
            postgres_server.start()
            await append(record, entry(claim, 5, "after"))
            assert cursors(await stored(record, claim)) == [f"1:{idx}" for idx in range(6)]
            await until(lambda: not record.problem)
        assert "store_lost_entries" not in {line["event"] for line in lines}
        assert (
            await record.store.conversation(claim.conversation.user_id, claim.conversation.id)
        ).message_count == 6


async def test_what_was_deleted_stays_deleted_after_a_failover(
    postgres_server: PostgresServer, postgres_url: str, data_dir: Path
) -> None:
    async with open_record(postgres_url, data_dir) as record:
        gone, kept = await begun(record), await begun(record)
        await _flushed(record, entry(gone, 0, "x"))
        await record.store.delete(gone.conversation.user_id, gone.conversation.id)
        postgres_server.back_up()
        await _flushed(record, entry(kept, 0, "lost"))
        with capture_logs() as lines:
            postgres_server.lose()
            await append(record, entry(kept, 1, "after"))
            assert cursors(await stored(record, kept)) == ["1:0", "1:1"]
            await until(lambda: not record.problem)
        assert [x["flushed_again"] for x in lines if x["event"] == "store_lost_entries"] == [1]
        assert len(await _stored_without_waiting(record)) == 2
