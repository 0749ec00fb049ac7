"""What becomes of a wish for a session, and of one for its end."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.core.agent import Agent
from bridge.core.model import Conversation, Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A session that waits for its client."""

    session_id: str
    conversation: Conversation
    token: str
    """For one handshake, within 30 s; from the page that asked for it, if one did."""
    agent: Agent
    upstream: str
    history: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Closed:
    """A session that was ended."""

    session_id: str
    message_count: int
    """Messages of its conversation."""
