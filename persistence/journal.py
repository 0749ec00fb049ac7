"""The local durable log every entry is in before anyone is told: SQLite, one writer thread, group commit.

    async with Journal(folder) as journal:
        await journal.append(entry)      # durable from here on

A journal belongs to one process, which holds a lock on a companion file. One whose lock is free belonged to
a process that died: whoever finds it copies what is in it into their own and removes it.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from uuid import uuid4

import structlog

from bridge.core.model import Entry
from bridge.errors import JournalFailed
from persistence import journal_file
from persistence.adoption import Orphan, claim_all
from persistence.ages import Ages
from persistence.at_hand import AtHand, Numbered
from persistence.claimed import Claimed, decode_line, encode_claim
from persistence.codec import encode, storable
from persistence.confirming import Confirming
from persistence.journal_file import Durability, Left, Pending
from persistence.room import DEFAULT_QUOTA, Room
from persistence.write import Write, nothing, run_all

T = TypeVar("T")

LARGEST_BATCH: Final = 2000
"""Writes that share one commit."""

_log = structlog.get_logger(__name__)


class Journal:
    """ports.Journal, and what the flusher needs of it. A context manager; used from one event loop."""

    def __init__(
        self, folder: Path, *, quota_bytes: int = DEFAULT_QUOTA, durability: Durability = "disk"
    ) -> None:
        """`folder` is there and on a local disk. `quota_bytes` bounds what is kept, flushed rows included."""
        self._folder = folder
        self._room = Room(quota_bytes)
        self._durability = durability
        self._confirming = Confirming() if durability == "strict" else None
        self._orphans: deque[Orphan] = deque()
        self._queue: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._open = False
        self._seq = 0
        self._failing = False
        """The last commit failed."""
        self._last: dict[str, int] = {}
        self._written = self._told = self._marked = 0
        self._at_hand = AtHand()
        self.ages = Ages()
        """Of the entries that are not in the store."""
        self.set_aside = 0
        """Entries that the store refuses: kept here, tried again by whoever adopts them."""
        self.adopted: set[str] = set()
        """Names of the journals that were copied into this one; whoever makes use of them empties it."""
        self.commits = 0
        """Transactions so far: far fewer than entries when many come at once."""
        self.appended = asyncio.Event()
        """Set when there is something new to flush; whoever waits for it clears it."""

    async def __aenter__(self) -> Self:
        """Make the file and adopt what dead processes left. Raises JournalFailed."""
        self._loop = asyncio.get_running_loop()
        try:
            create = partial(journal_file.create, self._folder, uuid4().hex, self._durability)
            self._file = await asyncio.to_thread(create)
        except (OSError, sqlite3.Error) as error:
            raise JournalFailed(f"no journal can be kept in the data folder: {error}") from error
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()
        try:
            await self.adopt()
        except JournalFailed:
            await self.__aexit__(None, None, None)
            raise
        self._open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is queued and close. The file goes when nothing is in it, else it waits for adoption."""
        self._open = False
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._file.close)
        for orphan in self._orphans:
            orphan.release()
        if self._confirming:
            self._confirming.close()

    # ── appending ─────────────────────────────────────────────────────────────────────────────────────────

    def append(self, entry: Entry) -> asyncio.Future[None]:
        """See ports.Journal."""
        conversation_id = storable(entry.conversation_id)
        future = self._insert(conversation_id, *encode(entry))
        if future.done():
            return future
        self._last[conversation_id] = self._seq
        return self._confirming.add(self._seq, future) if self._confirming else future

    async def note(self, claimed: Claimed) -> None:
        """Remember what the store has already, should a failover lose it. Raises JournalFailed."""
        body = encode_claim(claimed)
        await self._insert(claimed.conversation_id, body, decode_line(body))

    def _insert(self, conversation_id: str, body: bytes, content: Entry | Claimed) -> asyncio.Future[None]:
        """As entry number `_seq`; a future that has failed when there is no room."""
        future: asyncio.Future[None] = self._loop.create_future()
        if refusal := self._reserve(len(body)):
            future.set_exception(JournalFailed(refusal))
        else:
            self._seq += 1
            self.ages.numbered(self._seq)
            run = journal_file.inserting(self._seq, conversation_id, body)
            self._queue.put(Write(future, run, self._seq, len(body), content))
        return future

    def _reserve(self, size: int) -> str:
        """Why there is no room for so many bytes; empty = there is, and it is taken."""
        if not self._open:
            return "the journal is closed"
        return "" if self._room.take(size) else "the journal has reached its quota"

    # ── adopting ──────────────────────────────────────────────────────────────────────────────────────────

    async def adopt(self) -> None:
        """Copy what dead processes left in the folder into ours. One task at a time. Raises JournalFailed."""
        await asyncio.to_thread(self._claim_orphans)
        while self._orphans:
            await self._take_over(self._orphans.popleft())

    def _claim_orphans(self) -> None:
        # Each is noted as soon as it is locked: whoever waits for this may be cancelled.
        for orphan in claim_all(self._folder, self._file.path):
            self._orphans.append(orphan)

    async def _take_over(self, orphan: Orphan) -> None:
        try:
            while rows := await self._do(lambda _: orphan.read()):
                await self._copy(rows)
                orphan.copied(rows)
            await self._do(lambda _: orphan.finish())
            self.adopted.add(orphan.name)
        except BaseException:
            self._orphans.append(orphan)
            raise

    async def _copy(self, rows: Sequence[Left]) -> None:
        """Beyond the quota too: they are on this disk already."""
        first = self._seq + 1
        self._seq += len(rows)
        self.ages.numbered(self._seq)
        self._at_hand.forget(self._seq)
        for seq, row in enumerate(rows, first):
            if row.flushed_at is None:
                self._last[row.conversation_id] = seq
        size = sum(len(row.body) for row in rows)
        self._room.give_back(-size)
        future: asyncio.Future[None] = self._loop.create_future()
        self._queue.put(Write(future, journal_file.copying(first, rows), self._seq, size))
        await future

    # ── for the flusher ───────────────────────────────────────────────────────────────────────────────────

    @property
    def name(self) -> str:
        """Of its file."""
        return self._file.path.name

    @property
    def size(self) -> int:
        """Bytes of entries it holds."""
        return self._room.used

    @property
    def strict(self) -> bool:
        """Somebody waits for each entry to be flushed."""
        return self._confirming is not None

    @property
    def crowded(self) -> bool:
        """More than half full: no time to keep what is flushed."""
        return self._room.crowded

    def last_of(self, conversation_id: str) -> int:
        """Number of the newest entry of that conversation that may not be flushed yet; 0 = all are."""
        return self._last.get(storable(conversation_id), 0)

    async def waiting(self, limit: int) -> tuple[Sequence[Numbered | Pending], int, bool]:
        """As `pending`, all that was appended before included; read from the disk only when it has to be."""
        if self._told < self._seq:
            await self._do(nothing)
        lines = self._at_hand.after(self._marked, limit + 1)
        if lines is None:
            return await self.pending(limit)
        all_of_them = len(lines) <= limit
        return lines[:limit], self._told if all_of_them else lines[limit - 1].seq, all_of_them

    async def pending(self, limit: int) -> tuple[list[Pending], int, bool]:
        """The oldest entries not flushed, at most so many; up to which number nothing else is; True: all."""

        def read(connection: sqlite3.Connection) -> tuple[list[Pending], int, bool]:
            rows, all_of_them = journal_file.pending(connection, self._marked, limit)
            newest = rows[-1].seq if rows else 0
            return rows, max(newest, self._written) if all_of_them else newest, all_of_them

        return await self._do(read)

    async def mark(self, up_to: int, set_aside: set[int], server: str = "", *, keep: bool = True) -> None:
        """All up to that number is in that server, but for what it refuses: that is not tried again.

        `keep`: until it is purged.
        """
        after, now = self._marked, time.time()
        if keep:
            await self._do(lambda file: journal_file.mark(file, after, up_to, now, set_aside, server))
        else:
            self._room.give_back(
                await self._do(lambda file: journal_file.drop(file, after, up_to, set_aside))
            )
        self._marked = up_to
        self.set_aside += len(set_aside)
        self.ages.stored(up_to)
        for conversation_id in [key for key, seq in self._last.items() if seq <= up_to]:
            del self._last[conversation_id]
        if self._confirming:
            self._confirming.end(up_to, set_aside)

    async def kept(self, server: str, after: int, limit: int) -> list[Pending]:
        """Flushed entries after that number that this server has not confirmed, at most so many."""
        return await self._do(lambda connection: journal_file.kept(connection, server, after, limit))

    async def confirm(self, up_to: int, set_aside: set[int], server: str) -> None:
        """All that is kept up to that number is in this server, but for what it refuses."""
        await self._do(lambda connection: journal_file.confirm(connection, up_to, set_aside, server))
        self.set_aside += len(set_aside)

    async def purge(self, keep_seconds: float) -> None:
        """Delete what was flushed longer ago than that."""
        before = time.time() - keep_seconds
        self._room.give_back(await self._do(lambda connection: journal_file.purge(connection, before)))

    async def _do(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Run something on the writer thread, in one commit with what is queued. Raises JournalFailed."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(Write(future, run))
        return await future

    # ── the writer thread ─────────────────────────────────────────────────────────────────────────────────

    def _work(self) -> None:
        """Commit batch after batch: what came while one was on its way to the disk is the next."""
        closing = False
        while not closing:
            batch: list[Write] = []
            write = self._queue.get()
            while write is not None:
                batch.append(write)
                if len(batch) == LARGEST_BATCH or self._queue.empty():
                    break
                write = self._queue.get()
            closing = write is None
            if batch:
                self._commit(batch)

    def _commit(self, batch: list[Write]) -> None:
        results: list[Any] = []
        error: JournalFailed | None = None
        connection = self._file.connection
        try:
            results = run_all(connection, batch)
            self._tell_failing("")
        except Exception as raised:  # whatever it is, the thread lives: the disk may have room again
            self._tell_failing(f"{type(raised).__name__}: {raised}")
            error = JournalFailed("the journal could not be written")
            self._room.give_back(sum(write.size for write in batch))
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        self.commits += 1
        self._written = max(self._written, *(write.seq for write in batch))
        try:
            self._loop.call_soon_threadsafe(self._tell, batch, results, error)
        except RuntimeError:  # the loop is closed: nobody waits any more, and what is written stays
            _log.warning("journal_waiter_gone")

    def _tell_failing(self, reason: str) -> None:
        """One line when commits begin to fail, one when they work again."""
        if reason and not self._failing:
            _log.error("journal_write_failed", reason=reason)
        elif self._failing and not reason:
            _log.warning("journal_writes_again")
        self._failing = bool(reason)

    def _tell(self, batch: list[Write], results: list[Any], error: JournalFailed | None) -> None:
        """On the loop: end the futures, in order."""
        before = self._told
        for n, write in enumerate(batch):
            self._told = write.seq or self._told
            if write.content is not None and not error:
                self._at_hand.add(Numbered(write.seq, write.content, write.size))
            if write.future.done():  # cancelled
                continue
            if error:
                write.future.set_exception(error)
            else:
                write.future.set_result(results[n])
        if self._told > before:
            self.appended.set()
