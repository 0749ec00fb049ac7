"""Python handlers for the tests of the executor: each does one thing a handler may do, right or wrong."""

from __future__ import annotations

import asyncio

from bridge.core.model import Outcome, Status
from bridge.errors import StoreUnavailable
from bridge.ports import Job, Transaction
from intents.arguments import Arguments


async def add(tx: Transaction, job: Job, arguments: Arguments) -> str:
    """Adds a goal and says so."""
    await _add(tx, arguments)
    return f"Added {arguments.text('what')} for {job.person.name}."


async def add_and_refuse(tx: Transaction, job: Job, arguments: Arguments) -> Outcome:
    """Adds a goal, then thinks better of it."""
    await _add(tx, arguments)
    return Outcome(status=Status.REFUSED, content="Rather not.")


async def add_and_break(tx: Transaction, job: Job, arguments: Arguments) -> str:
    """Adds a goal, then fails with what was said in the error's text."""
    await _add(tx, arguments)
    raise RuntimeError(f"cannot do {arguments.text('what')}")


async def add_and_hang(tx: Transaction, job: Job, arguments: Arguments) -> str:
    """Adds a goal and never comes back."""
    await _add(tx, arguments)
    await asyncio.Event().wait()
    return "never"


async def time_out(tx: Transaction, job: Job, arguments: Arguments) -> str:
    """Fails with a time limit of its own."""
    raise TimeoutError("mine")


async def lose_the_store(tx: Transaction, job: Job, arguments: Arguments) -> str:
    """The database goes away underneath it."""
    raise StoreUnavailable("gone")


async def answer_with_a_number(tx: Transaction, job: Job, arguments: Arguments) -> str:
    """Returns what no handler may."""
    await _add(tx, arguments)
    return 7  # type: ignore[return-value]


async def _add(tx: Transaction, arguments: Arguments) -> None:
    await tx.planner.add_goal(statement=arguments.text("what"), timeline="", due_at=None, context_notes="")


async def answer_with_half_a_character(tx: Transaction, job: Job, arguments: Arguments) -> Outcome:
    """What no message could hold."""
    return Outcome(status=Status.DONE, content="Played \ud83d.", note="by \ude00")
