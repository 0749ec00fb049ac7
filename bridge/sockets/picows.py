"""One WebSocket on picows: messages are taken in the moment they are parsed, frames go out at once.

No task, no queue and no event in between; https://picows.readthedocs.io. Both ends of the bridge use it.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from typing import Final

from picows import WSFrame, WSMsgType, WSTransport

from bridge.errors import PeerGone
from bridge.sockets.closed import Closed, Limits, TakeMessage
from bridge.sockets.patience import Patience
from bridge.sockets.straight import Straight

MAX_EARLY: Final = 256 * 1024
"""Bytes kept while nobody takes them; then the peer has to wait."""
NO_CODE: Final = 1005
"""Stands for a close without a code."""
BROKEN, NOT_TEXT, TOO_BIG, UNRESPONSIVE = 1002, 1007, 1009, 1011
"""Close codes for a peer that breaks the rules."""
BROKE: Final = 1011
"""Close code for a fault of ours."""
BINARY, TEXT, CONTINUATION = WSMsgType.BINARY, WSMsgType.TEXT, WSMsgType.CONTINUATION
MESSAGES = (BINARY, TEXT, CONTINUATION)
PING, PONG, CLOSE = WSMsgType.PING, WSMsgType.PONG, WSMsgType.CLOSE


class PicowsSocket(Straight):
    """A socket that is pinged. A peer that does not answer, or takes nothing, is gone."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(self._keep)
        self.limits = limits
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[Closed] = self._loop.create_future()
        """Done when no message comes any more."""
        self.lost: asyncio.Future[None] = self._loop.create_future()
        """Done when the connection is gone."""
        self._early: list[bytes | str] = []
        self._early_bytes = 0
        self._arrived: asyncio.Event | None = None
        """Of somebody who waits for a message, or for the end."""
        self._kind: WSMsgType | None = None
        """Of the message that comes in pieces now."""
        self._unwanted = False
        self._pieces = bytearray()
        self._pinged = b""
        self._pinging: asyncio.TimerHandle | None = None
        self._patience = Patience(limits.send)
        self._writable: asyncio.Event | None = None
        """Of those who wait for room."""

    # ── what it brings ──────────────────────────────────────────────────────────────────────────────────

    async def read(self, take: TakeMessage) -> Closed:
        """Bring each message to `take`, until the socket is closed. May be cancelled and called again."""
        early, self._early, self._early_bytes = self._early, [], 0
        for message in early:
            take(message)
        if not self.closed.done():
            self._take = take
            self._under.resume_reading()
        return await asyncio.shield(self.closed)

    async def receive(self) -> bytes | str | Closed:
        """One message, or how it ended; before `read`."""
        while not self._early:
            if self.closed.done():
                return self.closed.result()
            self._arrived = asyncio.Event()
            await self._arrived.wait()
        message = self._early.pop(0)
        self._early_bytes -= len(message)
        self._under.resume_reading()
        return message

    def _keep(self, message: bytes | str) -> None:
        self._early.append(message)
        self._early_bytes += len(message)
        _set(self._arrived)
        if self._early_bytes > MAX_EARLY:
            self._under.pause_reading()

    # ── what it is given ────────────────────────────────────────────────────────────────────────────────

    def write_text(self, text: str) -> bool:
        """Write one text now; False as with `write`."""
        if self._full:
            return False
        self._put(TEXT, text.encode())
        return True

    async def send(self, message: bytes | str) -> None:
        """Write a message, when there is room. Raises PeerGone."""
        if self._writable:
            await self._writable.wait()
        if self.closed.done() or self.transport is None:
            raise PeerGone("the socket is gone")
        if isinstance(message, bytes):
            self._put(BINARY, message)
        else:
            self._put(TEXT, message.encode())

    def tell(self, text: str) -> None:
        """Write a text now, whatever waits; nothing when the socket is going."""
        if not self.closed.done() and self.transport is not None:
            self._put(TEXT, text.encode())

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Say so, and wait for `limits.close` until it is gone; never raises, may be called twice."""
        self.hang_up(code, reason)
        with suppress(TimeoutError):
            async with asyncio.timeout(self.limits.close):
                await asyncio.shield(self.lost)

    def hang_up(self, code: int, reason: str = "") -> None:
        """Send a close, and take nothing any more. `reason`: at most 123 bytes."""
        if self.closed.done():
            return
        self._end(Closed(code, reason))
        self._say_close(code, reason)

    def abort(self) -> None:
        """Leave it without a word."""
        self._under.abort()

    def abandon(self) -> None:
        """Nobody waits for it any more, even if its handshake is not over: picows would keep it."""
        self._unwanted = True
        if self.transport is not None:
            self.abort()

    def _fail(self, code: int, reason: str) -> None:
        self.hang_up(code, reason)
        self._under.close()

    def _break(self, fault: Exception) -> None:
        """A fault of ours, which picows would swallow: whoever reads gets it."""
        if self.closed.done():
            self._loop.call_exception_handler({"message": "after the end of a socket", "exception": fault})
            return
        self.closed.set_exception(fault)
        self._end(Closed(BROKE))
        self._say_close(BROKE)

    def _say_close(self, code: int, reason: str = "") -> None:
        if self.transport is not None:
            self.transport.send(CLOSE, code.to_bytes(2, "big") + reason.encode())

    def _end(self, closed: Closed) -> None:
        if not self.closed.done():
            self.closed.set_result(closed)
        self._full, self._passing = True, False
        self._take, self._credit = _nobody, None  # whoever took is not held by a socket that lingers
        _set(self._writable)
        _set(self._arrived)
        if self._pinging:
            self._pinging.cancel()

    @property
    def _under(self) -> asyncio.Transport:
        assert self.transport is not None, "before the handshake"
        return self.transport.underlying_transport

    # ── picows' callbacks ───────────────────────────────────────────────────────────────────────────────

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is over."""
        self.transport, self._full = transport, self.closed.done()
        if self._unwanted:
            self.abort()
            return
        self._pinging = self._loop.call_later(self.limits.ping, self._ping)

    def _other(self, frame: WSFrame, *, reserved: bool) -> None:
        """Not a whole message of sound."""
        kind = frame.msg_type
        if self.closed.done():
            if kind == CLOSE:
                self._under.close()
        elif reserved:
            self._fail(BROKEN, "a reserved bit is set")
        elif kind in MESSAGES:
            self._add(kind, frame.get_payload_as_bytes(), last=frame.fin)
        elif kind == PONG:
            self._ponged(frame.get_payload_as_bytes())
        elif kind == CLOSE:
            self._peer_closes(frame.get_payload_as_bytes())

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The connection is gone."""
        if transport.is_close_frame_sent:  # by picows itself: the peer broke a rule
            sent = transport.close_handshake.sent
            self._end(Closed(sent.code.value, sent.reason) if sent else Closed())
        self._end(Closed())
        self._patience.end()
        self.lost.set_result(None)

    def pause_writing(self) -> None:
        """Its buffer is full."""
        self._full = True
        self._writable = asyncio.Event()
        self._patience.begin(self._under)

    def resume_writing(self) -> None:
        """There is room again."""
        self._patience.end()
        self._full = self.closed.done()
        _set(self._writable)
        self._writable = None

    # ── messages ────────────────────────────────────────────────────────────────────────────────────────

    def _add(self, kind: WSMsgType, piece: bytes, *, last: bool) -> None:
        if (kind == CONTINUATION) != (self._kind is not None):
            self._fail(BROKEN, "a piece out of order")
            return
        self._kind, self._passing = self._kind or kind, False
        self._pieces += piece
        if len(self._pieces) > self.limits.message:
            self._fail(TOO_BIG, "the message is too big")
        elif last:
            kind, whole = self._kind, bytes(self._pieces)
            self._kind, self._passing = None, True
            self._pieces.clear()
            self._whole(kind, whole)

    def _whole(self, kind: WSMsgType, message: bytes) -> None:
        if kind == BINARY:
            self._credit = self._take(message)
            return
        try:
            text = message.decode()
        except UnicodeDecodeError:
            self._fail(NOT_TEXT, "the text is not UTF-8")
        else:
            self._take(text)

    def _peer_closes(self, payload: bytes) -> None:
        code = int.from_bytes(payload[:2], "big") if payload else NO_CODE
        self._end(Closed(code, payload[2:].decode("utf-8", "replace")))
        if self.transport is not None:
            self.transport.send(CLOSE, payload[:2])
        self._under.close()

    # ── pings ───────────────────────────────────────────────────────────────────────────────────────────

    def _ping(self) -> None:
        assert self.transport is not None
        self._pinged = secrets.token_bytes(4)
        self.transport.send(PING, self._pinged)
        self._pinging = self._loop.call_later(self.limits.pong, self._unresponsive)

    def _ponged(self, payload: bytes) -> None:
        if self._pinged and payload == self._pinged and self._pinging:
            self._pinged = b""
            self._pinging.cancel()
            self._pinging = self._loop.call_later(self.limits.ping, self._ping)

    def _unresponsive(self) -> None:
        self._end(Closed())
        self._say_close(UNRESPONSIVE, "no answer to a ping")
        self.abort()


def _set(event: asyncio.Event | None) -> None:
    if event:
        event.set()


def _nobody(message: bytes | str) -> None:
    """Nothing comes any more."""
