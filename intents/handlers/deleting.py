"""Deletes a goal or a task of the planner's, for good; the user is asked first."""

from __future__ import annotations

from bridge.core.model import Outcome, Status
from bridge.ports import Job, Transaction
from intents import sentences
from intents.arguments import Arguments
from intents.handlers.naming import named
from intents.handlers.saying import say_ids, say_some, say_tasks
from intents.outcomes import Tentative, refused


async def delete_goal(tx: Transaction, job: Job, arguments: Arguments) -> Outcome | Tentative:
    """Takes goal_id (an id, or kindly the goal's words)."""
    asked = arguments.text("goal_id")
    found = named(asked, await tx.planner.goals(), lambda goal: goal.statement)
    if not found:
        return refused(f"There is no goal {sentences.quoted(asked)}: which goal do you mean?")
    if len(found) > 1:
        names = say_some([goal.statement for goal in found])
        return refused(f"Which goal do you mean: {names}?", say_ids("goal_id", found))
    goal = found[0]
    await tx.planner.delete_goal(goal.id)
    return Tentative(
        Outcome(status=Status.DONE, content=f"Deleted the goal: {goal.statement}."),
        question=f"Shall I really delete the goal {sentences.quoted(goal.statement)}?",
        note=f"goal_id: {goal.id}",
    )


async def delete_task(tx: Transaction, job: Job, arguments: Arguments) -> Outcome | Tentative:
    """Takes task_id (an id, or kindly the title of an open task)."""
    asked = arguments.text("task_id")
    found = named(asked, await tx.planner.open_tasks(), lambda task: task.title)
    if not found:
        return refused(f"There is no open task {sentences.quoted(asked)}: which task do you mean?")
    if len(found) > 1:
        return refused(f"Which task do you mean: {say_tasks(found, arguments)}?", say_ids("task_id", found))
    task = found[0]
    await tx.planner.delete_task(task.id)
    return Tentative(
        Outcome(status=Status.DONE, content=f"Deleted the task: {task.title}."),
        question=f"Shall I really delete the task {sentences.quoted(task.title)}?",
        note=f"task_id: {task.id}",
    )
