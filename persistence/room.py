"""How much a journal may hold, and what it holds; used from its thread too."""

from __future__ import annotations

import threading
from typing import Final

import structlog

DEFAULT_QUOTA: Final = 1 << 30
"""Bytes."""
ENOUGH: Final = 0.9
"""Share of the quota below which a journal that was full is so no more."""

_log = structlog.get_logger(__name__)


class Room:
    """Counts bytes. Says once that there is none left, and once that there is some again."""

    def __init__(self, quota: int) -> None:
        self._quota = quota
        self.used = 0
        """Bytes."""
        self._lock = threading.Lock()
        self._refused = 0
        """Times there was none since it was full."""

    @property
    def crowded(self) -> bool:
        """More than half full."""
        return self.used > self._quota // 2

    def take(self, size: int) -> bool:
        """So many bytes; False: there is no room for them."""
        with self._lock:
            full = self.used + size > self._quota
            if full or self._refused:
                self._tell(full=full)
            if not full:
                self.used += size
        return not full

    def give_back(self, size: int) -> None:
        """So many bytes; negative: they are taken in any case."""
        with self._lock:
            self.used -= size

    def _tell(self, *, full: bool) -> None:
        if full:
            if not self._refused:
                _log.error("journal_full", bytes=self.used, quota=self._quota)
            self._refused += 1
        elif self.used < self._quota * ENOUGH:
            _log.warning("journal_has_room", refused=self._refused)
            self._refused = 0
