"""A client and its accepted transport, both ends of one real WebSocket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect

from bridge.app import transport
from bridge.core.events import PeerEvent
from bridge.ports import Transport
from bridge.serving import WebSocket as WebSocketProtocol
from bridge.transports.client_frames import ClientFrames
from tests.support.serving import serving


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ends."""

    client: ClientConnection
    transport: Transport
    incoming: asyncio.Queue[bytes | PeerEvent | None]
    """What the transport brought; None: it brings nothing more."""

    async def read(self) -> bytes | PeerEvent:
        async with asyncio.timeout(5):
            frame = await self.incoming.get()
        assert frame is not None, "nothing more comes"
        return frame

    async def rest(self) -> list[bytes | PeerEvent]:
        """All that still comes, to the end."""
        frames = []
        async with asyncio.timeout(5):
            while (frame := await self.incoming.get()) is not None:
                frames.append(frame)
        self.incoming.put_nowait(None)
        return frames


@asynccontextmanager
async def websocket_pair(
    protocol: type[WebSocketProtocol], frames: ClientFrames | None = None, *, send_seconds: float = 5.0
) -> AsyncIterator[Pair]:
    """A client and the transport that `protocol` gives it."""
    accepted: asyncio.Queue[Transport] = asyncio.Queue()
    over = asyncio.Event()

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        accepted.put_nowait(transport(websocket, frames))
        await over.wait()

    app = Starlette(routes=[WebSocketRoute("/", endpoint)])
    async with (
        asyncio.TaskGroup() as group,
        serving(app, protocol=protocol, send_seconds=send_seconds) as address,
        connect(f"ws://{address}/", compression=None, proxy=None, max_queue=4, close_timeout=1) as client,
    ):
        made, incoming = await accepted.get(), asyncio.Queue[bytes | PeerEvent | None]()
        reading = group.create_task(made.read(incoming.put_nowait))
        reading.add_done_callback(lambda _: incoming.put_nowait(None))
        try:
            yield Pair(client, made, incoming)
        finally:
            over.set()
            reading.cancel()
