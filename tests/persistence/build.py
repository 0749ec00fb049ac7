"""Entries and jobs for tests, with everything that does not matter filled in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from bridge.core.agent import Agent, Intent
from bridge.core.model import (
    Call,
    Conversation,
    Cursor,
    Entry,
    FunctionCall,
    Message,
    Outcome,
    Person,
    Role,
    Status,
    What,
)
from bridge.ports import Claim, Handle, Job, Transaction
from persistence.record import Record

USER = "user-1"
STRANGER = "user-2"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

AGENT = Agent(
    name="flux",
    title="Flux",
    prompt="Be kind.",
    intents=(
        Intent(name="add_goal", route="GOAL", description="", handler="planner.add_goal"),
        Intent(
            name="add_task",
            route="NEW_TASK",
            description="",
            handler="planner.add_task",
            dedupe=("title",),
            dedupe_seconds=60,
        ),
    ),
)


def claimed(conversation_id: str = "c") -> Claim:
    """A conversation that is in no store."""
    conversation = Conversation(
        id=conversation_id, user_id=USER, agent="flux", title="", started_at=NOON, last_activity_at=NOON
    )
    return Claim(person=Person(id=USER), conversation=conversation, epoch=1, history=())


async def begun(record: Record, user_id: str = USER) -> Claim:
    """A new conversation."""
    return await record.store.claim(user_id, agent="flux", conversation_id=None)


def entry(
    claim: Claim, idx: int, what: What | str, *, at: datetime | None = None, epoch: int | None = None
) -> Entry:
    """An entry of that conversation; a text is something the user said."""
    return Entry(
        conversation_id=claim.conversation.id,
        user_id=claim.conversation.user_id,
        cursor=Cursor(claim.epoch if epoch is None else epoch, idx),
        at=at or NOON + timedelta(seconds=idx % 86_400),
        what=Message(Role.USER, what) if isinstance(what, str) else what,
    )


async def append(record: Record, *entries: Entry) -> None:
    """Journal them and wait until they are durable."""
    await asyncio.gather(*[record.journal.append(item) for item in entries])


async def stored(record: Record, claim: Claim) -> list[Entry]:
    """All entries the store has."""
    page = await record.store.entries(
        claim.conversation.user_id, claim.conversation.id, after=None, limit=100_000
    )
    return list(page.items)


def cursors(entries: Iterable[Entry]) -> list[str]:
    return [str(item.cursor) for item in entries]


def job(
    claim: Claim,
    *,
    name: str = "add_goal",
    request: str = "request-1",
    call_id: str = "call-1",
    epoch: int | None = None,
    user_id: str | None = None,
) -> Job:
    """A call of that conversation's owner."""
    return Job(
        session_id="session-1",
        conversation_id=claim.conversation.id,
        epoch=claim.epoch if epoch is None else epoch,
        person=Person(id=user_id or claim.conversation.user_id),
        agent=AGENT,
        call=Call(request=request, function=FunctionCall(id=call_id, name=name, arguments="{}")),
        cursor=Cursor(claim.epoch, 0),
    )


def adds_goal(statement: str = "learn Spanish", status: Status = Status.DONE) -> Handle:
    """A handler that inserts a goal and ends with that status."""

    async def handle(transaction: Transaction) -> Outcome:
        goal = await transaction.planner.add_goal(
            statement=statement, timeline="in three months", due_at=None, context_notes=""
        )
        return Outcome(status=status, content="Noted.", route="GOAL", goal_id=goal.id)

    return handle


def adds_task(title: str = "run") -> Handle:
    """A handler that inserts a task."""

    async def handle(transaction: Transaction) -> Outcome:
        task = await transaction.planner.add_task(
            title=title,
            trigger_type="time",
            scheduled_at=NOON,
            recurrence_rule=None,
            location_trigger=None,
        )
        return Outcome(status=Status.DONE, content="Made.", route="NEW_TASK", task_id=task.id)

    return handle


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something that will come; fail when it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)
