"""A time in which the store takes nothing: told once when it begins and once when it ends."""

from __future__ import annotations

import time

import structlog

_log = structlog.get_logger(__name__)


class Outage:
    """What is told of it."""

    def __init__(self) -> None:
        self.reason = ""
        """Of the last failure, for operators; empty = there is none."""
        self.flushed = 0
        """Entries that went into the store since it began."""
        self._tries = 0
        self._since = 0.0

    def failed(self, reason: str, *, fault: Exception | None = None) -> None:
        """The store could not be used. `fault`: it is one of ours."""
        if not self.reason:
            self._since, self._tries, self.flushed = time.monotonic(), 0, 0
            if fault:
                _log.error("flush_broke", exc_info=fault)
            else:
                _log.warning("store_away", reason=reason)
        self._tries += 1
        self.reason = reason

    def end(self) -> None:
        """It can be used, and all is flushed."""
        if self.reason:
            seconds = round(time.monotonic() - self._since, 1)
            _log.warning("store_back", seconds=seconds, tries=self._tries, entries=self.flushed)
            self.reason = ""
