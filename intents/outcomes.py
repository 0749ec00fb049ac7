"""What came of a call, put together: done to a task, refused or failed."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.core.model import Outcome, Status, Task
from bridge.core.questions import ASK_FIRST


def done(sentence: str, task: Task) -> Outcome:
    """Something was done to that task."""
    return Outcome(status=Status.DONE, content=sentence, note=f"task_id: {task.id}", task_id=task.id)


@dataclass(frozen=True, slots=True)
class Tentative:
    """Done, if the user says yes to the question; else nothing was done."""

    outcome: Outcome
    question: str
    note: str = ""
    """For the agent alone: the ids of what it is about. With other ones it is another question."""


def unconfirmed(question: str, note: str = "") -> Outcome:
    """Nothing was done: the user is to be asked first."""
    return Outcome(
        status=Status.UNCONFIRMED, content=question, note=f"{ASK_FIRST}; {note}" if note else ASK_FIRST
    )


def refused(sentence: str, note: str = "") -> Outcome:
    """Nothing was done; `sentence` says what the person can change. `note`: for the agent alone."""
    return Outcome(status=Status.REFUSED, content=sentence, note=note)


def failed(sentence: str) -> Outcome:
    """It did not work, or nobody can tell whether it did; the person can change nothing about that."""
    return Outcome(status=Status.FAILED, content=sentence)
