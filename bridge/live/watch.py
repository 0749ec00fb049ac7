"""Tells whoever watches a session what happens in it, and its end once; a fault of theirs stays theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import structlog

from bridge.core.commands import Command
from bridge.core.events import Event, Moment, PeerEvent
from bridge.ports import Observer, SessionFacts

log = structlog.get_logger(__name__)


class Watch:
    """The observers of one session."""

    def __init__(self, facts: SessionFacts, observers: Iterable[Observer]) -> None:
        self._facts = facts
        self._all = list(observers)
        self._sound = list(self._all)
        """Those that have not broken, until the end."""

    def stepped(self, event: Event | PeerEvent, commands: Sequence[Command], now: Moment) -> None:
        self._tell(lambda observer: observer.stepped(self._facts, event, commands, now))

    def sounded(self, towards: str, frames: int, size: int) -> None:
        self._tell(lambda observer: observer.sounded(self._facts, towards, frames, size))

    def ended(self, reason: str, now: Moment) -> None:
        """The last that is told, also to those that broke."""
        self._sound, self._all = self._all, []
        self._tell(lambda observer: observer.ended(self._facts, reason, now))
        self._sound = []

    def _tell(self, news: Callable[[Observer], None]) -> None:
        for observer in list(self._sound):
            try:
                news(observer)
            except Exception:  # a talk is worth more than its figures
                log.exception("observer_failed", observer=type(observer).__name__)
                self._sound.remove(observer)
