"""A client and its accepted transport, both ends of one real WebSocket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect

from bridge.core.events import PeerEvent
from bridge.ports import Transport
from tests.support.serving import serving

Wrap = Callable[[WebSocket], Transport]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ends. `read` takes the next frame of the transport's one iterator."""

    client: ClientConnection
    transport: Transport
    incoming: AsyncIterator[bytes | PeerEvent]

    async def read(self) -> bytes | PeerEvent:
        async with asyncio.timeout(5):
            return await anext(self.incoming)

    async def rest(self) -> list[bytes | PeerEvent]:
        """All that still comes, to the end."""
        async with asyncio.timeout(5):
            return [frame async for frame in self.incoming]


@asynccontextmanager
async def websocket_pair(wrap: Wrap, *, send_seconds: float = 5.0) -> AsyncIterator[Pair]:
    accepted: asyncio.Queue[Transport] = asyncio.Queue()
    over = asyncio.Event()

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        accepted.put_nowait(wrap(websocket))
        await over.wait()

    async with (
        serving(Starlette(routes=[WebSocketRoute("/", endpoint)]), send_seconds=send_seconds) as address,
        connect(f"ws://{address}/", compression=None, proxy=None, max_queue=4, close_timeout=1) as client,
    ):
        transport = await accepted.get()
        try:
            yield Pair(client, transport, transport.frames())
        finally:
            over.set()
