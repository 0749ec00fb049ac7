"""Sound on its way: where it goes, and how much of it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from bridge.ports import Credit


class Sink(Protocol):
    """Where sound goes: an outbox, whatever its messages are."""

    max_sound: int

    def put_sound(self, frame: bytes) -> Credit | None: ...

    def clear_sound(self) -> None: ...

    def collect_dropped(self) -> int: ...


class Passed(NamedTuple):
    """What went one way since the last time somebody asked."""

    frames: int
    bytes: int
    dropped: int
    """Bytes that did not get through: their receiver is too slow."""
    too_fast: int = 0
    """Bytes that were not let through: their sender is too fast."""
