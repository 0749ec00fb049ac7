"""What is said in conversations, as it becomes durable, for any number of readers of each.

A reader is given what is stored, then what sessions of this process save. Once a second the store is asked
too: for conversations that live in another process, and for those that were deleted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType

import structlog

from bridge.background import Background
from bridge.core import events as ev
from bridge.core.events import Moment
from bridge.core.model import Cursor, Entry
from bridge.errors import NotFound, StoreUnavailable
from bridge.ports import Happening, SessionFacts, Store

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
"""Between two looks at the store."""
PART = 200
"""Entries read from the store at once."""
MAX_WAITING = 256
"""Entries that may wait for a reader; one that leaves more is too slow."""
QUIET_SECONDS = 15.0
"""After which a reader is told that nothing came."""


class Reader:
    """One reader's place in a conversation."""

    def __init__(self, seen: Cursor | None) -> None:
        self.seen = seen
        """The newest entry it was given."""
        self.behind = True
        """It is still being given what is stored."""
        self.closed = False
        self._waiting: deque[tuple[Entry, bool]] = deque()
        self._came = asyncio.Event()

    def put(self, entry: Entry, *, changed: bool = False) -> None:
        """Give it an entry, once. `changed`: again, because it is not what it was."""
        if not (changed or self.behind) and self._has(entry.cursor):
            return
        if len(self._waiting) == MAX_WAITING:
            self._waiting.clear()
            self.close()
        if self.closed:
            return
        self._waiting.append((entry, changed))
        if not self.behind:
            self._note(entry)
        self._came.set()

    def close(self) -> None:
        """Nothing more comes after what waits."""
        self.closed = True
        self._came.set()

    def stored(self, entry: Entry) -> Entry:
        """It is given an entry of the store, past what waits."""
        self._note(entry)
        return entry

    def caught_up(self) -> None:
        """It has all that is stored; what came meanwhile follows, as far as it is not that."""
        waited = list(self._waiting)
        self._waiting.clear()
        self.behind = False
        for entry, changed in waited:
            self.put(entry, changed=changed)

    async def take(self) -> Entry | None:
        """The next entry; None: nothing came for 15 s. Raises EOFError at the end."""
        if not self._waiting and not self.closed:
            self._came.clear()
            try:
                async with asyncio.timeout(QUIET_SECONDS):
                    await self._came.wait()
            except TimeoutError:
                return None
        if not self._waiting:
            raise EOFError
        return self._waiting.popleft()[0]

    def _has(self, cursor: Cursor) -> bool:
        return self.seen is not None and cursor <= self.seen

    def _note(self, entry: Entry) -> None:
        if not self._has(entry.cursor):
            self.seen = entry.cursor


Place = tuple[str, str]
"""User and conversation."""


class Feed(Background):
    """ports.Feed, and an observer. It looks at the store while it is open."""

    kinds: Collection[type[Happening]] = (ev.EntrySaved, ev.NotedCallRun)

    def __init__(self, store: Store) -> None:
        self._store = store
        self._readers: dict[Place, set[Reader]] = {}
        self._closed = False

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        await super().__aexit__(kind, error, trace)

    def close(self) -> None:
        """End all readers; whoever comes now gets what is stored, and the end."""
        self._closed = True
        for readers in self._readers.values():
            _close(readers)

    # ── for the routes ──────────────────────────────────────────────────────────────────────

    async def follow(
        self, user_id: str, conversation_id: str, after: Cursor | None
    ) -> AsyncGenerator[Entry | None, None]:
        """See ports.Feed."""
        place = user_id, conversation_id
        with self._reading(place, Reader(after)) as reader:
            try:
                async for entry in self._stored(place, after):
                    yield reader.stored(entry)
                reader.caught_up()
                while True:
                    yield await reader.take()
            except (EOFError, NotFound, StoreUnavailable):
                return
            except Exception:
                log.exception("feed_broke", conversation_id=conversation_id)

    @contextmanager
    def _reading(self, place: Place, reader: Reader) -> Iterator[Reader]:
        readers = self._readers.setdefault(place, set())
        readers.add(reader)
        if self._closed:
            reader.close()
        try:
            yield reader
        finally:
            readers.discard(reader)
            if not readers and self._readers.get(place) is readers:
                del self._readers[place]

    async def _stored(self, place: Place, after: Cursor | None) -> AsyncIterator[Entry]:
        """All that is in the store after a cursor. Raises NotFound, StoreUnavailable."""
        while True:
            part = await self._store.entries(*place, after=after, limit=PART)
            for entry in part.items:
                yield entry
            if part.next is None:
                return
            after = Cursor.parse(part.next)

    # ── what comes ──────────────────────────────────────────────────────────────────────────

    def saw(self, facts: SessionFacts, what: Happening, now: Moment) -> None:
        match what:
            case ev.EntrySaved():
                self._give(what.entry)
            case ev.NotedCallRun():
                self._give(what.entry, changed=True)
            case _:
                pass

    def ended(self, facts: SessionFacts, reason: str, now: Moment) -> None:
        """Readers read on: a conversation outlives its sessions."""

    def _give(self, entry: Entry, *, changed: bool = False) -> None:
        for reader in self._readers.get((entry.user_id, entry.conversation_id), ()):
            reader.put(entry, changed=changed)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for place, readers in list(self._readers.items()):
                await self._look_at(place, readers)

    async def _look_at(self, place: Place, readers: set[Reader]) -> None:
        current = [reader.seen for reader in readers if not reader.behind]
        if not current:
            return
        after = None if None in current else min(cursor for cursor in current if cursor)
        try:
            async for entry in self._stored(place, after):
                self._give(entry)
        except StoreUnavailable:
            return
        except NotFound:
            _close(readers)
        except Exception:  # what cannot be read must not end the talks
            log.exception("feed_broke", conversation_id=place[1])
            _close(readers)


def _close(readers: Iterable[Reader]) -> None:
    for reader in readers:
        reader.close()
