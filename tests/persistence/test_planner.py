"""What every planner must do, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import pytest

from bridge.core.model import Goal, Outcome, Status, Task
from bridge.errors import NotFound
from bridge.ports import Planner, Transaction
from persistence.record import Record
from tests.persistence.build import NOON, STRANGER, USER, begun, job

T = TypeVar("T")


async def _plan(record: Record, do: Callable[[Planner], Awaitable[T]], user_id: str = USER) -> T:
    """Do something with the planner inside an intent."""
    results: list[T] = []

    async def handle(transaction: Transaction) -> Outcome:
        results.append(await do(transaction.planner))
        return Outcome(status=Status.DONE, content="Done.")

    await record.ledger.run_once(job(await begun(record, user_id)), {}, handle)
    return results[0]


def _adds(title: str, minutes: int | None = 0) -> Callable[[Planner], Awaitable[Task]]:
    at = None if minutes is None else NOON + timedelta(minutes=minutes)
    return lambda planner: planner.add_task(
        title=title, trigger_type="time", scheduled_at=at, recurrence_rule="FREQ=DAILY", location_trigger=None
    )


async def test_a_goal_is_kept_as_it_was_said(record: Record) -> None:
    async def add(planner: Planner) -> Goal:
        return await planner.add_goal(
            statement="Learn Español", timeline="in three months", due_at=NOON, context_notes="for work"
        )

    goal = await _plan(record, add)
    assert (goal.statement, goal.timeline, goal.due_at) == ("Learn Español", "in three months", NOON)
    assert (goal.context_notes, goal.status) == ("for work", "open")
    assert await record.store.goals(USER) == [goal]


async def test_open_tasks_come_the_earliest_first_and_those_without_a_time_last(record: Record) -> None:
    for title, minutes in (("later", 5), ("whenever", None), ("soon", 1)):
        await _plan(record, _adds(title, minutes))
    await _plan(record, _adds("somebody else's"), STRANGER)
    tasks = await _plan(record, lambda planner: planner.open_tasks())
    assert [task.title for task in tasks] == ["soon", "later", "whenever"]
    assert [task.title for task in await record.store.tasks(USER)] == ["soon", "whenever", "later"]


async def test_a_moved_task_keeps_its_old_time_and_the_reason(record: Record) -> None:
    task = await _plan(record, _adds("run"))
    later = NOON + timedelta(days=1)
    moved = await _plan(record, lambda planner: planner.move_task(task.id, to=later, reason="rain"))
    assert (moved.scheduled_at, moved.previous_time, moved.reschedule_reason) == (later, NOON, "rain")
    assert moved.recurrence_rule == "FREQ=DAILY"
    assert await _plan(record, lambda planner: planner.task(task.id)) == moved
    assert await record.store.tasks(USER) == [moved]


async def test_somebody_elses_task_is_not_there(record: Record) -> None:
    task = await _plan(record, _adds("run"), STRANGER)
    assert await _plan(record, lambda planner: planner.task(task.id)) is None
    with pytest.raises(NotFound):
        await _plan(record, lambda planner: planner.move_task(task.id, to=NOON, reason=""))
    assert await record.store.tasks(STRANGER) == [task]


@pytest.mark.parametrize("task_id", ["", "0", "-1", "1.0", "one", "٣", "9" * 30, "\0", "1; DROP TABLE tasks"])
async def test_an_id_that_is_none_is_not_there(record: Record, task_id: str) -> None:
    await _plan(record, _adds("run"))
    assert await _plan(record, lambda planner: planner.task(task_id)) is None
    with pytest.raises(NotFound):
        await _plan(record, lambda planner: planner.move_task(task_id, to=NOON, reason=""))
