"""What an operator sees of the sessions of this process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bridge.ports.watching import SessionFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """A session that somebody has joined and that is not over."""

    facts: SessionFacts
    since: datetime
    """When its first client came, UTC."""
    state: str
    """connecting | listening | thinking | speaking | reconnecting | client away | ending"""
    messages: int = 0
    """Said in this session."""
    latency_ms: int | None = None
    """From the end of the user's last turn to the agent's answer."""
    error: str = ""
    """Cause of its last failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What went wrong in the last hour, by its cause."""

    cause: str
    count: int
    last: datetime
    """UTC."""


class Overview(Protocol):
    """The live sessions, and what failed."""

    def sessions(self) -> Sequence[LiveSession]:
        """Those that began first come first."""
        ...

    def failures(self, now: datetime) -> Sequence[Failure]:
        """The most frequent first."""
        ...
