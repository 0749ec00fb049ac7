"""A real uvicorn on a free loopback port, inside the test's own event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from bridge.serving import PicowsWebSocket, WebSocket


class _Prompt(uvicorn.Server):
    """Ends when it is told to; uvicorn's looks ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ending = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.ending.wait()


@asynccontextmanager
async def serving(
    app: ASGIApp,
    *,
    ws_max_size: int = 256 * 1024,
    protocol: type[WebSocket] = PicowsWebSocket,
    send_seconds: float = WebSocket.send_seconds,
) -> AsyncIterator[str]:
    """`host:port` of a server that is up; down again when the block is left."""
    listener = socket.socket(proto=socket.IPPROTO_TCP)  # so asyncio lets it write at once, see bridge.serving
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        app,
        ws=type("Hasty", (protocol,), {"send_seconds": send_seconds}),
        ws_per_message_deflate=False,
        ws_max_size=ws_max_size,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
    server = _Prompt(config)
    with listener:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(server.serve(sockets=[listener]), name="uvicorn")
            while not server.started:  # noqa: ASYNC110 — uvicorn has a flag, no event
                await asyncio.sleep(0.005)
            try:
                yield f"127.0.0.1:{port}"
            finally:
                server.ending.set()
                await running


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serves a connection as somebody who is stopped, or stuck."""
    await reader.read()
    writer.close()
