"""One journal on disk: its SQLite file, its lock, and the statements on it. Used by one thread at a time."""

# ruff: noqa: S608 - what is put together are our own words

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

_SCHEMA = """
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY,
    conversation_id TEXT NOT NULL,
    body BLOB NOT NULL,
    flushed_at REAL,              -- seconds since 1970
    flushed_to TEXT,              -- which run of which server took it
    set_aside INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX flushed ON entries (flushed_at) WHERE flushed_at IS NOT NULL;
PRAGMA user_version = 2;
"""
_FLUSHED: Final = "seq > ? AND seq <= ? AND flushed_at IS NULL AND set_aside = 0"
"""What becomes flushed with the numbers between those two."""
CHUNK_BYTES: Final = 4 << 20
"""What is read at a time ends with the entry that goes beyond."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An entry that is not in the store yet."""

    seq: int
    conversation_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Left:
    """An entry in the journal of a process that died."""

    seq: int
    conversation_id: str
    body: bytes
    flushed_at: float | None
    """Seconds since 1970; None: it is not in the store yet."""
    flushed_to: str | None


class JournalFile:
    """An open journal whose lock we hold."""

    def __init__(self, path: Path, lock: int) -> None:
        """`lock` is the descriptor of the locked companion file."""
        self.path = path
        self._lock = lock
        try:
            self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except sqlite3.Error:
            os.close(lock)
            raise

    def close(self) -> None:
        """Give the lock back; the files go when nothing is in them."""
        if self.connection.execute("SELECT 1 FROM entries LIMIT 1").fetchone():
            self.release()
        else:
            self.remove()

    def release(self) -> None:
        """Give the lock back; the files stay."""
        self.connection.close()
        os.close(self._lock)

    def remove(self) -> None:
        """Delete the files, the lock last."""
        self.connection.close()
        for path in self._paths():
            path.unlink(missing_ok=True)
        self._unlock()

    def set_aside(self) -> None:
        """Rename the files, so that a person may look into them and nobody adopts them again."""
        self.connection.close()
        for path in self._paths():
            if path.exists():
                _rename(path)
        self._unlock()

    def _paths(self) -> list[Path]:
        return [Path(f"{self.path}{suffix}") for suffix in ("", "-wal", "-shm")]

    def _unlock(self) -> None:
        _lock_path(self.path).unlink(missing_ok=True)
        os.close(self._lock)


Durability = Literal["process", "disk", "strict"]
"""What an entry outlives: the end of this process, that of the machine (an fsync each), that of its disk."""
_SYNCHRONOUS: Final = {"process": "NORMAL", "disk": "FULL", "strict": "FULL"}


def create(folder: Path, name: str, durability: Durability) -> JournalFile:
    """A new, empty journal. Raises OSError or sqlite3.Error."""
    path = folder / f"journal-{name}.db"
    lock = _locked(path)
    if lock is None:
        raise OSError(f"{path.name} is taken")
    file = JournalFile(path, lock)
    path.chmod(0o600)
    file.connection.execute("PRAGMA journal_mode = WAL")
    file.connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}")
    file.connection.executescript(f"BEGIN;{_SCHEMA}COMMIT;")
    _sync_folder(folder)
    return file


def journals(folder: Path) -> list[Path]:
    """All journals of a folder, whoever they belong to."""
    return sorted(folder.glob("journal-*.db"))


def claim(path: Path) -> JournalFile | None:
    """That journal, locked for us; None = its process lives, or somebody else was quicker.

    Raises sqlite3.Error, OSError for what is no journal; it is set aside then.
    """
    lock = _locked(path)
    if lock is None:
        return None
    if not path.exists():
        _lock_path(path).unlink(missing_ok=True)
        os.close(lock)
        return None
    try:
        return JournalFile(path, lock)
    except sqlite3.Error:
        _rename(path)
        _lock_path(path).unlink(missing_ok=True)
        raise


def _rename(path: Path) -> None:
    """Nobody adopts it any more."""
    path.rename(path.with_name(f"damaged-{path.name}"))


