"""A process that relays as people write it: Starlette, a websockets client, two tasks. To compare with.

python -m tests.bench.relay ws://agent        prints "listening on host:port", runs until it is killed
"""

from __future__ import annotations

import asyncio
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.bench.caller import PATH
from tests.bench.listening import listen


class Relay:
    """Whatever comes from one end goes to the other."""

    def __init__(self, agent: str) -> None:
        self._agent = agent

    async def serve(self, websocket: WebSocket) -> None:
        await websocket.accept()
        async with connect(self._agent, compression=None, proxy=None) as agent, asyncio.TaskGroup() as group:
            group.create_task(_to_client(websocket, agent), name="to-client")
            await _to_agent(websocket, agent)
            await agent.close()


async def _to_agent(websocket: WebSocket, agent: ClientConnection) -> None:
    while (message := await websocket.receive())["type"] == "websocket.receive":
        sound = message.get("bytes")
        await agent.send(message["text"] if sound is None else sound)


async def _to_client(websocket: WebSocket, agent: ClientConnection) -> None:
    try:
        async for message in agent:
            if isinstance(message, bytes):
                await websocket.send_bytes(message)
            else:
                await websocket.send_text(message)
    except (ConnectionClosed, WebSocketDisconnect):
        return


def main(agent: str) -> None:
    """Serve on a free loopback port; compression is off, as it is in the bridge."""
    app = Starlette(routes=[WebSocketRoute(PATH, Relay(agent).serve)])
    config = uvicorn.Config(app, ws_per_message_deflate=False, log_level="warning")
    uvicorn.Server(config).run(sockets=[listen()])


if __name__ == "__main__":
    main(sys.argv[1])
