"""WebSocket frames with as little work as can be, so that the scales weigh less than what is weighed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Iterator
from typing import Final, cast

from websockets.speedups import apply_mask

TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY: Final = b"dGhlIHNhbXBsZSBub25jZQ=="


def header(opcode: int, size: int, *, masked: bool) -> bytes:
    """What stands before a payload of `size` bytes. The mask is zero: it leaves the payload as it is."""
    mask_bit, mask = (0x80, bytes(4)) if masked else (0, b"")
    if size < 126:
        return bytes((0x80 | opcode, mask_bit | size)) + mask
    return bytes((0x80 | opcode, mask_bit | 126)) + size.to_bytes(2, "big") + mask


class Peer(asyncio.Protocol):
    """One end of a WebSocket on loopback: whole frames of at most 64 KiB, no extensions."""

    masked = False
    """Whether this end masks what it sends, as a client must."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.opened = False
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by name

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        if not self.opened:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = head
                return
            self.opened, self._rest = True, b""
            self.shook_hands(head)
        for opcode, payload in self._frames(data):
            self._arrived(opcode, payload)

    def send(self, opcode: int, payload: bytes) -> None:
        self.transport.write(header(opcode, len(payload), masked=self.masked) + payload)

    def shook_hands(self, head: bytes) -> None:
        """The other end's request or response is here."""
        raise NotImplementedError

    def heard(self, payload: bytes) -> None:
        """A binary frame came."""
        raise NotImplementedError

    def read(self, payload: bytes) -> None:
        """A text frame came."""
        raise NotImplementedError

    def _arrived(self, opcode: int, payload: bytes) -> None:
        if opcode == BINARY:
            self.heard(payload)
        elif opcode == TEXT:
            self.read(payload)
        elif opcode == PING:
            self.send(PONG, payload)
        elif opcode == CLOSE:
            self.send(CLOSE, payload[:2])
            self.transport.close()

    def _frames(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        at, end = 0, len(data)
        while end - at >= 2:
            size, begin = data[at + 1] & 0x7F, at + 2
            if size >= 126:
                width = 2 if size == 126 else 8
                size, begin = int.from_bytes(data[begin : begin + width], "big"), begin + width
            masked = data[at + 1] & 0x80
            payload_at = begin + 4 if masked else begin
            if payload_at + size > end:
                break
            payload = data[payload_at : payload_at + size]
            yield data[at] & 0x0F, apply_mask(payload, data[begin : begin + 4]) if masked else payload
            at = payload_at + size
        self._rest = data[at:]


def request(address: str, path: str) -> bytes:
    """A client's half of the handshake. `address`: host:port."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY.decode()}\r\n\r\n"
    ).encode()


def response(head: bytes) -> bytes:
    """A server's half, for the request `head`."""
    found = re.search(rb"(?i)^sec-websocket-key:\s*(\S+)", head, re.MULTILINE)
    if found is None:
        return b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    # A fixed step of RFC 6455, no secret.
    accept = base64.b64encode(hashlib.sha1(found[1] + GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
