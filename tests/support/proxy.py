"""A TCP proxy on loopback whose connections can be slow, silent, cut off or reset, each way by itself."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

CHUNK = 64 * 1024
AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: whoever closes sends a RST, and nothing of what was still to be sent."""


@dataclass(eq=False)
class Way:
    """One direction of a connection. What is set holds for what comes from now on."""

    delay: float = 0.0
    """Seconds that each chunk waits,"""
    jitter: float = 0.0
    """and at most so many more or less."""
    left: int | None = None
    """Bytes until both ends are closed; None = the connection stays."""
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared: nothing is forwarded, an end included, and neither end is told."""
    dice: Random = field(default_factory=lambda: Random(4))

    def __post_init__(self) -> None:
        self.flowing.set()

    async def let_through(self, chunk: bytes) -> bytes:
        """What of a chunk may go on, when it may."""
        await asyncio.sleep(max(0.0, self.delay + self.jitter * self.dice.uniform(-1, 1)))
        await self.flowing.wait()
        if self.left is not None:
            chunk = chunk[: self.left]
            self.left -= len(chunk)
        return chunk


@dataclass(eq=False)
class Connection:
    """A client's connection to the server: up is towards the server, down towards the client."""

    port: int
    """The client's, by which a test knows whose it is."""
    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    up: Way = field(default_factory=Way)
    down: Way = field(default_factory=Way)

    def delay(self, seconds: float) -> None:
        """Each chunk waits so long, both ways; 0 = it is quick again."""
        self.up.delay = self.down.delay = seconds

    def blackhole(self) -> None:
        """Forward nothing; both sockets stay as they are until `resume`."""
        self.up.flowing.clear()
        self.down.flowing.clear()

    def resume(self) -> None:
        """Forward again, first of all what came meanwhile."""
        self.up.flowing.set()
        self.down.flowing.set()

    def cut_after(self, *, up: int | None = None, down: int | None = None) -> None:
        """Close both ends with a FIN once so many more bytes have gone that way; more than 0."""
        self.up.left, self.down.left = up, down

    def reset(self) -> None:
        """A RST to both ends, now."""
        for end in (self.near, self.far):
            raw = end.get_extra_info("socket")
            if raw.fileno() >= 0:  # one end may be gone already
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            end.transport.abort()

    async def carry(self, near: asyncio.StreamReader, far: asyncio.StreamReader) -> None:
        """Forward both ways until either end is gone; then the other one is told in the same manner."""
        async with asyncio.TaskGroup() as group:
            ways = (
                group.create_task(self._forward(self.up, near, self.far), name="proxy-up"),
                group.create_task(self._forward(self.down, far, self.near), name="proxy-down"),
            )
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
        for end in (self.near, self.far):
            end.close()

    async def _forward(self, way: Way, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while chunk := await source.read(CHUNK):
                target.write(await way.let_through(chunk))
                await target.drain()
                if way.left == 0:
                    return
            await way.flowing.wait()
        except OSError:
            await way.flowing.wait()
            self.reset()


@dataclass(eq=False)
class Proxy:
    """Where clients connect to, and their connections."""

    port: int
    """On loopback, where it forwards to."""
    address: str = ""
    """host:port to connect to."""
    connections: list[Connection] = field(default_factory=list)
    """Those that are open, oldest first."""
    delay: float = 0.0
    """Of new connections, each way; seconds,"""
    jitter: float = 0.0
    """and at most so many more or less."""

    def connection(self, port: int) -> Connection:
        """That of the client with this port."""
        return next(each for each in self.connections if each.port == port)

    def slow_down(self, seconds: float) -> None:
        """Each chunk waits so long, each way, of all that are open and of new ones; 0 = it is quick again."""
        self.delay = seconds
        for connection in self.connections:
            connection.delay(seconds)

    def blackhole(self) -> None:
        """All that are open forward nothing any more; new ones are whole."""
        for connection in self.connections:
            connection.blackhole()

    def resume(self) -> None:
        """All that are open forward again."""
        for connection in self.connections:
            connection.resume()

    async def serve(self, near: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect to the server too, and forward until one end is gone."""
        try:
            far, beyond = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.transport.abort()
            return
        ways = (Way(self.delay, self.jitter) for _ in ("up", "down"))
        connection = Connection(writer.get_extra_info("peername")[1], writer, beyond, *ways)
        self.connections.append(connection)
        try:
            await connection.carry(near, far)
        finally:
            self.connections.remove(connection)


@asynccontextmanager
async def proxy(port: int) -> AsyncIterator[Proxy]:
    """A proxy to that port, gone with its connections when the block is left."""
    through, serving = Proxy(port), set[asyncio.Task[None]]()
    async with asyncio.TaskGroup() as group:

        def accept(near: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = group.create_task(through.serve(near, writer), name="proxy")
            serving.add(task)
            task.add_done_callback(serving.discard)

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        host, own = server.sockets[0].getsockname()
        through.address = f"{host}:{own}"
        try:
            yield through
        finally:
            server.close()
            for connection in through.connections:
                connection.reset()
            for task in serving:
                task.cancel()
