"""Brings a batch of entries into the store in one transaction; rows that it refuses are found by halving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from sqlalchemy import Connection

from bridge.core.model import Entry
from persistence.at_hand import Numbered
from persistence.claimed import Claimed, restore
from persistence.engine import Database, is_bad_data, sqlstate
from persistence.entry_writer import write
from persistence.losses import missing, server_of

PATIENCE: Final = 5
"""Times a batch is tried of which nothing is taken, for a reason that may be the store's; then row by row."""
DOUBTFUL: Final = {"0A", "21", "2F", "38", "39", "44", "P0", "XX"}
"""Classes of SQLSTATE that may be about a row (a trigger that raises) or about the whole store."""


class OtherServer(Exception):
    """Not the server of the last time: it may have lost something."""

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self.server = server


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch."""

    entries: list[Entry] = field(default_factory=list)
    """In the store; of a batch that is written again: those that were not."""
    refused: dict[int, Exception] = field(default_factory=dict)
    """By number."""

    def __add__(self, other: Written) -> Written:
        return Written(self.entries + other.entries, self.refused | other.refused)


class Batches:
    """Writes them, one at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tries = 0
        """In a row of which nothing was taken."""

    @property
    def stuck(self) -> bool:
        """The oldest entry is to be tried by itself: it may hold up all others."""
        return self._tries >= PATIENCE

    async def write(self, batch: Sequence[Numbered], server: str, *, again: bool = False) -> Written:
        """`server`: raises OtherServer when it is not that one. `again`: it may have had them and lost them.

        Raises StoreUnavailable.
        """
        written = await self._halve(batch, server, again)
        doubtful = [error for error in written.refused.values() if not is_bad_data(error)]
        if doubtful and len(written.refused) == len(batch) and not (self.stuck and len(batch) == 1):
            self._tries += 1
            raise doubtful[0]
        self._tries = 0
        return written

    async def _halve(self, batch: Sequence[Numbered], server: str, again: bool) -> Written:
        try:
            contents = [item.content for item in batch]
            return Written(
                await self._database.transaction(partial(self._transaction, contents, server, again))
            )
        except Exception as error:
            if not (is_bad_data(error) or _is_doubtful(error)):
                raise
            if len(batch) == 1:
                return Written(refused={batch[0].seq: error})
        half = len(batch) // 2
        return await self._halve(batch[:half], server, again) + await self._halve(batch[half:], server, again)

    def _transaction(
        self, contents: list[Entry | Claimed], server: str, again: bool, connection: Connection
    ) -> list[Entry]:
        entries = [content for content in contents if isinstance(content, Entry)]
        claims = [content for content in contents if isinstance(content, Claimed)]
        if (found := server_of(connection)) != server:
            raise OtherServer(found)
        if claims:
            restore(connection, self._database, claims)
        if not again:
            write(connection, self._database, entries)
            return entries
        if not (lost := missing(connection, entries)):
            return []
        write(connection, self._database, lost, again=True)
        # Not there yet: their conversation was deleted meanwhile.
        gone = {(entry.conversation_id, entry.cursor) for entry in missing(connection, lost)}
        return [entry for entry in lost if (entry.conversation_id, entry.cursor) not in gone]


def _is_doubtful(error: Exception) -> bool:
    return sqlstate(error)[:2] in DOUBTFUL
