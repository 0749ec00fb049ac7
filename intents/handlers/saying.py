"""Says which of several things there are to choose from."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.core.model import Goal, Task
from intents import times
from intents.arguments import Arguments
from intents.wording import enumerated

MAX_NAMED = 3
"""How many things are named when it is not clear which one is meant."""


def say_tasks(tasks: Sequence[Task], arguments: Arguments) -> str:
    """Their titles and times."""
    return say_some([_say_task(task, arguments) for task in tasks])


def say_some(names: Sequence[str]) -> str:
    """The first ones."""
    return enumerated(names if len(names) <= MAX_NAMED else [*names[:MAX_NAMED], "another one"], "or")


def say_ids(name: str, things: Sequence[Task] | Sequence[Goal]) -> str:
    """For the agent alone."""
    return ", ".join(f"{name}: {thing.id}" for thing in things)


def _say_task(task: Task, arguments: Arguments) -> str:
    at = f" {times.say(task.scheduled_at, arguments.now, arguments.zone)}" if task.scheduled_at else ""
    return f"{task.title}{at}"
