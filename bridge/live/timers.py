"""A session's timers, on one of the event loop's: to put one off or to forget it moves none of the loop's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from operator import itemgetter

from bridge.core.timers import Timer

RESOLUTION = 0.001
"""Seconds. The clock of uvloop is no finer."""


class Timers:
    """Reports events when they are due; one of each type."""

    __slots__ = ("_alarm", "_alarm_at", "_due", "_loop", "_ring")

    def __init__(self, ring: Callable[[Timer], None]) -> None:
        """`ring` gets each event that is due. It may set and forget timers."""
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._due: dict[type[Timer], tuple[float, Timer]] = {}
        """Type → clock and event."""
        self._alarm: asyncio.TimerHandle | None = None
        """When it rings somebody looks at what is due: never later than the first, often earlier."""
        self._alarm_at = 0.0

    def set(self, seconds: float, event: Timer) -> None:
        """Report it in so many seconds; replaces an earlier one of its type."""
        at = self._loop.time() + seconds
        self._due[type(event)] = at, event
        self._look(at)

    def forget(self, event_type: type[Timer]) -> None:
        """Report none of that type, if one is set."""
        self._due.pop(event_type, None)

    def cancel(self) -> None:
        """Report nothing any more."""
        self._due.clear()
        self._ring = _nobody  # whoever was told is not held
        if self._alarm is not None:
            self._alarm.cancel()

    def _look(self, at: float) -> None:
        if self._alarm is not None:
            if self._alarm_at <= at:
                return
            self._alarm.cancel()
        self._alarm, self._alarm_at = self._loop.call_at(at, self._rang), at

    def _rang(self) -> None:
        self._alarm = None
        now = self._loop.time() + RESOLUTION
        due = [one for one in self._due.values() if one[0] <= now]
        for one in sorted(due, key=itemgetter(0)):
            event = one[1]
            if self._due.get(type(event)) is one:  # not put off or forgotten meanwhile
                del self._due[type(event)]
                self._ring(event)
        if self._due:
            self._look(min(at for at, _ in self._due.values()))


def _nobody(event: Timer) -> None:
    """Nothing is told any more."""
