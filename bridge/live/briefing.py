"""Briefs an agent: its prompt with the user's context appended, the history, the user's things."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.core.agent import Agent
from bridge.core.commands import OpenAgent
from bridge.core.model import Person, Task, Thing
from bridge.ports import Brief, Store

MAX_TASKS = 40
"""Tasks told to the agent; the next ones first."""


class Briefing:
    """Makes briefs. One for all sessions."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def brief(self, person: Person, agent: Agent, command: OpenAgent) -> Brief:
        """All that the agent is told before it talks. Raises StoreUnavailable."""

        async def references(kind: str) -> Sequence[Thing]:
            return await self._things(person.id, kind)

        tasks = [task for task in await self._store.tasks(person.id) if task.status == "open"]
        return Brief(
            agent=agent,
            prompt=f"{agent.prompt.rstrip()}\n\n{context(person, tasks, self._now())}",
            greeting=_greeting(agent, command),
            history=command.history,
            audio_in=command.audio_in,
            audio_out=command.audio_out,
            person=person,
            references=references,
            client_agent=command.client_agent,
            context=command.context,
        )

    async def _things(self, user_id: str, kind: str) -> Sequence[Thing]:
        match kind:
            case "task":
                tasks = await self._store.tasks(user_id)
                return [Thing(kind, t.id, t.title, t.scheduled_at) for t in tasks if t.status == "open"]
            case "goal":
                return [Thing(kind, g.id, g.statement, g.due_at) for g in await self._store.goals(user_id)]
            case _:
                return []


def _greeting(agent: Agent, command: OpenAgent) -> str:
    """What is spoken first: the agent's greeting, or that of the client's own agent block; empty: nothing."""
    if not command.greet:
        return ""
    return agent.greeting if command.client_agent is None else str(command.client_agent.get("greeting", ""))


def context(person: Person, tasks: Sequence[Task], now: datetime) -> str:
    """What is known of the user, as Markdown for the end of a prompt. Times are in the user's zone."""
    zone = ZoneInfo(person.time_zone)
    local = now.astimezone(zone)
    known = [
        ("Name", person.name),
        ("Time zone", person.time_zone),
        ("Now", f"{local:%A}, {local.day} {local:%B %Y, %H:%M}"),
        ("Chronotype", person.chronotype),
        ("Work hours", person.work_hours),
        ("Sleep window", person.sleep_window),
    ]
    lines = ["## The user", "", *(f"- {name}: {value}" for name, value in known if value)]
    today = [
        task
        for task in tasks
        if task.scheduled_at and task.scheduled_at.astimezone(zone).date() == local.date()
    ]
    others = [task for task in tasks if task not in today]
    for title, some in (("Today's tasks", today), ("Other tasks", others)):
        lines += ["", f"### {title}", ""]
        lines += [_task_line(task, zone) for task in some[:MAX_TASKS]] or ["- none"]
    return "\n".join(lines) + "\n"


def _task_line(task: Task, zone: ZoneInfo) -> str:
    when = f", {task.scheduled_at.astimezone(zone):%A %Y-%m-%d %H:%M}" if task.scheduled_at else ""
    where = f", at {task.location_trigger}" if task.location_trigger else ""
    every = f", repeats {task.recurrence_rule}" if task.recurrence_rule else ""
    return f"- task_id {task.id}: {task.title}{when}{where}{every}"
