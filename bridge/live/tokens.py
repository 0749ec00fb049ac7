"""The tokens of sessions: one to come with, for one handshake, and one to come back with."""

from __future__ import annotations

import hashlib
import secrets
from typing import Generic, TypeVar

T = TypeVar("T")

TICKET_PREFIX = "vbs_"
"""Of the one-time token of a new session."""
RESUME_PREFIX = "vbr_"
"""Of the token a client comes back with."""


def is_ours(credential: str) -> bool:
    """It may be a token of a session, of this process or another."""
    return credential.startswith((TICKET_PREFIX, RESUME_PREFIX))


def is_ticket(credential: str) -> bool:
    return credential.startswith(TICKET_PREFIX)


def digest(token: str, origin: str = "") -> str:
    """What is stored of a token, of 256 bits by chance: it cannot be used.

    origin: the page it is bound to, as its browser writes it; empty: none.
    """
    return hashlib.sha256(f"{token} {origin}".encode()).hexdigest()


def digests(token: str, origin: str) -> tuple[str, ...]:
    """What may be stored of a token that came from that page: bound to it, or to none."""
    return tuple(dict.fromkeys((digest(token, origin), digest(token))))


class Tokens(Generic[T]):
    """Token (its digest) → session, of this process. A session has at most one to come with."""

    def __init__(self) -> None:
        self._sessions: dict[str, T] = {}
        self._good: dict[T, list[str]] = {}
        """Digests of a session's: that of its ticket, or of the token that was used last, and the newest."""

    def ticket(self, session: T, origin: str = "") -> str:
        """A token for one handshake, from a page of that origin if any."""
        token = TICKET_PREFIX + secrets.token_urlsafe(32)
        stored = digest(token, origin)
        self._sessions[stored] = session
        self._keep(session, [stored])
        return token

    def resume(self, session: T) -> str:
        """A token to come back with. The one before is good until this one is used: it may never arrive."""
        token = RESUME_PREFIX + secrets.token_urlsafe(32)
        stored = digest(token)
        self._sessions[stored] = session
        self._keep(session, [*self._good.get(session, ())[-1:], stored])
        return token

    def use(self, token: str, origin: str = "") -> T | None:
        """The session it is for, when it comes from the right page. A ticket is void from now on."""
        stored = next((each for each in digests(token, origin) if each in self._sessions), None)
        if stored is None:
            return None
        if is_ticket(token):
            return self._sessions.pop(stored)
        session = self._sessions[stored]
        self._keep(session, [stored])
        return session

    def forget(self, session: T) -> None:
        """Nobody can come back to it."""
        self._keep(session, [])
        del self._good[session]

    def _keep(self, session: T, good: list[str]) -> None:
        for stored in self._good.get(session, ()):
            if stored not in good:
                self._sessions.pop(stored, None)
        self._good[session] = good
