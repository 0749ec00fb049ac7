"""Goals and tasks of one user, inside one transaction (ports.Planner)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Insert, Row, Select, Table, delete, insert, select, update

from bridge.core.model import Goal, Task
from bridge.errors import NotFound
from persistence.codec import storable
from persistence.connection import Connection
from persistence.engine import mapped
from persistence.rows import to_goal, to_task
from persistence.tables import GOALS, TASKS

_ADD_GOAL: Final = insert(GOALS).returning(*GOALS.c)
_ADD_TASK: Final = insert(TASKS).returning(*TASKS.c)


class Planner:
    """What an intent's handler does to goals and tasks; committed by whoever owns the transaction."""

    def __init__(self, connection: Connection, user_id: str, conversation_id: str) -> None:
        self._connection = connection
        self._user_id = user_id
        self._conversation_id = conversation_id

    async def add_goal(
        self, *, statement: str, timeline: str, due_at: datetime | None, context_notes: str
    ) -> Goal:
        """Insert a goal."""
        values = {
            "statement": storable(statement),
            "timeline": storable(timeline),
            "due_at": due_at,
            "context_notes": storable(context_notes),
        }
        return to_goal(await self._add(_ADD_GOAL, values))

    async def add_task(
        self,
        *,
        title: str,
        trigger_type: str,
        scheduled_at: datetime | None,
        recurrence_rule: str | None,
        location_trigger: str | None,
    ) -> Task:
        """Insert a task."""
        values = {
            "title": storable(title),
            "trigger_type": storable(trigger_type),
            "scheduled_at": scheduled_at,
            "recurrence_rule": recurrence_rule and storable(recurrence_rule),
            "location_trigger": location_trigger and storable(location_trigger),
            "reschedule_reason": "",
        }
        return to_task(await self._add(_ADD_TASK, values))

    async def open_tasks(self) -> Sequence[Task]:
        """Those still to be done, the earliest first, those without a time last."""
        rows = await self._rows(
            self._mine()
            .where(TASKS.c.status == "open")
            .order_by(TASKS.c.scheduled_at.nulls_last(), TASKS.c.id)
        )
        return [to_task(row) for row in rows]

    async def task(self, task_id: str) -> Task | None:
        """That task, if it is this user's."""
        number = _number(task_id)
        rows = await self._rows(self._mine().where(TASKS.c.id == number)) if number is not None else []
        return to_task(rows[0]) if rows else None

    async def move_task(self, task_id: str, *, to: datetime, reason: str) -> Task:
        """Move it and keep the old time and the reason. Raises NotFound."""
        with mapped():
            moved = await self._connection.execute(
                update(TASKS)
                .where(TASKS.c.id == _number(task_id), TASKS.c.user_id == self._user_id)
                .values(
                    previous_time=TASKS.c.scheduled_at, scheduled_at=to, reschedule_reason=storable(reason)
                )
                .returning(*TASKS.c)
            )
        row = moved.one_or_none()
        if row is None:
            raise NotFound("there is no such task")
        return to_task(row)

    async def delete_task(self, task_id: str) -> None:
        """For good. Raises NotFound."""
        await self._delete(TASKS, task_id)

    async def goals(self) -> Sequence[Goal]:
        """The newest first."""
        rows = await self._rows(
            select(*GOALS.c).where(GOALS.c.user_id == self._user_id).order_by(GOALS.c.id.desc())
        )
        return [to_goal(row) for row in rows]

    async def delete_goal(self, goal_id: str) -> None:
        """For good. Raises NotFound."""
        await self._delete(GOALS, goal_id)

    async def _delete(self, table: Table, number: str) -> None:
        mine = delete(table).where(table.c.id == _number(number), table.c.user_id == self._user_id)
        with mapped():
            deleted = await self._connection.execute(mine)
        if not deleted.rowcount:
            raise NotFound("there is no such thing")

    async def _add(self, statement: Insert, values: dict[str, Any]) -> Row[Any]:
        made = {
            "user_id": self._user_id,
            "conversation_id": self._conversation_id,
            "status": "open",
            "created_at": datetime.now(UTC),
        }
        with mapped():
            return await self._connection.run(lambda one: one.execute(statement, made | values).one())

    def _mine(self) -> Select[tuple[object, ...]]:
        return select(*TASKS.c).where(TASKS.c.user_id == self._user_id)

    async def _rows(self, query: Select[tuple[object, ...]]) -> Sequence[Row[tuple[object, ...]]]:
        with mapped():
            return (await self._connection.execute(query)).all()


def _number(task_id: str) -> int | None:
    """The key behind an id; None when no row can have it."""
    if not (task_id.isascii() and task_id.isdecimal()) or len(task_id) > 18:
        return None
    return int(task_id)
