"""How a WebSocket ended, who takes what it brings, and how long it is waited for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from bridge.ports.credit import Credit

GONE: Final = 1006
"""Close code of a socket that ended without a close."""

TakeMessage = Callable[[bytes | str], Credit | None]
"""Takes a whole message, in the moment it is there; never waits. What it raises, whoever reads gets.

Returns for sound: leave to send what follows straight on.
"""


class Closed(NamedTuple):
    """A socket that has ended."""

    code: int = GONE
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a socket may take; times in seconds."""

    message: int
    """Bytes of a message."""
    send: float
    """How long a peer may take nothing of what it is sent."""
    ping: float
    """Between pings."""
    pong: float
    """For each pong."""
    close: float
    """The closing handshake."""
