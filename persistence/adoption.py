"""What dead processes left in their journals is copied into ours; the store sorts out what comes twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import structlog

from persistence import journal_file
from persistence.journal_file import JournalFile, Left

CHUNK: Final = 500
"""Entries copied at a time."""

_log = structlog.get_logger(__name__)


class Orphan:
    """The journal of a process that died, ours now: `read`, `copied` until nothing comes, then `finish`.

    Or `release` it. Nothing raises.
    """

    def __init__(self, file: JournalFile) -> None:
        self._file = file
        self.name = file.path.name
        self._after = 0
        self._copied = 0
        self._damage = ""

    def read(self) -> list[Left]:
        """The next entries; none: that was all, or the rest cannot be read."""
        try:
            return journal_file.left(self._file.connection, self._after, CHUNK)
        except sqlite3.Error as error:
            self._damage = str(error)
            return []

    def copied(self, rows: Sequence[Left]) -> None:
        """They are durable in ours: go on after them."""
        self._after = rows[-1].seq
        self._copied += len(rows)

    def finish(self) -> None:
        """All that was read is durable in ours: the file goes, or is set aside when part of it is damaged."""
        try:
            if self._damage:
                self._file.set_aside()
                _log.error("journal_damaged", file=self.name, saved=self._copied, reason=self._damage)
            else:
                self._file.remove()
                _log.info("journal_adopted", file=self.name, entries=self._copied)
        except OSError as error:
            _log.error("journal_not_removed", file=self.name, reason=error.strerror)

    def release(self) -> None:
        """Somebody may adopt it later."""
        self._file.release()


def claim_all(folder: Path, own: Path) -> Iterator[Orphan]:
    """Every journal but our own whose process is gone. Raises OSError."""
    for path in journal_file.journals(folder):
        if path == own:
            continue
        try:
            file = journal_file.claim(path)
        except sqlite3.Error as error:
            _log.error("journal_damaged", file=path.name, saved=0, reason=str(error))
        else:
            if file:
                yield Orphan(file)
