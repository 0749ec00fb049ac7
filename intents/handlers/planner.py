"""What an intent can do with the planner: add, move and delete goals and tasks. One spoken sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from bridge.core.model import Outcome, Status, Task
from bridge.errors import NotFound
from bridge.ports import Job, Transaction
from intents import sentences, times, when
from intents.arguments import GRACE, Arguments
from intents.handlers import Handler
from intents.handlers.deleting import delete_goal, delete_task
from intents.handlers.naming import named
from intents.handlers.saying import say_ids, say_tasks
from intents.outcomes import done, refused
from intents.wording import capitalised


async def add_goal(tx: Transaction, job: Job, arguments: Arguments) -> Outcome:
    """Takes goal_statement, timeline (time), context_notes."""
    timeline = arguments.when("timeline")
    goal = await tx.planner.add_goal(
        statement=arguments.text("goal_statement"),
        timeline=arguments.text("timeline"),
        due_at=timeline.at if timeline else None,
        context_notes=arguments.text("context_notes"),
    )
    by = f", {goal.timeline}" if goal.timeline else ""
    return Outcome(
        status=Status.DONE,
        content=f"Goal saved: {goal.statement}{by}.",
        note=f"goal_id: {goal.id}",
        goal_id=goal.id,
    )


async def add_task(tx: Transaction, job: Job, arguments: Arguments) -> Outcome:
    """Takes title, trigger_type (time | location), scheduled_at (time), recurrence_rule, location_trigger."""
    by_place = arguments.text("trigger_type") == "location"
    at = None if by_place else arguments.when("scheduled_at")
    task = await tx.planner.add_task(
        title=arguments.text("title"),
        trigger_type="location" if by_place else "time",
        scheduled_at=at.at if at else None,
        recurrence_rule=at.rule if at else None,
        location_trigger=arguments.text("location_trigger") if by_place else None,
    )
    return done(f"I'll remind you {_say_trigger(task, arguments)}: {task.title}.", task)


def _say_trigger(task: Task, arguments: Arguments) -> str:
    if task.location_trigger:
        return f"at {task.location_trigger}"
    if task.scheduled_at is None:
        return "without a time"
    at = times.say(task.scheduled_at, arguments.now, arguments.zone)
    if task.recurrence_rule:
        return f"{times.say_recurrence(task.recurrence_rule, arguments.zone)}, starting {at}"
    return at


async def move_task(tx: Transaction, job: Job, arguments: Arguments) -> Outcome:
    """Takes task_id (an id, or kindly the title of an open task), preferred_new_time (time), reason."""
    asked, now, zone = arguments.text("task_id"), arguments.now, arguments.zone
    found = named(asked, await tx.planner.open_tasks(), lambda task: task.title)
    if not found:
        return refused(f"There is no open task {sentences.quoted(asked)}: which task do you mean?")
    if len(found) > 1:
        return refused(f"Which one do you mean: {say_tasks(found, arguments)}?", say_ids("task_id", found))
    task = found[0]
    to = _new_time(task, arguments)
    if isinstance(to, str):
        return refused(to, say_ids("task_id", found))
    if to == task.scheduled_at:
        return done(capitalised(f"{task.title} is {times.say(to, now, zone)} already."), task)
    try:
        moved = await tx.planner.move_task(task.id, to=to, reason=arguments.text("reason"))
    except NotFound:
        return refused(capitalised(f"{task.title} is not there any more, so it can't be moved."))
    since = f", from {times.say(task.scheduled_at, now, zone)}" if task.scheduled_at else ""
    return done(f"Moved: {moved.title}{since} to {times.say(to, now, zone)}.", moved)


def _new_time(task: Task, arguments: Arguments) -> datetime | str:
    """When the task is to be; a string is the question to ask instead."""
    new, now, zone = arguments.when("preferred_new_time"), arguments.now, arguments.zone
    if new is None:
        return f"To what time should I move {task.title}?"
    if new.rule:
        return f"I can't change how often {task.title} is, but I can move it once: when should it be?"
    to = when.move(task.scheduled_at, new, now, zone)
    if to is None:
        return f"I don't know what time {sentences.quoted(new.words)} is: when should {task.title} be?"
    if to < now - GRACE:
        return f"That was {times.say(to, now, zone)}, which has passed already: when should {task.title} be?"
    return to


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "planner.add_goal": add_goal,
        "planner.add_task": add_task,
        "planner.move_task": move_task,
        "planner.delete_goal": delete_goal,
        "planner.delete_task": delete_task,
    }
)
"""What `handler:` may name."""
DESTRUCTIVE = frozenset({"planner.delete_goal", "planner.delete_task"})
"""Those that cannot be undone."""
