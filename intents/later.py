"""Runs the calls that were noted while the store was away, once it is back."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Protocol

import structlog

from bridge.core.agent import Agent
from bridge.core.model import Call, Entry, Note, Outcome, Result, Status
from bridge.errors import StoreUnavailable
from bridge.ports import Job
from intents import outcomes, sentences
from intents.executor import Executor

log = structlog.get_logger(__name__)

AT_ONCE = 4
"""Calls of different conversations that are run side by side."""
LOOK_SECONDS = 30.0
"""How often is looked for what another process has left."""
FIRST_RETRY, LONGEST_RETRY = 0.25, 10.0
"""Seconds before the store is tried again, at first and at most; doubled in between."""


class Notes(Protocol):
    """The calls that are still to be run, as the store has them. Raises StoreUnavailable."""

    async def due(self) -> Sequence[Note]:
        """The oldest ones, in the order they were asked for; not again what `end` was told of."""
        ...

    async def end(self, note: Note, outcome: Outcome) -> Entry:
        """It was run: its result becomes that outcome. The entry as it stands now."""
        ...

    async def wait(self, seconds: float) -> None:
        """Until there may be a new one, at most so long."""
        ...


class Later:
    """One per process. An async context manager: it works until its block is left."""

    def __init__(
        self,
        notes: Notes,
        executor: Executor,
        agents: Mapping[str, Agent],
        ended: Callable[[Entry], None],
    ) -> None:
        """`ended` is told the result of each call that was run, as it stands now."""
        self._notes = notes
        self._executor = executor
        self._agents = agents
        self._ended = ended
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Later:
        await self._group.__aenter__()
        self._work = self._group.create_task(self._run(), name="later")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._work.cancel()
        await self._group.__aexit__(None, None, None)

    async def _run(self) -> None:
        """Run what is noted, whenever there is something; try again while the store is away."""
        retry = FIRST_RETRY
        while True:
            wait = LOOK_SECONDS
            try:
                while await self._run_due():
                    pass
                retry = FIRST_RETRY
            except StoreUnavailable:
                wait, retry = retry * random.uniform(0.5, 1), min(retry * 2, LONGEST_RETRY)
            except Exception:  # a fault of ours must not end it for everybody
                log.exception("noted_calls_broke")
            await self._notes.wait(wait)

    async def _run_due(self) -> bool:
        """Run the oldest ones; True = there were some."""
        due: dict[str, list[Note]] = defaultdict(list)
        for note in await self._notes.due():
            due[note.call.conversation_id].append(note)
        limit = asyncio.Semaphore(AT_ONCE)
        runs = [self._run_in_order(notes, limit) for notes in due.values()]
        for failure in await asyncio.gather(*runs, return_exceptions=True):
            if failure:
                raise failure
        return bool(due)

    async def _run_in_order(self, notes: Sequence[Note], limit: asyncio.Semaphore) -> None:
        """Those of one conversation."""
        for note in notes:
            async with limit:
                outcome = await self._outcome(note)
                ended = await self._notes.end(note, outcome)
            level = log.info if outcome.status is Status.DONE else log.warning
            level("noted_call_run", conversation_id=ended.conversation_id, status=outcome.status.value)
            self._ended(ended)

    async def _outcome(self, note: Note) -> Outcome:
        agent, call = self._agents.get(note.agent), note.call.what
        if agent is None or not isinstance(call, Call) or not isinstance(note.result.what, Result):
            return outcomes.failed(sentences.FAULT)
        job = Job(
            session_id="",
            conversation_id=note.call.conversation_id,
            epoch=None,
            person=note.person,
            agent=agent,
            call=call,
            cursor=note.call.cursor,
            asked_at=note.call.at,
            confirmed=note.result.what.outcome.status is Status.DONE,
        )
        return await self._executor.run_noted(job)
