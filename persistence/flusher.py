"""Carries the journal into the store: in order, in batches, each entry once however often it is tried."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from typing import Final

import structlog

from bridge.core.model import Entry
from bridge.errors import JournalFailed, StoreUnavailable
from persistence import lease
from persistence.at_hand import Numbered
from persistence.batch import Batches, OtherServer
from persistence.claimed import decode_line
from persistence.engine import Database, sqlstate
from persistence.journal import Journal
from persistence.journal_file import Pending
from persistence.losses import server_of
from persistence.outage import Outage

BATCH: Final = 500
"""Entries of one transaction."""
KEEP_SECONDS: Final = 900.0
"""What is flushed stays in the journal for so long, should the store lose its last minutes."""
GATHER_SECONDS: Final = 0.25
"""How long more entries are waited for after the first, unless somebody asks: transactions cost."""
IDLE_SECONDS: Final = 1.0
"""Between looks for orphans, and for another server, when there is nothing to flush."""
SETTLE_SECONDS: Final = 5.0
FIRST_RETRY: Final = 0.1
LONGEST_RETRY: Final = 2.0
LONGEST_STRICT_RETRY: Final = 1.0
"""Where each entry waits for the store."""

_log = structlog.get_logger(__name__)


class Flusher:
    """One per journal. `run` is a task of whoever opened the record."""

    def __init__(
        self,
        journal: Journal,
        database: Database,
        outage: Outage,
        *,
        keep_seconds: float = KEEP_SECONDS,
        on_flushed: Callable[[Sequence[Entry], bool], None] = lambda _, again: None,
    ) -> None:
        """`outage` is kept up to date. `on_flushed`: the entries of each batch; True: it is flushed again."""
        self._journal = journal
        self._database = database
        self._batches = Batches(database)
        self._server = ""
        self._keep_seconds = 0 if database.is_sqlite else keep_seconds  # a file loses nothing
        self._on_flushed = on_flushed
        self._flushed = 0
        self._started = self._finished = 0
        self._tried = asyncio.Condition()
        self._poked = asyncio.Event()
        self._asked = True
        """Somebody waits for this round."""
        self._tidied = -IDLE_SECONDS
        self._outage = outage

    async def run(self) -> None:
        """Flush whenever something was appended; try again and again while the store is away."""
        retry = FIRST_RETRY
        while True:
            try:
                await self._round()
                retry, wait = FIRST_RETRY, IDLE_SECONDS
            except (StoreUnavailable, JournalFailed) as error:
                self._outage.failed(str(error))
                wait, retry = self._longer(retry)
            except Exception as error:  # a fault of ours must not end the record of everybody
                self._outage.failed(type(error).__name__, fault=error)
                wait, retry = self._longer(retry)
            if self._outage.reason and self._journal.crowded:
                with suppress(JournalFailed):
                    await self._purge()
            await self._pause(wait)

    async def _round(self) -> None:
        """Flush; tidy up as well, unless that was done a moment ago and nobody waits."""
        now = asyncio.get_running_loop().time()
        if not self._asked and now < self._tidied + IDLE_SECONDS:
            await self._flush_all()
            return
        self._tidied = now
        await self._journal.adopt()
        await self.flush()
        await self._look()
        self._outage.end()

    async def _give_up_leases(self, adopted: Set[str]) -> None:
        """Nobody has to wait for the processes of those journals any more."""
        for owner in adopted:
            async with self._database.writing() as connection:
                await lease.release_all(connection, owner)
            self._journal.adopted.discard(owner)

    async def _purge(self) -> None:
        """What is kept goes when its time is over, or when its room is needed."""
        await self._journal.purge(0 if self._journal.crowded else self._keep_seconds)

    async def flush(self) -> None:
        """Bring everything journalled so far into the store, and forget what need not be kept.

        Raises StoreUnavailable, JournalFailed.
        """
        await self._flush_all()
        await self._purge()

    async def _flush_all(self) -> None:
        self._started = attempt = self._started + 1
        adopted, before = frozenset(self._journal.adopted), self._flushed
        try:
            while await self._flush_some():
                pass
            await self._give_up_leases(adopted)
            if self._flushed > before:  # else the store may not even have been asked
                self._outage.end()
        finally:
            async with self._tried:
                self._finished = attempt
                self._tried.notify_all()

    async def settle(self, conversation_id: str) -> None:
        """Wait until all that is journalled for it now is in the store. Raises StoreUnavailable.

        Processes that were killed on this machine own nothing any more then.
        """
        target = self._journal.last_of(conversation_id)

        def settled() -> bool:
            return self._flushed >= target and not self._journal.adopted

        if settled():
            return
        if self._database.problem:
            raise StoreUnavailable(self._database.problem)
        attempt = self._started + 1
        self._poked.set()
        try:
            async with asyncio.timeout(SETTLE_SECONDS), self._tried:
                await self._tried.wait_for(lambda: settled() or self._finished >= attempt)
        except TimeoutError:
            raise StoreUnavailable("the journal is not flushed yet") from None
        if not settled():
            raise StoreUnavailable(self._outage.reason or "the journal could not be flushed")

    def _longer(self, retry: float) -> tuple[float, float]:
        """How long to wait now, and the next time."""
        longest = LONGEST_STRICT_RETRY if self._journal.strict else LONGEST_RETRY
        return retry * random.uniform(0.5, 1), min(retry * 2, longest)

    async def _pause(self, seconds: float) -> None:
        """Until there is something to do: an append, unless the store is away; or somebody waits for us."""
        if self._outage.reason:
            await _until(self._poked, seconds)
        elif await _until(self._journal.appended, seconds) and not self._journal.strict:
            await _until(self._poked, GATHER_SECONDS)
        self._asked = self._poked.is_set()
        self._poked.clear()
        self._journal.appended.clear()

    async def _flush_some(self) -> bool:
        """True = there may be more to do."""
        try:
            return await self._flush_batch()
        except OtherServer as other:
            await self._flush_again(other.server)
            return True

    async def _flush_batch(self) -> bool:
        """One transaction; True = there may be more."""
        waiting, up_to, all_of_them = await self._journal.waiting(1 if self._batches.stuck else BATCH)
        if up_to <= self._flushed:
            return False
        batch, refused = _decoded(waiting)
        if batch:
            written = await self._batches.write(batch, self._server)
            refused |= written.refused
            self._on_flushed(written.entries, False)
        await self._journal.mark(up_to, set(refused), self._server, keep=self._keep_seconds > 0)
        self._tell_refused(waiting, refused)
        self._flushed = up_to
        self._outage.flushed += len(waiting) - len(refused)
        return not all_of_them

    # ── a store that may have lost something ──────────────────────────────────────────────────────────────

    async def _look(self) -> None:
        """Is it still the same server? It is asked with every batch, and when there is none to be written."""
        if self._keep_seconds and self._journal.size:
            async with self._database.reading() as connection:
                server = await connection.run(server_of)
            if server != self._server:
                await self._flush_again(server)

    async def _flush_again(self, server: str) -> None:
        """Bring what another server took, and what is kept of it, into this one. Raises OtherServer too."""
        after = lost = 0
        while kept := await self._journal.kept(server, after, BATCH):
            batch, refused = _decoded(kept)
            if batch:
                written = await self._batches.write(batch, server, again=True)
                refused |= written.refused
                self._on_flushed(written.entries, True)
                lost += len(written.entries)
            after = kept[-1].seq
            await self._journal.confirm(after, set(refused), server)
            self._tell_refused(kept, refused)
        self._server = server
        if lost:
            _log.warning("store_lost_entries", flushed_again=lost)

    def _tell_refused(self, rows: Sequence[Numbered | Pending], refused: dict[int, Exception]) -> None:
        """They stay in the journal, for somebody to look at; the next start tries them again."""
        for row in rows:
            if error := refused.get(row.seq):
                _log.error(
                    "entry_set_aside",
                    file=self._journal.name,
                    seq=row.seq,
                    conversation_id=row.conversation_id,
                    error=type(error).__name__,
                    sqlstate=sqlstate(error),
                )


async def _until(event: asyncio.Event, seconds: float) -> bool:
    """Wait for it, no longer than that. True = it is set."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def _decoded(rows: Sequence[Numbered | Pending]) -> tuple[list[Numbered], dict[int, Exception]]:
    """The entries, and by number those that are none."""
    read: list[Numbered] = []
    broken: dict[int, Exception] = {}
    for row in rows:
        try:
            read.append(row if isinstance(row, Numbered) else Numbered(row.seq, decode_line(row.body)))
        except (ValueError, KeyError, TypeError) as error:
            broken[row.seq] = error
    return read, broken
