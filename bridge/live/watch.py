"""Tells whoever watches a session what happens in it, and its end once; a fault of theirs stays theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from bridge.core.commands import Command
from bridge.core.events import Event, Moment, PeerEvent
from bridge.ports import Happening, Observer, SessionFacts, SoundPassed

log = structlog.get_logger(__name__)


class Audience:
    """Who watches the sessions of a process, and what each wants to be told of."""

    def __init__(self, *observers: Observer) -> None:
        self.observers = observers
        kinds = {kind for observer in observers for kind in observer.kinds}
        self.by_kind: Mapping[type[Happening], Sequence[Observer]] = {
            kind: [observer for observer in observers if kind in observer.kinds] for kind in kinds
        }


class Watch:
    """The observers of one session."""

    def __init__(self, facts: SessionFacts, audience: Audience) -> None:
        self._facts = facts
        self._observers: Sequence[Observer] = audience.observers
        self._by_kind = audience.by_kind
        self._broken: tuple[Observer, ...] = ()

    def stepped(self, event: Event | PeerEvent, commands: Sequence[Command], now: Moment) -> None:
        self._tell((event, *commands), now)

    def sounded(self, towards: str, frames: int, size: int, now: Moment) -> None:
        self._tell((SoundPassed(towards, frames, size),), now)

    def _tell(self, happenings: Sequence[Happening], now: Moment) -> None:
        by_kind = self._by_kind
        for what in happenings:
            for observer in by_kind.get(type(what), ()):
                if observer in self._broken:
                    continue
                try:
                    observer.saw(self._facts, what, now)
                except Exception as fault:
                    self._broke(observer, fault)

    def ended(self, reason: str, now: Moment) -> None:
        """The last that is told, also to those that broke."""
        observers, self._observers, self._by_kind = self._observers, (), {}
        for observer in observers:
            try:
                observer.ended(self._facts, reason, now)
            except Exception as fault:
                self._broke(observer, fault)

    def _broke(self, observer: Observer, fault: Exception) -> None:
        """It is told nothing more until the end: a talk is worth more than its figures."""
        log.error("observer_failed", observer=type(observer).__name__, exc_info=fault)
        self._broken += (observer,)
