"""Who watches a session, and who reads along."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bridge.core.commands import Command
from bridge.core.events import Event, Moment, PeerEvent
from bridge.core.model import Cursor, Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """What identifies a session in logs and metrics."""

    session_id: str
    conversation_id: str
    user_id: str
    agent: str
    upstream: str

    @property
    def log_fields(self) -> dict[str, str]:
        """What stands on every log line of the session."""
        return {"session_id": self.session_id, "conversation_id": self.conversation_id, "agent": self.agent}


class SoundPassed(NamedTuple):
    """Sound that was relayed since this was last told, some seconds ago."""

    towards: str
    """client | agent"""
    frames: int
    bytes: int


Happening = Event | PeerEvent | Command | SoundPassed
"""What is to be seen of a session: what happened, what it does then, and its sound."""


class Observer(Protocol):
    """Watches what it wants to know of and changes nothing. Must be quick and must not raise."""

    @property
    def kinds(self) -> Collection[type[Happening]]:
        """What it is told of, and of nothing else; always the same."""
        ...

    def saw(self, facts: SessionFacts, what: Happening, now: Moment) -> None: ...

    def ended(self, facts: SessionFacts, reason: str, now: Moment) -> None:
        """The session is over, whatever ended it: told once, and nothing is told of it any more.

        `reason`: of `Finish`; "fault": ours; "cut_off": it took too long to end.
        """
        ...


class Feed(Protocol):
    """What is said in a conversation, to be read as it becomes durable."""

    def follow(
        self, user_id: str, conversation_id: str, after: Cursor | None
    ) -> AsyncGenerator[Entry | None, None]:
        """Entries after the cursor: the stored ones, then each as it becomes durable, cuts by themselves.

        A noted result comes again once its call was run. None: nothing came for 15 s. Ends when the
        conversation is deleted, the reader is too slow, or the server stops. Who leaves early must `aclose`.
        """
        ...
