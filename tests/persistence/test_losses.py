"""A store that has lost its last transactions gets them again; one that was only away gets nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.core.model import Entry, Status
from bridge.errors import NotFound, StaleEpoch, StoreUnavailable
from persistence.record import Record, open_record
from tests.persistence.build import USER, adds_goal, append, begun, cursors, entry, job, stored, until
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


async def test_a_conversation_begun_in_the_lost_moment_is_there_again(
    postgres_server: PostgresServer, postgres_url: str, data_dir: Path
) -> None:
    async with open_record(postgres_url, data_dir) as record:
        old = await begun(record)
        await _flushed(record, entry(old, 0, "before"))
        postgres_server.back_up()
        new, gone = await begun(record, "somebody new"), await begun(record)
        again = await record.store.claim(USER, agent="flux", conversation_id=old.conversation.id)
        await _flushed(record, entry(new, 0, "lost"))
        await _flushed(record, entry(again, 0, "lost too"))
        await _flushed(record, entry(gone, 0, "x"))
        postgres_server.lose()
        await append(record, entry(new, 1, "after"))
        await until(lambda: not record.problem)
        assert cursors(await stored(record, new)) == ["1:0", "1:1"]
        assert cursors(await stored(record, again)) == ["1:0", "2:0"]
        found = await record.store.conversation("somebody new", new.conversation.id)
        assert (found.agent, found.title, found.message_count) == ("flux", "lost", 2)
        assert (await record.ledger.run_once(job(again), {}, adds_goal())).status is Status.DONE
        with pytest.raises(StaleEpoch):
            await record.ledger.run_once(job(old, call_id="call-2"), {}, adds_goal())
        newest = await record.store.claim(USER, agent="flux", conversation_id=old.conversation.id)
        assert newest.epoch == 3


async def test_what_is_asked_before_the_store_has_its_conversation_again_is_not_refused_for_good(
    postgres_server: PostgresServer, postgres_url: str, data_dir: Path
) -> None:
    async with open_record(postgres_url, data_dir) as record:
        postgres_server.back_up()
        claim = await begun(record)
        postgres_server.lose()
        with pytest.raises(StoreUnavailable):
            await record.ledger.run_once(job(claim), {}, adds_goal())
        await append(record, entry(claim, 0, "after"))
        assert cursors(await stored(record, claim)) == ["1:0"]
        assert (await record.ledger.run_once(job(claim), {}, adds_goal())).status is Status.DONE


async def test_what_was_deleted_is_not_begun_again_by_a_failover(
    postgres_server: PostgresServer, postgres_url: str, data_dir: Path
) -> None:
    async with open_record(postgres_url, data_dir) as record:
        gone, kept = await begun(record), await begun(record)
        await _flushed(record, entry(gone, 0, "x"), entry(kept, 0, "x"))
        await record.store.delete(USER, gone.conversation.id)
        postgres_server.back_up()
        await _flushed(record, entry(kept, 1, "lost"))
        postgres_server.lose()
        await append(record, entry(kept, 2, "after"))
        assert cursors(await stored(record, kept)) == ["1:0", "1:1", "1:2"]
        with pytest.raises(NotFound):
            await record.store.conversation(USER, gone.conversation.id)
        with pytest.raises(StaleEpoch):
            await record.ledger.run_once(job(gone), {}, adds_goal())
