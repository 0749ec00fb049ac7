"""What a journal was given last, as it is: the flusher need not read and parse what was just written."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final, NamedTuple

from bridge.core.model import Entry
from persistence.claimed import Claimed
from persistence.journal_file import CHUNK_BYTES

MOST: Final = 2000
"""Lines that are kept, and together at most `CHUNK_BYTES` of them, unless it is a single one.

While the store is away there may be many more, which the disk has.
"""


class Numbered(NamedTuple):
    """A line of the journal."""

    seq: int
    content: Entry | Claimed
    size: int = 0
    """Bytes it has in the journal."""

    @property
    def conversation_id(self) -> str:
        return self.content.conversation_id


class AtHand:
    """Every line that is on disk and not in the store, from some number on."""

    def __init__(self) -> None:
        self._lines: deque[Numbered] = deque()
        self._bytes = 0
        """Of all of them."""
        self._from = 0
        """What is up to that number may be on the disk alone."""

    def add(self, line: Numbered) -> None:
        """It is on disk now. Numbers only grow."""
        self._bytes += line.size
        if len(self._lines) == MOST or (self._lines and self._bytes > CHUNK_BYTES):
            self.forget(line.seq)
        else:
            self._lines.append(line)

    def forget(self, up_to: int) -> None:
        """What is up to that number has to be looked for on the disk."""
        self._lines.clear()
        self._bytes, self._from = 0, up_to

    def after(self, seq: int, limit: int) -> Sequence[Numbered] | None:
        """The oldest after that number, which nobody asks for again; None: the disk may have more of them."""
        if seq < self._from:
            return None
        while self._lines and self._lines[0].seq <= seq:
            self._bytes -= self._lines.popleft().size
        return list(islice(self._lines, limit))
