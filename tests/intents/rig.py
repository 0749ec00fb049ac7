"""The real parts around an executor under test: agents from folders, a record on SQLite, a still clock."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.core.agent import Agent
from bridge.core.model import Call, Cursor, FunctionCall, Outcome, Person
from bridge.ports import Job
from intents.agents import load_agent
from intents.executor import Executor
from intents.handlers.http import HttpSettings
from persistence.record import Record, open_record

AGENTS = Path(__file__).parents[2] / "config" / "agents"
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 2, 13, 30, tzinfo=UTC)
"""A Monday, 14:30 in Berlin."""


@dataclass(kw_only=True)
class Rig:
    """One conversation of one user, and what executes its calls."""

    executor: Executor
    record: Record
    job: Job
    """The next call without its function."""
    calls: int = field(default=0)

    async def run(self, name: str, arguments: object, **changes: object) -> Outcome:
        """Run a call under a new id; `changes` are fields of the job."""
        self.calls += 1
        return await self.executor.run(self.of(name, arguments, f"call-{self.calls}", **changes))

    def of(self, name: str, arguments: object, call_id: str, **changes: object) -> Job:
        """The job of that call; arguments that are no string are written as JSON."""
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        call = Call(request="request-1", function=FunctionCall(id=call_id, name=name, arguments=text))
        return replace(self.job, call=call, **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def rig(
    folder: Path,
    *,
    agent: Agent | str = "flux",
    http: HttpSettings | None = None,
    user: str = "ada",
) -> AsyncIterator[Rig]:
    """An agent (of the repository, by name) at work for a user in Berlin; the record lies in `folder`."""
    loaded = load_agent(AGENTS / agent) if isinstance(agent, str) else agent
    url = f"sqlite+aiosqlite:///{folder / 'store.sqlite3'}"
    async with open_record(url, folder / "data", default_zone=BERLIN.key) as record:
        claim = await record.store.claim(user, agent=loaded.name, conversation_id=None)
        executor = Executor(ledger=record.ledger, clock=lambda: NOW, http=http)
        job = Job(
            session_id="session-1",
            conversation_id=claim.conversation.id,
            epoch=claim.epoch,
            person=Person(id=user, name="Ada", time_zone=BERLIN.key),
            agent=loaded,
            call=Call(request="request-1", function=FunctionCall(id="none", name="none", arguments="{}")),
            cursor=Cursor(claim.epoch, 0),
        )
        try:
            yield Rig(executor=executor, record=record, job=job)
        finally:
            await executor.aclose()
