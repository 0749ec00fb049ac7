"""Tells whoever watches a session what happens in it, and its end once; a fault of theirs stays theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import structlog

from bridge.core.commands import Command
from bridge.core.events import Event, Moment, PeerEvent
from bridge.ports import Observer, SessionFacts

log = structlog.get_logger(__name__)


class Watch:
    """The observers of one session."""

    def __init__(self, facts: SessionFacts, observers: Iterable[Observer]) -> None:
        self._facts = facts
        self._all = tuple(observers)
        self._sound = self._all
        """Those that have not broken, until the end."""

    def stepped(self, event: Event | PeerEvent, commands: Sequence[Command], now: Moment) -> None:
        for observer in self._sound:
            try:
                observer.stepped(self._facts, event, commands, now)
            except Exception as fault:
                self._broke(observer, fault)

    def sounded(self, towards: str, frames: int, size: int) -> None:
        for observer in self._sound:
            try:
                observer.sounded(self._facts, towards, frames, size)
            except Exception as fault:
                self._broke(observer, fault)

    def ended(self, reason: str, now: Moment) -> None:
        """The last that is told, also to those that broke."""
        observers, self._all, self._sound = self._all, (), ()
        for observer in observers:
            try:
                observer.ended(self._facts, reason, now)
            except Exception as fault:
                self._broke(observer, fault)

    def _broke(self, observer: Observer, fault: Exception) -> None:
        """It is told nothing more until the end: a talk is worth more than its figures."""
        log.error("observer_failed", observer=type(observer).__name__, exc_info=fault)
        self._sound = tuple(each for each in self._sound if each is not observer)
