"""What an operator sees of the sessions of a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bridge.errors import NotFound, Unavailable
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
    worker: int | None = None
    """Number of the process it is in; None: the server has only one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What went wrong in the last hour, by its cause."""

    cause: str
    count: int
    last: datetime
    """UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What there is to see at one moment."""

    at: datetime
    """UTC."""
    sessions: Sequence[LiveSession]
    """Those that began first come first."""
    failures: Sequence[Failure]
    """The most frequent first."""
    missing: int = 0
    """Processes of the server that did not tell theirs."""

    def session(self, session_id: str) -> LiveSession:
        """The one with that id. Raises NotFound; Unavailable: a process that is missing may have it."""
        for seen in self.sessions:
            if seen.facts.session_id == session_id:
                return seen
        raise absent(self.missing)


class Endable(Protocol):
    """A session, for who may end it."""

    def end(self, code: str, description: str = "") -> None:
        """Ask it to; its client is told why."""
        ...


class Overviews(Protocol):
    """The sessions of all processes of this server."""

    async def look(self) -> View:
        """Takes up to a second when a process does not answer."""
        ...

    async def end(self, session_id: str) -> None:
        """End a session; its client is told so.

        Raises NotFound; Unavailable: a process that does not answer may have it, and may end it yet.
        """
        ...


def absent(missing: int) -> NotFound | Unavailable:
    """Why a session cannot be had, when so many processes do not answer."""
    if missing:
        return Unavailable("A process of this server does not answer.", retry_after=1)
    return NotFound("There is no such session.")
