"""What a session needs of the agent's socket, whichever library it is on, and what a refusal means."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ssl import SSLCertVerificationError
from typing import Final, Protocol

import structlog

from bridge.errors import UpstreamBusy, UpstreamFailed
from bridge.sockets import Closed, TakeMessage

log = structlog.get_logger(__name__)

MAX_MESSAGE: Final = 4 * 1024 * 1024
"""Bytes of a message of the agent's."""
USER_AGENT: Final = "voice-bridge"
USER_TIMEOUT_MS = 10_000
"""A peer that acknowledges nothing for that long is gone (TCP_USER_TIMEOUT)."""
SEND_BUFFER = 128 * 1024
"""Bytes the kernel may hold for a peer that does not read (SO_SNDBUF)."""
RECEIVE_BUFFER = 32 * 1024
"""Bytes of an agent's that are read at once (SO_RCVBUF): many small frames are parsed in one go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long the agent's end is waited for; all in seconds."""

    open: float = 10.0
    """TCP, TLS and the handshake together."""
    welcome: float = 2.0
    """`Welcome` after the handshake; then Settings are sent without it."""
    applied: float = 15.0
    """`SettingsApplied` after Settings."""
    send: float = 5.0
    """One write."""
    keep_alive: float = 8.0
    """Silence of ours after which `KeepAlive` is sent (Deepgram: every 8 s while not sending audio)."""
    ping: float = 5.0
    """Between pings."""
    pong: float = 4.0
    """For each pong; then the closing handshake is tried, so that a silent agent is gone after 10 s."""
    close: float = 1.0
    """The closing handshake."""


class AgentSocket(Protocol):
    """A WebSocket to the agent, open."""

    @property
    def request_id(self) -> str:
        """The answer's `dg-request-id`; empty when it has none."""
        ...

    @property
    def close_code(self) -> int | None:
        """None: it is open."""
        ...

    async def receive(self) -> bytes | str | Closed:
        """One message, or how it ended; before `read`."""
        ...

    async def read(self, take: TakeMessage) -> Closed:
        """Bring each message to `take` until the socket is closed. May be cancelled and called again."""
        ...

    async def send(self, message: bytes | str) -> None:
        """Write one message. Raises PeerGone when it is gone, or takes nothing for `Timeouts.send`."""
        ...

    def write(self, sound: bytes) -> bool:
        """See ports.Direct."""
        ...

    async def close(self) -> None:
        """Close with 1000 in time; never raises, may be called twice."""
        ...


Dial = Callable[[str, Mapping[str, str], Timeouts], Awaitable[AgentSocket]]
"""Address, headers, time limits → a socket. Raises UpstreamFailed."""


def refused(status: int, headers: Mapping[str, str]) -> UpstreamFailed:
    """A handshake that was answered with an HTTP status. Our key or our request is wrong, or it may pass."""
    retry = status in {408, 425, 429} or status >= 500
    log.warning(
        "agent_refused",
        status=status,
        dg_error=headers.get("dg-error"),
        dg_request_id=headers.get("dg-request-id"),
        retry=retry,
    )
    problem = f"The voice agent turned the connection away (HTTP {status})."
    return UpstreamBusy(problem) if status == 429 else UpstreamFailed(problem, retry=retry)


def unreachable(error: Exception, *, hopeless: bool = False) -> UpstreamFailed:
    """It could not be reached. `hopeless`: nor will it be; a bad certificate always is."""
    retry = not (hopeless or isinstance(error, SSLCertVerificationError))
    log.warning("agent_unreachable", error=type(error).__name__, retry=retry)
    return UpstreamFailed("The voice agent cannot be reached.", retry=retry)


def limit(plain: socket.socket) -> None:
    """Bound what the kernel takes and gives at once, and how long it waits for an answer."""
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
