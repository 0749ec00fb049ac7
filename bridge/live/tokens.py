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


def digest(token: str) -> str:
    """What is stored of a token: it cannot be used."""
    return hashlib.sha256(token.encode()).hexdigest()


class Tokens(Generic[T]):
    """Token → session, of this process. A session has at most one to come with."""

    def __init__(self) -> None:
        self._sessions: dict[str, T] = {}
        self._resumes: dict[T, list[str]] = {}
        """Those of a session that are good: the one that was used last, and the newest."""

    def ticket(self, session: T) -> str:
        """A token for one handshake; `void` it in time."""
        token = TICKET_PREFIX + secrets.token_urlsafe(32)
        self._sessions[token] = session
        return token

    def resume(self, session: T) -> str:
        """A token to come back with. The one before is good until this one is used: it may never arrive."""
        token = RESUME_PREFIX + secrets.token_urlsafe(32)
        self._sessions[token] = session
        self._keep(session, [*self._resumes.get(session, ())[-1:], token])
        return token

    def use(self, token: str) -> T | None:
        """The session it is for. A ticket is void from now on."""
        if is_ticket(token):
            return self._sessions.pop(token, None)
        session = self._sessions.get(token)
        if session is not None:
            self._keep(session, [token])
        return session

    def void(self, token: str) -> None:
        self._sessions.pop(token, None)

    def forget(self, session: T) -> None:
        """Nobody can come back to it."""
        self._keep(session, [])
        del self._resumes[session]

    def _keep(self, session: T, tokens: list[str]) -> None:
        for token in self._resumes.get(session, ()):
            if token not in tokens:
                self.void(token)
        self._resumes[session] = tokens
