"""What the user answered is used up by the one call that is done for it, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bridge.core.model import Outcome, Status
from bridge.errors import NotFound
from bridge.ports import Claim, Handle, Job, Transaction
from persistence.record import Record
from tests.persistence.build import STRANGER, USER, adds_goal, adds_task, begun, job

QUESTION = Outcome(status=Status.UNCONFIRMED, content="Shall I really?", note="goal_id: 1", route="GOAL")
ARGUMENTS = {"goal_id": "1"}


def deletes(goal_id: str, question: Outcome = QUESTION) -> Handle:
    """What the executor makes of a handler that deletes."""

    async def handle(transaction: Transaction) -> Outcome:
        await transaction.planner.delete_goal(goal_id)
        if not await transaction.confirmed(question):
            return question
        return Outcome(status=Status.DONE, content="Deleted.")

    return handle


async def asked(record: Record) -> tuple[Claim, str]:
    """A conversation with a goal, and a call that was answered with the question."""
    claim = await begun(record)
    goal_id = (await record.ledger.run_once(job(claim, call_id="c0"), {}, adds_goal())).goal_id or ""
    assert await run(record, claim, goal_id, "c1") is Status.UNCONFIRMED
    assert len(await record.store.goals(USER)) == 1
    return claim, goal_id


async def run(record: Record, claim: Claim, goal_id: str, call_id: str, *answered: str) -> Status:
    outcome = await record.ledger.run_once(told(claim, call_id, *answered), ARGUMENTS, deletes(goal_id))
    return outcome.status


def told(claim: Claim, call_id: str, *answered: str) -> Job:
    keys = frozenset(("request-1", key) for key in answered)
    return replace(job(claim, call_id=call_id), answered=keys)


async def test_an_answer_lets_one_call_through(record: Record) -> None:
    claim, goal_id = await asked(record)
    assert await run(record, claim, goal_id, "c2", "c1") is Status.DONE
    assert await record.store.goals(USER) == []
    with pytest.raises(NotFound):
        await run(record, claim, goal_id, "c3", "c1")


async def test_what_was_asked_twice_is_answered_once(record: Record) -> None:
    """The agent has called twice before it asked; one of the questions may not be answered yet."""
    claim, goal_id = await asked(record)
    second = await record.ledger.run_once(job(claim, call_id="c9"), {}, adds_goal("swim"))
    for again in ("c1b", "c1c"):
        assert await run(record, claim, goal_id, again) is Status.UNCONFIRMED
    assert await run(record, claim, goal_id, "c2", "c1", "c1b") is Status.DONE
    assert await run(record, claim, second.goal_id or "", "c3", "c1", "c1b", "c1c") is Status.UNCONFIRMED
    assert len(await record.store.goals(USER)) == 1


async def test_of_many_calls_at_once_one_is_let_through(record: Record) -> None:
    claim, goal_id = await asked(record)
    second = await record.ledger.run_once(job(claim, call_id="c9"), {}, adds_goal("swim"))
    runs = [
        run(record, claim, number, f"d{place}", "c1")
        for place, number in enumerate([goal_id, second.goal_id or ""] * 3)
    ]
    outcomes = await asyncio.gather(*runs, return_exceptions=True)
    assert outcomes.count(Status.DONE) == 1
    assert len(await record.store.goals(USER)) == 1


@pytest.mark.parametrize(
    "question",
    [
        replace(QUESTION, content="Shall I really delete another?"),
        replace(QUESTION, note="goal_id: 2"),
        replace(QUESTION, goal_id="2"),
    ],
)
async def test_another_question_is_not_answered(record: Record, question: Outcome) -> None:
    claim, goal_id = await asked(record)
    handle = deletes(goal_id, question)
    assert (await record.ledger.run_once(told(claim, "c2", "c1"), ARGUMENTS, handle)) == question
    assert len(await record.store.goals(USER)) == 1


async def test_an_answer_of_another_conversation_or_to_another_function_is_none(record: Record) -> None:
    claim, goal_id = await asked(record)
    other = await begun(record)
    assert await run(record, other, goal_id, "c2", "c1") is Status.UNCONFIRMED
    named = replace(job(claim, name="add_task", call_id="c3"), answered=frozenset({("request-1", "c1")}))
    assert await record.ledger.run_once(named, ARGUMENTS, deletes(goal_id)) == QUESTION
    assert len(await record.store.goals(USER)) == 1


async def test_what_is_somebody_elses_is_not_there_to_be_deleted(record: Record) -> None:
    _, goal_id = await asked(record)
    claim = await begun(record, STRANGER)
    task = await record.ledger.run_once(job(claim, name="add_task"), {}, adds_task())
    with pytest.raises(NotFound):
        await run(record, claim, goal_id, "c2", "c1")

    async def delete_task(transaction: Transaction) -> Outcome:
        await transaction.planner.delete_task(task.task_id or "")
        return Outcome(status=Status.DONE, content="Deleted.")

    mine = await begun(record)
    with pytest.raises(NotFound):
        await record.ledger.run_once(job(mine, call_id="c5"), {}, delete_task)
    assert len(await record.store.tasks(STRANGER)) == 1
    assert len(await record.store.goals(USER)) == 1
