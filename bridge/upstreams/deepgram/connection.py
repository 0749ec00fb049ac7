"""A client's WebSocket that is cut when its peer takes nothing: one timer while it is stuck, none a frame."""

from __future__ import annotations

import asyncio
import socket

from websockets.asyncio.client import ClientConnection
from websockets.protocol import State

USER_TIMEOUT_MS = 10_000
"""A peer that acknowledges nothing for that long is gone (TCP_USER_TIMEOUT)."""
SEND_BUFFER = 128 * 1024
"""Bytes the kernel may hold for a peer that does not read (SO_SNDBUF)."""
RECEIVE_BUFFER = 32 * 1024
"""Bytes of an agent's that are read at once (SO_RCVBUF): many small frames are parsed in one go."""


class Connection(ClientConnection):
    """websockets' own, whose writes wait no longer than `send_seconds`; then the socket is gone."""

    send_seconds = 5.0
    _stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bound what the kernel takes and gives at once, and how long it waits."""
        super().connection_made(transport)
        plain: socket.socket = transport.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)

    def write(self, sound: bytes) -> bool:
        """Write one binary frame now; False: it would have to wait, or the socket is going."""
        if self.paused or self.protocol.state is not State.OPEN or self.transport.is_closing():
            return False
        self.protocol.send_binary(sound)
        self.send_data()
        return True

    def pause_writing(self) -> None:
        """Its buffer is full: a write waits from now on."""
        super().pause_writing()
        self._stuck = self.loop.call_later(self.send_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It takes again."""
        self._stop_timer()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._stop_timer()
        super().connection_lost(exc)

    def _stop_timer(self) -> None:
        if self._stuck:
            self._stuck.cancel()
            self._stuck = None
