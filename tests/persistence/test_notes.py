"""Calls that are still to be run: put aside by the flusher, run through the ledger, ended once."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from bridge.core.model import Call, Cursor, Entry, FunctionCall, Outcome, Result, Status
from bridge.errors import StaleEpoch
from bridge.ports import Claim
from persistence.entry_writer import write
from persistence.record import Record
from tests.persistence.build import USER, adds_goal, append, begun, entry, job, stored

NOTED = Outcome(status=Status.NOTED, content="Noted.", route="GOAL")
DONE = Outcome(status=Status.DONE, content="Saved.", route="GOAL", goal_id="1")


def called(
    claim: Claim, call_id: str, idx: int, outcome: Outcome = NOTED, *, ours: bool = True
) -> list[Entry]:
    """A call and its result, as entries."""
    function = FunctionCall(id=call_id, name="add_goal", arguments="{}")
    call = entry(claim, idx, Call(request="request-1", function=function, ours=ours))
    result = Result(
        request="request-1", call_id=call_id, name="add_goal", outcome=outcome, ours=ours, of=call.cursor
    )
    return [call, entry(claim, idx + 1, result)]


async def test_what_was_noted_is_due_in_the_order_it_was_asked_for(record: Record) -> None:
    first, second = await begun(record), await begun(record)
    late, early, later = called(second, "late", 10), called(first, "early", 2), called(first, "later", 20)
    await append(record, *late, *later, *early)
    await record.flusher.flush()

    waiting = await record.notes.waiting()
    due = await record.notes.due(first.conversation.id)

    assert await record.notes._arrives(0)
    assert waiting == [first.conversation.id, second.conversation.id]
    assert [(note.call, note.result) for note in due] == [tuple(early), tuple(later)]
    assert {(note.agent, note.person.id, note.person.time_zone) for note in due} == {
        ("flux", USER, "Europe/Berlin")
    }


@pytest.mark.parametrize(
    "pair",
    [{"outcome": DONE}, {"outcome": replace(NOTED, status=Status.FAILED)}, {"outcome": NOTED, "ours": False}],
)
async def test_nothing_else_is_due(record: Record, pair: dict[str, object]) -> None:
    claim = await begun(record)
    await append(record, *called(claim, "f", 0, **pair))  # type: ignore[arg-type]
    await record.flusher.flush()

    assert not await record.notes._arrives(0), "nobody has to look"
    assert not await record.notes.waiting()


async def test_one_that_was_run_has_its_outcome_and_is_due_no_more(record: Record) -> None:
    claim = await begun(record)
    await append(record, *called(claim, "f", 0))
    await record.flusher.flush()
    [note] = await record.notes.due(claim.conversation.id)

    ended = await record.notes.end(note, DONE)

    assert not await record.notes.waiting()
    assert isinstance(ended.what, Result)
    assert ended.what.outcome == DONE
    assert (await stored(record, claim))[1] == ended


async def test_the_same_entries_again_are_not_due_again(record: Record) -> None:
    claim = await begun(record)
    pair = called(claim, "f", 0)
    await append(record, *pair)
    await record.flusher.flush()
    [note] = await record.notes.due(claim.conversation.id)
    await record.notes.end(note, DONE)
    await append(record, *pair)
    await record.flusher.flush()

    assert not await record.notes.waiting()
    assert (await stored(record, claim))[1] == await _second(record, claim)


async def _second(record: Record, claim: Claim) -> Entry:
    found = (await stored(record, claim))[1]
    assert isinstance(found.what, Result)
    assert found.what.outcome == DONE
    return found


async def test_a_deleted_conversation_takes_its_notes_along(record: Record) -> None:
    claim = await begun(record)
    await append(record, *called(claim, "f", 0))
    await record.flusher.flush()
    await record.store.delete(USER, claim.conversation.id)

    assert not await record.notes.waiting()


async def test_it_runs_whoever_owns_the_conversation_now_but_not_in_a_deleted_one(record: Record) -> None:
    claim = await begun(record)
    await record.store.claim(USER, agent="flux", conversation_id=claim.conversation.id)
    accepted = replace(job(claim), epoch=None, cursor=Cursor(claim.epoch, 0))

    assert (await record.ledger.run_once(accepted, {}, adds_goal())).status is Status.DONE

    await record.store.delete(USER, claim.conversation.id)
    with pytest.raises(StaleEpoch):
        await record.ledger.run_once(
            replace(accepted, call=replace(accepted.call, request="r2")), {}, adds_goal()
        )


async def test_after_a_loss_what_was_done_is_due_too_and_the_ledger_knows_what_is_not_lost(
    record: Record,
) -> None:
    claim = await begun(record)
    pair = called(claim, "call-1", 0, DONE)
    await record.database.transaction(partial(write, database=record.database, entries=pair, again=True))

    [note] = await record.notes.due(claim.conversation.id)

    accepted = replace(job(claim), epoch=None)
    for _ in range(2):
        assert (await record.ledger.run_once(accepted, {}, adds_goal())).status is Status.DONE
    assert len(await record.store.goals(USER)) == 1
    await record.notes.end(note, DONE)
    assert not await record.notes.waiting()
