"""One journal on disk: its SQLite file, its lock, and the statements on it. Used by one thread at a time."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

_SCHEMA = """
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY,
    conversation_id TEXT NOT NULL,
    body BLOB NOT NULL,
    flushed_at REAL,              -- seconds since 1970
    set_aside INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX pending ON entries (seq) WHERE flushed_at IS NULL AND set_aside = 0;
CREATE INDEX flushed ON entries (flushed_at) WHERE flushed_at IS NOT NULL;
PRAGMA user_version = 1;
"""


@dataclass(frozen=True, slots=True)
class Pending:
    """An entry that is not in the store yet."""

    seq: int
    conversation_id: str
    body: bytes


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
        """Give the lock back; the files go when nothing in them is still to be flushed."""
        waiting = self.connection.execute("SELECT 1 FROM entries WHERE flushed_at IS NULL LIMIT 1").fetchone()
        if waiting is None:
            self.remove()
        else:
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
                path.rename(path.with_name(f"damaged-{path.name}"))
        self._unlock()

    def _paths(self) -> list[Path]:
        return [Path(f"{self.path}{suffix}") for suffix in ("", "-wal", "-shm")]

    def _unlock(self) -> None:
        _lock_path(self.path).unlink(missing_ok=True)
        os.close(self._lock)


Durability = Literal["process", "disk"]
"""What a commit outlives: the end of this process, or that of the machine too (an fsync each)."""
_SYNCHRONOUS: Final = {"process": "NORMAL", "disk": "FULL"}


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
    """That journal, locked for us; None = its process lives, or somebody else was quicker."""
    lock = _locked(path)
    if lock is None:
        return None
    if not path.exists():
        _lock_path(path).unlink(missing_ok=True)
        os.close(lock)
        return None
    return JournalFile(path, lock)


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


def pending(connection: sqlite3.Connection, limit: int) -> list[Pending]:
    """The oldest entries that are not flushed."""
    rows = connection.execute(
        "SELECT seq, conversation_id, body FROM entries"
        " WHERE flushed_at IS NULL AND set_aside = 0 ORDER BY seq LIMIT ?",
        (limit,),
    )
    return [Pending(*row) for row in rows]


def mark(connection: sqlite3.Connection, up_to: int, now: float, set_aside: set[int]) -> None:
    """All up to that number is flushed, but for those set aside."""
    connection.executemany("UPDATE entries SET set_aside = 1 WHERE seq = ?", [(seq,) for seq in set_aside])
    connection.execute(
        "UPDATE entries SET flushed_at = ? WHERE seq <= ? AND flushed_at IS NULL AND set_aside = 0",
        (now, up_to),
    )


def purge(connection: sqlite3.Connection, before: float) -> int:
    """Delete what was flushed before that moment; the bytes it had."""
    rows = connection.execute("DELETE FROM entries WHERE flushed_at <= ? RETURNING length(body)", (before,))
    return sum(size for (size,) in rows)


def size(connection: sqlite3.Connection) -> int:
    """Bytes of all entries."""
    return int(connection.execute("SELECT coalesce(sum(length(body)), 0) FROM entries").fetchone()[0])


def last(connection: sqlite3.Connection) -> dict[str, int]:
    """Of each conversation with something pending, the newest number."""
    rows = connection.execute(
        "SELECT conversation_id, max(seq) FROM entries"
        " WHERE flushed_at IS NULL AND set_aside = 0 GROUP BY conversation_id"
    )
    return dict(rows.fetchall())
