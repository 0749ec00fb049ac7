"""Opens the whole record: the journal, the store behind it, and what carries the one into the other.

async with open_record(url, folder, default_zone="Europe/Berlin") as record:
    claim = await record.store.claim(user_id, agent="flux", conversation_id=None)
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from bridge.errors import BadConfig, JournalFailed, StoreUnavailable
from persistence.engine import Database, make_engine, mapped
from persistence.flusher import KEEP_SECONDS, Flusher
from persistence.journal import Journal
from persistence.journal_file import Durability
from persistence.ledger import Ledger
from persistence.migrate import PATIENCE_SECONDS, migrate
from persistence.notes import Notes
from persistence.outage import Outage
from persistence.retention import Retention
from persistence.room import DEFAULT_QUOTA
from persistence.store import Store

CLOSE_SECONDS: Final = 5.0
NO_DATABASE: Final = "file is not a database"
"""What SQLite says of a file that never will be one."""
FIRST_RETRY: Final = 0.25
LONGEST_RETRY: Final = 10.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The parts of an open record. The journal works from the start, the rest once the store is there."""

    store: Store
    journal: Journal
    ledger: Ledger
    notes: Notes
    database: Database
    flusher: Flusher
    outage: Outage

    @property
    def ready(self) -> bool:
        """The store has been reached and its tables are right."""
        return not self.database.problem

    @property
    def problem(self) -> str:
        """Why the store cannot be used, or takes nothing, for operators; empty = all is well."""
        return self.database.problem or self.outage.reason


@asynccontextmanager
async def open_record(
    database_url: str,
    data_dir: Path,
    *,
    default_zone: str = "UTC",
    journal_quota_bytes: int = DEFAULT_QUOTA,
    durability: Durability = "disk",
    keep_seconds: float = KEEP_SECONDS,
    retention_days: int = 0,
    close_seconds: float = CLOSE_SECONDS,
) -> AsyncIterator[Record]:
    """Open everything; a store that is away is tried again in the background, see `Record.ready`.

    Flushed entries stay in the journal for `keep_seconds`, conversations for `retention_days` after they were
    last talked in (0: for ever). On leaving, the rest is flushed for at most
    `close_seconds`, or adopted by the next start. Raises BadConfig, JournalFailed.
    """
    _make_private(data_dir)
    database = Database(database_url)
    try:
        async with Journal(data_dir, quota_bytes=journal_quota_bytes, durability=durability) as journal:
            notes, outage = Notes(database), Outage()
            flusher = Flusher(journal, database, outage, keep_seconds=keep_seconds, on_flushed=notes.flushed)
            record = Record(
                store=Store(database, flusher, journal, default_zone=default_zone),
                journal=journal,
                ledger=Ledger(database),
                notes=notes,
                database=database,
                flusher=flusher,
                outage=outage,
            )
            await _prepare(record, database_url)
            retention = Retention(database, days=retention_days)
            async with _carrying(record, database_url, close_seconds), retention:
                yield record
    finally:
        await database.close()


@asynccontextmanager
async def _carrying(record: Record, url: str, close_seconds: float) -> AsyncIterator[None]:
    """Flush for as long as the block lasts, and once more at its end."""
    failure: Exception | None = None
    try:
        async with asyncio.TaskGroup() as group:
            work = group.create_task(_carry(record, url), name="flusher")
            try:
                yield
            except Exception as error:  # not the group's: it comes out as itself
                failure = error
            finally:
                work.cancel()
    finally:
        await _flush_last(record, close_seconds)
    if failure:
        raise failure


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise BadConfig(f"BRIDGE_DATA_DIR: {folder} cannot be made: {error.strerror}") from error


async def _prepare(record: Record, url: str) -> None:
    """Bring the tables up to date and open the database for use, if it is there. Raises BadConfig."""
    engine = make_engine(url, statement_seconds=PATIENCE_SECONDS)
    try:
        with mapped():
            await migrate(engine)
        record.database.open_for_use()
    except StoreUnavailable as error:
        if NO_DATABASE in str(error):
            raise BadConfig(f"DATABASE_URL: the {NO_DATABASE}") from error
        record.outage.failed(str(error))
        record.database.problem = str(error)
    finally:
        await engine.dispose()


async def _carry(record: Record, url: str) -> None:
    """Wait for the store, then flush for ever."""
    retry = FIRST_RETRY
    while not record.ready:
        await asyncio.sleep(retry * random.uniform(0.5, 1))
        retry = min(retry * 2, LONGEST_RETRY)
        await _prepare(record, url)
    await record.flusher.run()


async def _flush_last(record: Record, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await record.flusher.flush()
    except (TimeoutError, StoreUnavailable, JournalFailed) as error:
        _log.warning("journal_left_for_next_start", bytes=record.journal.size, reason=type(error).__name__)