def _locked(path: Path) -> int | None:
    """A descriptor that holds the lock of that journal; None = somebody else has it."""
    lock = os.open(_lock_path(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _lock_path(path: Path) -> Path:
    return path.with_suffix(".lock")


def _sync_folder(folder: Path) -> None:
    """Make the new names themselves durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# ── statements ────────────────────────────────────────────────────────────────────────────────────────────


def inserting(seq: int, conversation_id: str, body: bytes) -> Callable[[sqlite3.Connection], None]:
    """What inserts that entry."""

    def insert(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT INTO entries (seq, conversation_id, body) VALUES (?, ?, ?)", (seq, conversation_id, body)
        )

    return insert


def copying(first: int, rows: Sequence[Left]) -> Callable[[sqlite3.Connection], None]:
    """What inserts those entries of another journal, numbered from `first`."""

    def copy(connection: sqlite3.Connection) -> None:
        connection.executemany(
            "INSERT INTO entries (seq, conversation_id, body, flushed_at, flushed_to) VALUES (?, ?, ?, ?, ?)",
            [
                (seq, row.conversation_id, row.body, row.flushed_at, row.flushed_to)
                for seq, row in enumerate(rows, first)
            ],
        )

    return copy


def left(connection: sqlite3.Connection, after: int, limit: int) -> list[Left]:
    """The entries after that number, flushed ones too: the store may yet lose them. Raises sqlite3.Error."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if not version:
        return []  # killed before its tables were made
    if version == 1:
        connection.execute("ALTER TABLE entries ADD COLUMN flushed_to TEXT")
        connection.execute("PRAGMA user_version = 2")
    rows = connection.execute(
        "SELECT seq, conversation_id, body, flushed_at, flushed_to FROM entries"
        " WHERE seq > ? ORDER BY seq LIMIT ?",
        (after, limit),
    )
    return [Left(*row) for row in _some(rows)]


def pending(connection: sqlite3.Connection, after: int, limit: int) -> tuple[list[Pending], bool]:
    """The oldest entries after that number that are not flushed; True: these are all."""
    rows = connection.execute(
        "SELECT seq, conversation_id, body FROM entries"
        " WHERE seq > ? AND flushed_at IS NULL AND set_aside = 0 ORDER BY seq LIMIT ?",
        (after, limit + 1),
    )
    read = [Pending(*row) for row in _some(rows)]
    return read[:limit], len(read) <= limit and rows.fetchone() is None


def kept(connection: sqlite3.Connection, server: str, after: int, limit: int) -> list[Pending]:
    """Flushed entries after that number that this server has not confirmed, oldest first."""
    rows = connection.execute(
        "SELECT seq, conversation_id, body FROM entries"
        " WHERE seq > ? AND flushed_at IS NOT NULL AND flushed_to IS NOT ? ORDER BY seq LIMIT ?",
        (after, server, limit),
    )
    return [Pending(*row) for row in _some(rows)]


def confirm(connection: sqlite3.Connection, up_to: int, set_aside: set[int], server: str) -> None:
    """All that is kept up to that number is in this server, but for those set aside."""
    put_aside(connection, set_aside)
    connection.execute(
        "UPDATE entries SET flushed_to = ?1"
        " WHERE seq <= ?2 AND flushed_at IS NOT NULL AND flushed_to IS NOT ?1",
        (server, up_to),
    )


def _some(rows: sqlite3.Cursor) -> Iterator[tuple[Any, ...]]:
    """Rows whose third column is the body, until they are enough for the memory."""
    size = 0
    while size < CHUNK_BYTES and (row := rows.fetchone()):
        size += len(row[2])
        yield row


def mark(
    connection: sqlite3.Connection, after: int, up_to: int, now: float, set_aside: set[int], server: str
) -> None:
    """All after the one number up to the other is flushed to that server, but for those set aside."""
    put_aside(connection, set_aside)
    connection.execute(
        f"UPDATE entries SET flushed_at = ?, flushed_to = ? WHERE {_FLUSHED}", (now, server, after, up_to)
    )


def drop(connection: sqlite3.Connection, after: int, up_to: int, set_aside: set[int]) -> int:
    """The same, where nothing is kept of it; the bytes it had."""
    put_aside(connection, set_aside)
    size = connection.execute(
        f"SELECT coalesce(sum(length(body)), 0) FROM entries WHERE {_FLUSHED}", (after, up_to)
    ).fetchone()[0]
    connection.execute(f"DELETE FROM entries WHERE {_FLUSHED}", (after, up_to))
    return int(size)


def put_aside(connection: sqlite3.Connection, refused: set[int]) -> None:
    """The store refuses those."""
    connection.executemany(
        "UPDATE entries SET set_aside = 1, flushed_at = NULL WHERE seq = ?", [(seq,) for seq in refused]
    )


def purge(connection: sqlite3.Connection, before: float) -> int:
    """Delete what was flushed before that moment; the bytes it had."""
    rows = connection.execute("DELETE FROM entries WHERE flushed_at <= ? RETURNING length(body)", (before,))
    return sum(size for (size,) in rows)
