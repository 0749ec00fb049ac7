"""What came of a call, put together: done to a task, refused or failed."""

from __future__ import annotations

from bridge.core.model import Outcome, Status, Task


def done(sentence: str, task: Task) -> Outcome:
    """Something was done to that task."""
    return Outcome(status=Status.DONE, content=sentence, note=f"task_id: {task.id}", task_id=task.id)


def refused(sentence: str, note: str = "") -> Outcome:
    """Nothing was done; `sentence` says what the person can change. `note`: for the agent alone."""
    return Outcome(status=Status.REFUSED, content=sentence, note=note)


def failed(sentence: str) -> Outcome:
    """It did not work, or nobody can tell whether it did; the person can change nothing about that."""
    return Outcome(status=Status.FAILED, content=sentence)
