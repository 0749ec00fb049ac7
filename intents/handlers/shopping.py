"""A shopping list: the example of Python handlers, used by the agent pantry. Items are tasks for the shop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bridge.core.model import Outcome, Status, Task
from bridge.ports import Job, Transaction
from intents.arguments import Arguments
from intents.outcomes import done
from intents.wording import capitalised, enumerated

PLACE: Final = "the shop"
MOST: Final = 12
"""How many items are read out."""


async def add_item(tx: Transaction, job: Job, arguments: Arguments) -> Outcome:
    """Takes item and, if said, amount. What is on the list stays there once."""
    title = " ".join(filter(None, [arguments.text("amount"), arguments.text("item")]))
    for known in await _items(tx):
        if known.title.casefold() == title.casefold():
            return Outcome(
                status=Status.DONE, content=f"{capitalised(title)} is on your list already.", task_id=known.id
            )
    task = await tx.planner.add_task(
        title=title, trigger_type="location", scheduled_at=None, recurrence_rule=None, location_trigger=PLACE
    )
    return done(f"Added to your list: {title}.", task)


async def read_list(tx: Transaction, job: Job, arguments: Arguments) -> str:
    """Takes nothing."""
    titles = [task.title for task in await _items(tx)]
    if not titles:
        return "There is nothing on your list."
    more = len(titles) - MOST
    named = [*titles[:MOST], f"{more} more"] if more > 0 else titles
    return f"On your list: {enumerated(named)}."


async def _items(tx: Transaction) -> Sequence[Task]:
    """In the order they were added."""
    tasks = await tx.planner.open_tasks()
    items = [task for task in tasks if task.trigger_type == "location" and task.location_trigger == PLACE]
    return sorted(items, key=lambda task: task.created_at)
