"""The local durable log every entry is in before anyone is told: SQLite, one writer thread, group commit.

    async with Journal(folder) as journal:
        await journal.append(entry)      # durable from here on

A journal belongs to one process, which holds a lock on a companion file. One whose lock is free belonged to
a process that died: whoever starts next copies what was pending in it into their own and removes it.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from uuid import uuid4

import structlog

from bridge.core.model import Entry
from bridge.errors import JournalFailed
from persistence import adoption, journal_file
from persistence.codec import encode, storable
from persistence.journal_file import Durability, Pending

T = TypeVar("T")

DEFAULT_QUOTA: Final = 1 << 30
"""Bytes."""
LARGEST_BATCH: Final = 2000
"""Writes that share one commit."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Write:
    """Something for the writer thread."""

    future: asyncio.Future[Any]
    run: Callable[[sqlite3.Connection], Any]
    seq: int = 0
    """Of an append: its number."""
    size: int = 0
    """Of an append: its bytes."""


class Journal:
    """ports.Journal, and what the flusher needs of it. A context manager; used from one event loop."""

    def __init__(
        self, folder: Path, *, quota_bytes: int = DEFAULT_QUOTA, durability: Durability = "disk"
    ) -> None:
        """`folder` is there and on a local disk. `quota_bytes` bounds what is kept, flushed rows included."""
        self._folder = folder
        self._quota = quota_bytes
        self._durability = durability
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._open = False
        self._seq = 0
        self._size = 0
        self._size_lock = threading.Lock()
        self._last: dict[str, int] = {}
        self._written = 0
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
            await self._do(self._adopt)
        except JournalFailed:
            await self.__aexit__(None, None, None)
            raise
        self._open = True
        if self._last:
            self.appended.set()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is queued and close. The file goes when all is flushed, else it waits for adoption."""
        self._open = False
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._file.close)

    # ── appending ─────────────────────────────────────────────────────────────────────────────────────────

    def append(self, entry: Entry) -> asyncio.Future[None]:
        """See ports.Journal."""
        future: asyncio.Future[None] = self._loop.create_future()
        body = encode(entry)
        refusal = self._reserve(len(body))
        if refusal:
            future.set_exception(JournalFailed(refusal))
            return future
        conversation_id = storable(entry.conversation_id)
        self._seq += 1
        self._last[conversation_id] = self._seq
        run = journal_file.inserting(self._seq, conversation_id, body)
        self._queue.put(_Write(future, run, self._seq, len(body)))
        return future

    def _reserve(self, size: int) -> str:
        """Why there is no room for so many bytes; empty = there is, and it is taken."""
        if not self._open:
            return "the journal is closed"
        with self._size_lock:
            if self._size + size > self._quota:
                return "the journal has reached its quota"
            self._size += size
        return ""

    def _release(self, size: int) -> None:
        with self._size_lock:
            self._size -= size

    # ── for the flusher ───────────────────────────────────────────────────────────────────────────────────

    @property
    def size(self) -> int:
        """Bytes of entries it holds."""
        return self._size

    @property
    def crowded(self) -> bool:
        """More than half full: no time to keep what is flushed."""
        return self._size > self._quota // 2

    def last_of(self, conversation_id: str) -> int:
        """Number of the newest entry of that conversation that may not be flushed yet; 0 = all are."""
        return self._last.get(storable(conversation_id), 0)

    async def pending(self, limit: int) -> tuple[list[Pending], int]:
        """The oldest entries not flushed, and the number up to which nothing else is."""

        def read(connection: sqlite3.Connection) -> tuple[list[Pending], int]:
            rows = journal_file.pending(connection, limit)
            newest = rows[-1].seq if rows else 0
            return rows, newest if len(rows) == limit else max(newest, self._written)

        return await self._do(read)

    async def mark(self, up_to: int, set_aside: set[int]) -> None:
        """All up to that number is in the store, but for what the store refuses: that is not tried again."""
        now = time.time()
        await self._do(lambda connection: journal_file.mark(connection, up_to, now, set_aside))
        for conversation_id in [key for key, seq in self._last.items() if seq <= up_to]:
            del self._last[conversation_id]

    async def purge(self, keep_seconds: float) -> None:
        """Delete what was flushed longer ago than that."""
        before = time.time() - keep_seconds
        self._release(await self._do(lambda connection: journal_file.purge(connection, before)))

    async def _do(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Run something on the writer thread, in one commit with what is queued. Raises JournalFailed."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Write(future, run))
        return await future

    def _adopt(self, connection: sqlite3.Connection) -> None:
        self._seq = self._written = adoption.adopt_all(connection, self._folder)
        self._size = journal_file.size(connection)
        self._last = journal_file.last(connection)

    # ── the writer thread ─────────────────────────────────────────────────────────────────────────────────

    def _work(self) -> None:
        """Commit batch after batch: what came while one was on its way to the disk is the next."""
        closing = False
        while not closing:
            batch: list[_Write] = []
            write = self._queue.get()
            while write is not None:
                batch.append(write)
                if len(batch) == LARGEST_BATCH or self._queue.empty():
                    break
                write = self._queue.get()
            closing = write is None
            if batch:
                self._commit(batch)

    def _commit(self, batch: list[_Write]) -> None:
        results: list[Any] = []
        error: JournalFailed | None = None
        connection = self._file.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            results = [write.run(connection) for write in batch]
            connection.execute("COMMIT")
        except Exception as raised:  # whatever it is, the thread lives: the disk may have room again
            _log.error("journal_write_failed", error=type(raised).__name__, reason=str(raised))
            error = JournalFailed("the journal could not be written")
            self._release(sum(write.size for write in batch))
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        self.commits += 1
        self._written = max(self._written, *(write.seq for write in batch))
        try:
            self._loop.call_soon_threadsafe(self._tell, batch, results, error)
        except RuntimeError:  # the loop is closed: nobody waits any more, and what is written stays
            _log.warning("journal_waiter_gone")

    def _tell(self, batch: list[_Write], results: list[Any], error: JournalFailed | None) -> None:
        """On the loop: end the futures, in order."""
        for n, write in enumerate(batch):
            if write.future.done():  # cancelled
                continue
            if error:
                write.future.set_exception(error)
            else:
                write.future.set_result(results[n])
        if any(write.seq for write in batch):
            self.appended.set()
