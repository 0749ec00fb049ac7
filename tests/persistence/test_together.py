"""Noted calls that are run together have what each would have had by itself: its effect once, or none."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bridge.core.agent import Agent, Effect
from bridge.core.model import Call, Cursor, Entry, FunctionCall, Note, Outcome, Result, Status
from bridge.errors import StaleEpoch, StoreUnavailable
from bridge.ports import Claim, Handle, Job, Transaction
from persistence.record import Record, open_record
from persistence.together import Together
from tests.persistence.build import AGENT, NOON, USER, adds_goal, adds_task, append, begun, job, stored

NOTED = Outcome(status=Status.NOTED, content="Noted.")


async def noted(record: Record, claim: Claim, calls: int, *, name: str = "add_goal") -> list[Note]:
    """So many calls of a conversation that are still to be run."""
    for n in range(calls):
        await append(record, *_entries(claim, n, name, NOON + timedelta(seconds=n)))
    await record.flusher.flush()
    return await record.notes.due(claim.conversation.id)


def _entries(claim: Claim, n: int, name: str, at: datetime) -> tuple[Entry, Entry]:
    place = Cursor(claim.epoch, 2 * n)
    call = Call(request="request-1", function=FunctionCall(id=f"call-{n}", name=name, arguments="{}"))
    asked = Entry(conversation_id=claim.conversation.id, user_id=USER, cursor=place, at=at, what=call)
    result = Result(request="request-1", call_id=f"call-{n}", name=name, outcome=NOTED, of=place)
    return asked, replace(asked, cursor=Cursor(claim.epoch, 2 * n + 1), what=result)


def of(note: Note, agent: Agent = AGENT) -> Job:
    """The job of a noted call."""
    assert isinstance(note.call.what, Call)
    return Job(
        session_id="",
        conversation_id=note.call.conversation_id,
        epoch=None,
        person=note.person,
        agent=agent,
        call=note.call.what,
        cursor=note.call.cursor,
        asked_at=note.call.at,
    )


async def run(batch: Together, note: Note, handle: Handle, arguments: dict[str, object]) -> Outcome:
    outcome = await batch.run_once(of(note), arguments, handle)
    batch.end(note, outcome)
    return outcome


async def statements(record: Record) -> list[str]:
    return sorted(goal.statement for goal in await record.store.goals(USER))


async def test_all_that_goes_well_is_kept(record: Record) -> None:
    claim = await begun(record)
    notes = await noted(record, claim, 3)
    async with record.notes.together(notes) as batch:
        done = [await run(batch, note, adds_goal(str(n)), {"n": n}) for n, note in enumerate(notes)]
    assert await statements(record) == ["0", "1", "2"]
    assert await record.notes.due(claim.conversation.id) == []
    results = [x.what.outcome for x in await stored(record, claim) if isinstance(x.what, Result)]
    assert results == done
    conversation = await record.store.conversation(USER, claim.conversation.id)
    assert (conversation.linked_goal_id, conversation.extracted_intent) == (done[-1].goal_id, "GOAL")


async def test_what_was_run_together_is_known_to_the_ledger_and_the_other_way_round(record: Record) -> None:
    claim = await begun(record)
    notes = await noted(record, claim, 2)
    first = await record.ledger.run_once(of(notes[0]), {}, adds_goal())
    async with record.notes.together(notes) as batch:
        assert await run(batch, notes[0], adds_goal(), {}) == first
        second = await run(batch, notes[1], adds_goal(), {})
        assert await run(batch, notes[1], adds_goal(), {}) == second
    assert await record.ledger.run_once(of(notes[1]), {}, adds_goal()) == second
    assert len(await statements(record)) == 2


async def test_the_same_wish_is_done_once(record: Record) -> None:
    claim = await begun(record)
    notes = await noted(record, claim, 4, name="add_task")
    before = await record.ledger.run_once(of(notes[0]), {"title": "run"}, adds_task())
    late = replace(notes[3], call=replace(notes[3].call, at=NOON + timedelta(hours=1)))
    async with record.notes.together([*notes[:3], late]) as batch:
        wishes = ("run", "  RUN", "swim", "run")
        done = [
            await run(batch, note, adds_task(wish), {"title": wish})
            for note, wish in zip([*notes[:3], late], wishes, strict=True)
        ]
    assert [x.task_id == before.task_id for x in done] == [True, True, False, False]
    assert sorted(task.title for task in await record.store.tasks(USER)) == ["run", "run", "swim"]


async def breaks(transaction: Transaction) -> Outcome:
    """Writes, then fails."""
    await adds_goal("half done")(transaction)
    raise ZeroDivisionError


@pytest.mark.parametrize("handle", [breaks, adds_goal(status=Status.REFUSED)])
async def test_of_calls_one_of_which_does_not_go_well_nothing_is_kept(record: Record, handle: Handle) -> None:
    claim = await begun(record)
    notes = await noted(record, claim, 3)
    async with record.notes.together(notes) as batch:
        await run(batch, notes[0], adds_goal(), {})
        with pytest.raises(StoreUnavailable):
            await run(batch, notes[1], handle, {})
        assert batch.spoiled
        with pytest.raises(StoreUnavailable):
            await run(batch, notes[2], adds_goal(), {})
    assert await statements(record) == []
    assert len(await record.notes.due(claim.conversation.id)) == 3


READS = replace(AGENT, intents=tuple(replace(intent, effect=Effect.READ) for intent in AGENT.intents))


@pytest.mark.parametrize(("agent", "arguments"), [(READS, {"a": 1}), (AGENT, {"a": 2})])
async def test_what_only_reads_and_what_came_with_other_arguments_is_left_for_itself(
    record: Record, agent: Agent, arguments: dict[str, object]
) -> None:
    claim = await begun(record)
    notes = await noted(record, claim, 2)
    await record.ledger.run_once(of(notes[0]), {"a": 1}, adds_goal())
    async with record.notes.together(notes) as batch:
        with pytest.raises(StoreUnavailable):
            await batch.run_once(of(notes[agent is READS], agent), arguments, adds_goal())
        assert batch.spoiled


async def test_what_a_service_does_is_left_for_itself(record: Record) -> None:
    claim = await begun(record)
    notes = await noted(record, claim, 1)
    async with record.notes.together(notes) as batch:
        with pytest.raises(StoreUnavailable):
            await batch.begin(of(notes[0]), {})
        assert batch.spoiled


async def test_nothing_is_run_in_a_conversation_that_was_deleted(record: Record) -> None:
    claim = await begun(record)
    notes = await noted(record, claim, 1)
    await record.store.delete(USER, claim.conversation.id)
    async with record.notes.together(notes) as batch:
        assert batch.spoiled
    with pytest.raises(StaleEpoch):
        await record.ledger.run_once(of(notes[0]), {}, adds_goal())


async def test_nobody_else_acts_in_the_conversation_meanwhile(record: Record) -> None:
    claim = await begun(record)
    notes = await noted(record, claim, 1)
    async with asyncio.TaskGroup() as group, record.notes.together(notes) as batch:
        call = replace(job(claim, call_id="live"), epoch=None)
        live = group.create_task(record.ledger.run_once(call, {}, adds_goal("live")))
        taking = group.create_task(
            record.store.claim(USER, agent="flux", conversation_id=claim.conversation.id)
        )
        await asyncio.sleep(0.1)
        assert not live.done()
        assert not taking.done()
        await run(batch, notes[0], adds_goal("noted"), {})
    assert await statements(record) == ["live", "noted"]


async def test_of_two_processes_that_run_the_same_ones_one_has_the_effects(
    record: Record, database_url: str, tmp_path: Path
) -> None:
    claim = await begun(record)
    notes = await noted(record, claim, 20)

    async def work(own: Record) -> list[Outcome]:
        async with own.notes.together(notes) as batch:
            return [await run(batch, note, adds_goal(str(n)), {"n": n}) for n, note in enumerate(notes)]

    async with open_record(database_url, tmp_path / "other") as other:
        left, right = await asyncio.gather(work(record), work(other))
    assert left == right
    assert len(await statements(record)) == 20
