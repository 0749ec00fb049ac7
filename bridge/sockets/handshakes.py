"""How a socket comes to picows: dialled by us, or taken over from a server that has accepted it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import cache
from typing import Final

from picows import (
    WSAutoPingStrategy,
    WSTransport,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_connect,
)
from picows.picows import WSProtocol  # type: ignore[attr-defined] # not in its stub

from bridge.sockets.picows import PicowsSocket

READ_BYTES: Final = 2048
"""Of a socket's buffer for what it reads, at first; it grows."""
UPGRADE: Final = (
    "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n\r\n"
)
"""What picows reads of a request that was checked already."""


@cache
def quiet() -> logging.LoggerAdapter[logging.Logger]:
    """picows logs each connection, and each peer that breaks a rule; we log what it means for a session.

    An adapter: of a logger picows would make one for each connection.
    """
    logger = logging.getLogger("picows")
    logger.setLevel(logging.CRITICAL)
    return logging.LoggerAdapter(logger)


def take_over(
    transport: asyncio.Transport, key: str, socket: PicowsSocket, *, subprotocol: str | None
) -> None:
    """Answer a WebSocket's handshake with 101; from then on `socket` has the connection.

    `key`: its Sec-WebSocket-Key. `subprotocol`: the one to select. Nothing must have been sent, nor read
    beyond the request.
    """
    chosen = {"Sec-WebSocket-Protocol": subprotocol} if subprotocol else {}
    answer = WSUpgradeResponse.create_101_response(extra_headers=chosen)
    protocol = WSProtocol(
        None,
        None,
        False,  # the server's side
        lambda _: WSUpgradeResponseWithListener(answer, socket),
        quiet(),
        True,
        None,
        False,
        0,
        0,
        WSAutoPingStrategy.PING_PERIODICALLY,
        True,
        socket.limits.message,
        None,
        READ_BYTES,
    )
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    request = UPGRADE.format(key).encode("latin-1")
    protocol.get_buffer(len(request))[: len(request)] = request
    protocol.buffer_updated(len(request))
    _forget(protocol.transport)


async def dial(
    url: str, headers: Mapping[str, str], socket: PicowsSocket, *, seconds: float
) -> Mapping[str, str]:
    """Connect `socket` to that address. Returns the headers of the answer.

    `seconds`: for the handshake; when whoever waits gives up before, it is abandoned then at the latest.
    Raises OSError, TimeoutError, or picows' WSHandshakeError.
    """
    transport, _ = await ws_connect(
        lambda: socket,
        url,
        websocket_handshake_timeout=seconds,
        logger_name=quiet(),
        enable_auto_pong=True,
        max_frame_size=socket.limits.message,
        extra_headers=dict(headers),
        read_buffer_init_size=READ_BYTES,
        use_aiofastnet=False,  # it costs as much as uvloop's own, takes more memory, and can trip over uvloop
    )
    if transport.response is None:  # picows says nothing when the connection ends before the answer
        raise ConnectionResetError("the connection ended before the handshake did")
    headers = dict(transport.response.headers)
    _forget(transport)
    return headers


def _forget(transport: WSTransport) -> None:
    """picows keeps what was said in the handshake, 2 kB; nobody asks for it any more."""
    for said in (transport.request, transport.response):
        if said is not None:
            said.headers.clear()
