"""What dead processes left in their journals is copied into ours; the store sorts out what comes twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import structlog

from persistence import journal_file
from persistence.journal_file import JournalFile

_log = structlog.get_logger(__name__)


def adopt_all(connection: sqlite3.Connection, folder: Path) -> int:
    """Copy and remove every journal nobody holds; the number of the last entry.

    Runs inside a transaction, and commits after each journal: only then may its file go.
    """
    seq = 0
    for path in journal_file.journals(folder):
        orphan = journal_file.claim(path)
        if orphan is None:
            continue
        start, damage = seq, ""
        try:
            for conversation_id, body in _pending(orphan):
                seq += 1
                journal_file.inserting(seq, conversation_id, body)(connection)
        except _Damaged as found:
            damage = str(found)
        connection.execute("COMMIT")
        connection.execute("BEGIN IMMEDIATE")
        if damage:
            orphan.set_aside()
            _log.error("journal_damaged", file=path.name, saved=seq - start, reason=damage)
        else:
            orphan.remove()
            _log.info("journal_adopted", file=path.name, entries=seq - start)
    return seq


class _Damaged(Exception):
    """That journal cannot be read, or not to its end."""


def _pending(orphan: JournalFile) -> Iterator[tuple[str, bytes]]:
    try:
        if not orphan.connection.execute("PRAGMA user_version").fetchone()[0]:
            return  # killed before its tables were made
        yield from orphan.connection.execute(
            "SELECT conversation_id, body FROM entries WHERE flushed_at IS NULL ORDER BY seq"
        )
    except sqlite3.Error as error:
        raise _Damaged(str(error)) from error
