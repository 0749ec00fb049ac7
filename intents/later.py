"""Runs the calls that were noted while the store was away, once it is back."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import structlog

from bridge.background import Background
from bridge.core.agent import Agent
from bridge.core.model import Call, Entry, Note, Outcome, Result, Status
from bridge.errors import StoreUnavailable
from bridge.ports import Job, Ledger
from intents import outcomes, sentences
from intents.executor import Executor

log = structlog.get_logger(__name__)

AT_ONCE = 4
"""Calls of different conversations that are run side by side."""
LOOK_SECONDS = 30.0
"""How often is looked for what another process has left."""
FIRST_RETRY, LONGEST_RETRY = 0.25, 10.0
"""Seconds before the store is tried again, at first and at most; doubled in between."""


class Together(Ledger, Protocol):
    """A ledger in whose transaction the results are written too, for calls that go well."""

    @property
    def spoiled(self) -> bool:
        """The last one did not: nothing is kept, it is to be run by itself."""
        ...

    @property
    def ended(self) -> Sequence[Entry]:
        """The results as they stand once this is kept."""
        ...

    def end(self, note: Note, outcome: Outcome) -> None:
        """It was run: its result becomes that outcome."""
        ...


class Notes(Protocol):
    """The calls that are still to be run, as the store has them. Raises StoreUnavailable."""

    async def waiting(self) -> Sequence[str]:
        """The conversations that have some, those that wait for longest first."""
        ...

    async def due(self, conversation_id: str) -> Sequence[Note]:
        """The oldest ones of that, in the order they were asked for; not again what `end` was told of."""
        ...

    async def end(self, note: Note, outcome: Outcome) -> Entry:
        """It was run: its result becomes that outcome. The entry as it stands now."""
        ...

    def together(self, notes: Sequence[Note]) -> AbstractAsyncContextManager[Together]:
        """To run those of one conversation in one transaction; it is kept unless it is spoiled."""
        ...

    async def wait(self, seconds: float) -> None:
        """Until there may be a new one, at most so long."""
        ...


class Later(Background):
    """One per process."""

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
        """Run those of the conversations that wait for longest; True = there were some."""
        waiting = await self._notes.waiting()
        limit = asyncio.Semaphore(AT_ONCE)
        runs = [self._run_all(conversation_id, limit) for conversation_id in waiting]
        for failure in await asyncio.gather(*runs, return_exceptions=True):
            if failure:
                raise failure
        return bool(waiting)

    async def _run_all(self, conversation_id: str, limit: asyncio.Semaphore) -> None:
        async with limit:
            while notes := await self._notes.due(conversation_id):
                await self._run_in_order(notes)

    async def _run_in_order(self, notes: Sequence[Note]) -> None:
        """Those of one conversation: as many as possible together, what does not go well by itself."""
        done = 0
        while done < len(notes):
            done += await self._run_together(notes[done:])
            if done < len(notes):
                await self._run_alone(notes[done])
                done += 1

    async def _run_together(self, notes: Sequence[Note]) -> int:
        """How many of them were run: those before the first that does not go well."""
        while notes:
            went_well, ended = await self._try_together(notes)
            if ended:
                self._tell(ended)
                return len(ended)
            notes = notes[:went_well]
        return 0

    async def _try_together(self, notes: Sequence[Note]) -> tuple[int, Sequence[Entry]]:
        """How many went well, and what came of them; nothing unless all did, for nothing is kept then."""
        well = 0
        try:
            async with self._notes.together(notes) as batch:
                executor = self._executor.using(batch)
                while well < len(notes) and await self._goes_well(batch, notes[well], executor):
                    well += 1
        except StoreUnavailable:
            raise
        except Exception as error:  # the store refuses what one of them would write
            log.info("noted_calls_parted", calls=len(notes), error=type(error).__name__)
            return well // 2, ()
        return well, batch.ended if well == len(notes) else ()

    async def _goes_well(self, batch: Together, note: Note, executor: Executor) -> bool:
        try:
            outcome = await self._outcome(note, executor)
        except StoreUnavailable:
            if batch.spoiled:
                return False
            raise
        batch.end(note, outcome)
        return not batch.spoiled

    async def _run_alone(self, note: Note) -> None:
        outcome = await self._outcome(note, self._executor)
        self._tell([await self._notes.end(note, outcome)])

    def _tell(self, ended: Sequence[Entry]) -> None:
        """What came of calls of one conversation."""
        results = [entry.what.outcome.status for entry in ended if isinstance(entry.what, Result)]
        for status, calls in Counter(results).items():
            level = log.info if status is Status.DONE else log.warning
            level(
                "noted_calls_run", conversation_id=ended[0].conversation_id, status=status.value, calls=calls
            )
        for entry in ended:
            self._ended(entry)

    async def _outcome(self, note: Note, executor: Executor) -> Outcome:
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
        return await executor.run_noted(job)
