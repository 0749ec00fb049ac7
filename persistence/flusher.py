"""Carries the journal into the store: in order, in batches, each entry once however often it is tried."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from bridge.core.model import Entry
from bridge.errors import JournalFailed, StoreUnavailable
from persistence.codec import decode
from persistence.engine import Database, is_bad_data
from persistence.entry_writer import write
from persistence.journal import Journal
from persistence.journal_file import Pending

BATCH: Final = 500
"""Entries of one transaction."""
KEEP_SECONDS: Final = 900.0
"""What is flushed stays in the journal for so long, should the store lose its last minutes."""
GATHER_SECONDS: Final = 0.25
"""How long more entries are waited for after the first, unless somebody asks: transactions cost."""
PURGE_SECONDS: Final = 60.0
SETTLE_SECONDS: Final = 5.0
FIRST_RETRY: Final = 0.1
LONGEST_RETRY: Final = 10.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Read:
    """An entry out of the journal."""

    seq: int
    entry: Entry


class Flusher:
    """One per journal. `run` is a task of whoever opened the record."""

    def __init__(
        self,
        journal: Journal,
        database: Database,
        *,
        keep_seconds: float = KEEP_SECONDS,
        on_flushed: Callable[[Sequence[Entry]], None] = lambda _: None,
    ) -> None:
        """`on_flushed` is told the entries of each batch that is in the store."""
        self._journal = journal
        self._database = database
        self._keep_seconds = keep_seconds
        self._on_flushed = on_flushed
        self._flushed = 0
        self._started = self._finished = 0
        self._tried = asyncio.Condition()
        self._poked = asyncio.Event()
        self.problem = ""
        """Why the store took nothing the last time, for operators; empty = it did."""

    async def run(self) -> None:
        """Flush whenever something was appended; try again and again while the store is away."""
        retry = FIRST_RETRY
        while True:
            try:
                await self.flush()
                retry, wait = FIRST_RETRY, PURGE_SECONDS
            except (StoreUnavailable, JournalFailed) as error:
                wait, retry = self._failed(str(error), retry)
            except Exception as error:  # a fault of ours must not end the record of everybody
                _log.exception("flush_broke")
                wait, retry = self._failed(type(error).__name__, retry)
            await self._pause(wait)

    async def flush(self) -> None:
        """Bring everything journalled so far into the store. Raises StoreUnavailable, JournalFailed."""
        self._started = attempt = self._started + 1
        try:
            while await self._flush_batch():
                pass
            self.problem = ""
        finally:
            async with self._tried:
                self._finished = attempt
                self._tried.notify_all()
        await self._journal.purge(0 if self._journal.crowded else self._keep_seconds)

    async def settle(self, conversation_id: str) -> None:
        """Wait until all that is journalled for it now is in the store. Raises StoreUnavailable."""
        target = self._journal.last_of(conversation_id)
        if target <= self._flushed:
            return
        if self._database.problem:
            raise StoreUnavailable(self._database.problem)
        attempt = self._started + 1
        self._poked.set()
        try:
            async with asyncio.timeout(SETTLE_SECONDS), self._tried:
                await self._tried.wait_for(lambda: self._flushed >= target or self._finished >= attempt)
        except TimeoutError:
            raise StoreUnavailable("the journal is not flushed yet") from None
        if self._flushed < target:
            raise StoreUnavailable(self.problem or "the journal could not be flushed")

    def _failed(self, problem: str, retry: float) -> tuple[float, float]:
        """How long to wait now, and the next time."""
        if not self.problem:
            _log.warning("store_away", reason=problem)
        self.problem = problem
        return retry * random.uniform(0.5, 1), min(retry * 2, LONGEST_RETRY)

    async def _pause(self, seconds: float) -> None:
        """Until there is something to do: an append, unless the store is away; or somebody waits for us."""
        if self.problem:
            await _until(self._poked, seconds)
        elif await _until(self._journal.appended, seconds):
            await _until(self._poked, GATHER_SECONDS)
        self._poked.clear()
        self._journal.appended.clear()

    async def _flush_batch(self) -> bool:
        """One transaction; True = there may be more."""
        pending, up_to = await self._journal.pending(BATCH)
        if up_to <= self._flushed:
            return False
        read, set_aside = _decoded(pending)
        if read:
            set_aside |= await self._write(read)
        await self._journal.mark(up_to, set_aside)
        self._flushed = up_to
        self._on_flushed([item.entry for item in read])
        return len(pending) == BATCH

    async def _write(self, batch: list[_Read]) -> set[int]:
        """Write them; the numbers of those the store refuses for what is in them."""
        try:
            async with self._database.writing() as connection:
                await write(connection, self._database, [item.entry for item in batch])
        except Exception as error:
            if not is_bad_data(error):
                raise
            if len(batch) == 1:
                return _refused(batch[0].seq, error)
            half = len(batch) // 2
            return await self._write(batch[:half]) | await self._write(batch[half:])
        return set()


async def _until(event: asyncio.Event, seconds: float) -> bool:
    """Wait for it, no longer than that. True = it is set."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def _decoded(pending: list[Pending]) -> tuple[list[_Read], set[int]]:
    read: list[_Read] = []
    set_aside: set[int] = set()
    for row in pending:
        try:
            read.append(_Read(row.seq, decode(row.body)))
        except (ValueError, KeyError, TypeError) as error:
            set_aside |= _refused(row.seq, error)
    return read, set_aside


def _refused(seq: int, error: Exception) -> set[int]:
    """Stays in the journal, for somebody to look at; the next start tries it again."""
    _log.error("entry_set_aside", seq=seq, error=type(error).__name__)
    return {seq}
