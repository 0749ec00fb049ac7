"""What a journal's writer thread is given, and how it does many of them in one commit."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.core.model import Entry
from persistence.claimed import Claimed


@dataclass(slots=True)
class Write:
    """Nobody changes it."""

    future: asyncio.Future[Any]
    run: Callable[[sqlite3.Connection], Any]
    seq: int = 0
    """Of entries: the number of the last."""
    size: int = 0
    """Of entries: their bytes."""
    content: Entry | Claimed | None = None
    """Of one entry: what it says."""


def run_all(connection: sqlite3.Connection, batch: Sequence[Write]) -> list[Any]:
    """What each of them returns; all are durable then, or none."""
    if len(batch) == 1 and batch[0].content is not None:  # one statement is a transaction by itself
        return [batch[0].run(connection)]
    connection.execute("BEGIN IMMEDIATE")
    results = [write.run(connection) for write in batch]
    connection.execute("COMMIT")
    return results


def nothing(connection: sqlite3.Connection) -> None:
    """Whoever waits for it knows that all that was queued before is done."""
