"""A process that relays with as little Python as can be: picows on both sockets, one callback a frame.

To compare with. uvicorn does the handshake, as for the bridge. No rules, no journal, no bounds on what waits.

python -m tests.bench.floor ws://agent        prints "listening on host:port", runs until it is killed
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final

import uvicorn
from picows import WSFrame, WSMsgType, WSTransport
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from bridge.sockets import Limits
from bridge.sockets.handshakes import dial, take_over
from bridge.sockets.picows import PicowsSocket
from tests.bench.caller import CONNECT_SECONDS, PATH
from tests.bench.listening import listen

END: Final = "bench.end"
"""The extension of an ASGI scope that holds an accepted End."""
LIMITS: Final = Limits(message=1 << 20, send=5, ping=5, pong=5, close=1)
BINARY, TEXT = WSMsgType.BINARY, WSMsgType.TEXT


class End(PicowsSocket):
    """One socket; once joined, its messages go to the other one in the moment they are parsed."""

    _peer: WSTransport | None = None

    def join(self, other: End) -> None:
        self._peer, other._peer = other.transport, self.transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if self._peer is not None and frame.msg_type in (BINARY, TEXT):
            self._peer.send(frame.msg_type, frame.get_payload_as_memoryview())
        else:
            super().on_ws_frame(transport, frame)


class Handshake(WebSocketsSansIOProtocol):
    """uvicorn's; once it is accepted, the connection is an End's."""

    async def send(self, message: ASGISendEvent) -> None:
        if message["type"] != "websocket.accept":
            await super().send(message)
            return
        self.handshake_complete, end = True, End(LIMITS)
        self.scope["extensions"][END] = end  # type: ignore[assignment]
        take_over(self.transport, self.request.headers["Sec-WebSocket-Key"], end, subprotocol=None)
        end.lost.add_done_callback(self._gone)

    def _gone(self, _: object) -> None:
        self.connections.discard(self)
        self.disconnected = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})


class Relay:
    """One session after the other."""

    def __init__(self, agent: str) -> None:
        self._agent = agent

    async def serve(self, websocket: WebSocket) -> None:
        agent = End(LIMITS)
        await dial(self._agent, {}, agent, seconds=CONNECT_SECONDS)
        welcome = await agent.receive()
        await websocket.accept()
        client: End = websocket.scope["extensions"][END]
        agent.join(client)
        if isinstance(welcome, str):
            client.tell(welcome)
        await asyncio.wait((agent.closed, client.closed), return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(agent.close(), client.close())


def main(agent: str) -> None:
    """Serve on a free loopback port."""
    app = Starlette(routes=[WebSocketRoute(PATH, Relay(agent).serve)])
    uvicorn.Server(uvicorn.Config(app, ws=Handshake, log_level="warning")).run(sockets=[listen()])


if __name__ == "__main__":
    main(sys.argv[1])
