"""Where clients connect: the listening socket, and uvicorn's protocols, short with peers that mean harm."""

from __future__ import annotations

import asyncio
import socket

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

from bridge.errors import BadConfig
from bridge.settings import Settings
from bridge.sockets import Limits
from bridge.sockets.handshakes import take_over
from bridge.sockets.patience import Patience
from bridge.sockets.picows import PicowsSocket
from bridge.transports.client_frames import clipped
from bridge.transports.on_picows import SOCKET
from bridge.transports.websocket import CLOSE_SECONDS, WRITE

USER_TIMEOUT_MS = 10_000
"""A peer that acknowledges nothing for that long is gone (TCP_USER_TIMEOUT)."""
SEND_BUFFER = 128 * 1024
"""Bytes the kernel may hold for a client that does not read (SO_SNDBUF)."""
RECEIVE_BUFFER = 32 * 1024
"""Bytes of a client's that are read at once (SO_RCVBUF): a flood of small frames is parsed in one go."""
SEND_SECONDS = 5.0
"""How long a write may wait for a client: one timer when it begins to wait, none a frame."""
BACKLOG = 2048
"""Connections the kernel keeps until they are accepted."""
KEEP_ALIVE_SECONDS = 5.0
"""Between pings, and for each pong."""
HEADER_SECONDS = 15.0
"""How long a request may take until its headers are there."""


def listen(settings: Settings) -> socket.socket:
    """The listening socket; who connects before we serve waits. Accepted sockets inherit its limits.

    Raises BadConfig when it is taken.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Said to be TCP, or asyncio would leave Nagle's algorithm on: small writes would wait for 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
    try:
        listening.bind((settings.host, settings.port))
        listening.listen(BACKLOG)  # only now is it known to be ours: two may bind at the same moment
    except OSError as error:
        listening.close()
        raise BadConfig(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from error
    return listening


def websocket_protocol(settings: Settings) -> type[WebSocket]:
    """What uvicorn serves WebSockets with."""
    return PicowsWebSocket if settings.sockets == "picows" else WebSocket


class Hasty(asyncio.Protocol):
    """A connection that takes nothing for `send_seconds` is gone."""

    send_seconds = SEND_SECONDS
    transport: asyncio.Transport
    _patience: Patience | None = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._patience = Patience(self.send_seconds)
        self._patience.begin(self.transport)

    def resume_writing(self) -> None:
        self._no_hurry()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._no_hurry()
        super().connection_lost(exc)

    def _no_hurry(self) -> None:
        if self._patience:
            self._patience.end()


class Http(Hasty, HttpToolsProtocol):
    """uvicorn's, but headers that do not come are not waited for, nor who reads no answer."""

    _overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_headers()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_headers()

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)
        self._let_go()

    def handle_websocket_upgrade(self) -> None:
        super().handle_websocket_upgrade()
        self._let_go()

    def _let_go(self) -> None:
        """The parser holds us and we hold it: only a full pass of the garbage collector would find that."""
        self.parser = None  # type: ignore[assignment]

    @property
    def unanswered(self) -> bool:
        """Its request is still to come, or to be answered."""
        cycle: RequestResponseCycle | None = self.cycle  # None before the first
        return cycle is None or not cycle.response_started

    def end_if_idle(self) -> None:
        """Close it between two requests, or after the one that is answered now; not before the first one."""
        if self.cycle is not None:
            self.shutdown()

    def _await_headers(self) -> None:
        self._stop_waiting()
        self._overdue = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._overdue:
            self._overdue.cancel()
            self._overdue = None

    def _give_up(self) -> None:
        self.transport.abort()


class WebSocket(Hasty, WebSocketsSansIOProtocol):
    """uvicorn's, but some peers are dropped without a word.

    Those that send frames before their handshake is answered, take nothing any more, or answer no ping:
    nobody waits for them to take what is still to be sent.
    """

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()

    async def run_asgi(self) -> None:
        self.scope["extensions"][WRITE] = self.write  # type: ignore[assignment]
        await super().run_asgi()

    @property
    def unanswered(self) -> bool:
        """Its handshake is under way."""
        return not self.handshake_complete

    def write(self, sound: bytes) -> bool:
        """Write one binary frame now; False: it would have to wait, or the socket is going."""
        if not self.writable.is_set() or self.close_sent or self.transport.is_closing():
            return False
        try:
            self.conn.send_binary(sound)
        except InvalidState:
            return False
        self.transport.write(b"".join(self.conn.data_to_send()))
        return True

    def handle_parser_exception(self) -> None:
        if self.conn.close_sent is None:
            self.transport.abort()
        else:
            super().handle_parser_exception()


class HandedOver(asyncio.Transport):
    """What uvicorn has, and closes in the end, instead of a connection that is a PicowsSocket's now."""

    def close(self) -> None:
        """That is the socket's own business."""


class PicowsWebSocket(WebSocket):
    """The same for the handshake; once it is accepted, the connection is a PicowsSocket's."""

    _socket: PicowsSocket | None = None
    _connection: asyncio.Transport

    async def run_asgi(self) -> None:
        await super().run_asgi()
        if self._socket is not None:
            self.scope = None  # type: ignore[assignment] # it may be an hour until we go

    async def send(self, message: ASGISendEvent) -> None:
        if message["type"] == "websocket.accept" and not self.handshake_complete:
            self._accept(message.get("subprotocol"))
        elif self._socket is None:
            await super().send(message)
        elif message["type"] == "websocket.close":
            self._socket.hang_up(message.get("code", 1000), clipped(message.get("reason") or ""))
        else:
            raise RuntimeError(f"{message['type']}: what is sent now is the socket's own business")

    def _accept(self, subprotocol: str | None) -> None:
        self.handshake_complete = True
        if self.transport.is_closing():
            return
        limits = Limits(
            message=self.config.ws_max_size,
            send=self.send_seconds,
            ping=self.ping_interval or KEEP_ALIVE_SECONDS,
            pong=self.ping_timeout or KEEP_ALIVE_SECONDS,
            close=CLOSE_SECONDS,
        )
        self._socket = PicowsSocket(limits)
        self._socket.closed.add_done_callback(self._await_close)
        self._socket.lost.add_done_callback(self._gone)
        self.scope["extensions"][SOCKET] = self._socket  # type: ignore[assignment]
        key = self.request.headers["Sec-WebSocket-Key"]
        take_over(self.transport, key, self._socket, subprotocol=subprotocol)
        self._connection, self.transport = self.transport, HandedOver()
        # The handshake's own state is 8 kB, and nobody needs it any more.
        self.conn = self.request = self.response = None  # type: ignore[assignment]
        self.queue = self.writable = None  # type: ignore[assignment]

    def _await_close(self, _: object) -> None:
        """The client may take its time to answer our close; to go at once would take it from it."""
        self.close_timer = self.loop.call_later(self.close_timeout, self._connection.close)

    def _gone(self, _: object) -> None:
        if self.close_timer:
            self.close_timer.cancel()
        self.connections.discard(self)
        self.disconnected = True

    def shutdown(self) -> None:
        if self._socket is None:
            super().shutdown()
        else:
            self._socket.hang_up(1012)
            self._connection.close()
