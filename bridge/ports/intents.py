"""Function calls: what executes them, what remembers them, what their handlers may touch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from bridge.core.agent import Agent
from bridge.core.model import (
    JSON,
    Call,
    Cursor,
    Goal,
    Outcome,
    Person,
    Task,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A function call of ours that is due."""

    session_id: str
    conversation_id: str
    epoch: int | None
    """The session's; None: the call was accepted before, whoever owns the conversation now."""
    person: Person
    """The session's user: authorisation comes from here, never from an argument."""
    agent: Agent
    call: Call
    cursor: Cursor
    asked_at: datetime | None = None
    """UTC; None: just now."""
    answered: frozenset[tuple[str, str]] = frozenset()
    """(request, call id) of calls that ended UNCONFIRMED in this session, and that the user has answered."""
    confirmed: bool = False
    """It was done before, on the user's word; the store may have lost what it did."""


class Intents(Protocol):
    """Executes function calls."""

    async def run(self, job: Job) -> Outcome:
        """Run it once; the same call again gets the stored outcome. Never raises but CancelledError."""
        ...


class Planner(Protocol):
    """Goals and tasks of one user, inside one transaction."""

    async def add_goal(
        self, *, statement: str, timeline: str, due_at: datetime | None, context_notes: str
    ) -> Goal: ...

    async def add_task(
        self,
        *,
        title: str,
        trigger_type: str,
        scheduled_at: datetime | None,
        recurrence_rule: str | None,
        location_trigger: str | None,
    ) -> Task: ...

    async def open_tasks(self) -> Sequence[Task]: ...

    async def task(self, task_id: str) -> Task | None:
        """That task, if it is this user's."""
        ...

    async def move_task(self, task_id: str, *, to: datetime, reason: str) -> Task:
        """Move it and keep the old time and the reason. Raises NotFound."""
        ...

    async def delete_task(self, task_id: str) -> None:
        """For good. Raises NotFound."""
        ...

    async def goals(self) -> Sequence[Goal]:
        """The newest first."""
        ...

    async def delete_goal(self, goal_id: str) -> None:
        """For good. Raises NotFound."""
        ...


class Transaction(Protocol):
    """What an intent's handler may touch; committed together with its outcome, or not at all."""

    @property
    def planner(self) -> Planner: ...

    async def confirmed(self, question: Outcome) -> bool:
        """The user answered that very question about this very call, and nothing was done for it yet.

        True uses the answer up, once this transaction is committed. Always for a job that was confirmed.
        """
        ...


Handle = Callable[[Transaction], Awaitable[Outcome]]


class Ledger(Protocol):
    """Function calls: claimed once, run once, remembered. Key: conversation, upstream request, call id."""

    async def run_once(self, job: Job, arguments: JSON, handle: Handle) -> Outcome:
        """In ONE transaction: check the epoch, claim, `handle`, link the conversation, store the outcome.

        There already (same arguments, or the same wish in the intent's dedupe window): the stored outcome.
        An outcome that is not DONE rolls back what the handler wrote, and is stored.
        Raises StaleEpoch, CallMismatch, StoreUnavailable. Cancelling it before the commit leaves nothing.
        """
        ...

    async def begin(self, job: Job, arguments: JSON, question: Outcome | None = None) -> Outcome | None:
        """Claim a call whose effect is outside (HTTP), committed at once. An Outcome: it ran before.

        With a `question` that the user has not answered, that is its outcome; an answer is used up.
        """
        ...

    async def settle(self, job: Job, arguments: JSON, outcome: Outcome) -> None:
        """Store what came of a call that `begin` claimed."""
        ...


@dataclass(frozen=True, slots=True)
class SpokenTime:
    """A time found in words."""

    phrase: str
    """The words that were the time."""
    rest: str
    """The text without them."""
    at: datetime | None
    """UTC."""
    recurrence: str | None
    """RFC 5545 RRULE without its prefix."""


class TimeGrammar(Protocol):
    """Finds the time in what somebody said."""

    def __call__(self, text: str, now: datetime, zone: ZoneInfo) -> SpokenTime | None: ...
