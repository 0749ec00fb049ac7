"""A TCP proxy on loopback whose wire can be cut so that neither end is told: a half-open socket for both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast


class WireCut:
    """Forwards bytes both ways; after `cut` nothing, a FIN included. New connections are whole."""

    def __init__(self, port: int, group: asyncio.TaskGroup) -> None:
        """`port`: on loopback, where it forwards to."""
        self.address = ""
        """host:port to connect to."""
        self.port = port
        self.group = group
        self.transports: set[asyncio.Transport] = set()

    def cut(self) -> None:
        """Those that are connected hear nothing of each other any more."""
        for transport in self.transports:
            if not transport.is_closing():
                transport.pause_reading()


class _End(asyncio.Protocol):
    """One end of a connection: what comes here goes to the other end."""

    def __init__(self, proxy: WireCut, other: asyncio.Transport | None = None) -> None:
        self._proxy = proxy
        self._other = other

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connect the other end too, unless it is there."""
        self._transport = cast(asyncio.Transport, transport)
        self._proxy.transports.add(self._transport)
        if self._other is None:
            self._transport.pause_reading()
            self._proxy.group.create_task(self._connect())

    async def _connect(self) -> None:
        self._other, _ = await asyncio.get_running_loop().create_connection(
            lambda: _End(self._proxy, self._transport), "127.0.0.1", self._proxy.port
        )
        self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        assert self._other is not None
        self._other.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._proxy.transports.discard(self._transport)
        if self._other and self._other.is_reading():  # a cut wire tells nothing
            self._other.close()


@asynccontextmanager
async def wire_cut(port: int) -> AsyncIterator[WireCut]:
    """A proxy to that port, gone with its connections when the block is left."""
    async with asyncio.TaskGroup() as group:
        proxy = WireCut(port, group)
        server = await asyncio.get_running_loop().create_server(lambda: _End(proxy), "127.0.0.1", 0)
        host, own = server.sockets[0].getsockname()
        proxy.address = f"{host}:{own}"
        try:
            yield proxy
        finally:
            server.close()
            for transport in list(proxy.transports):
                transport.abort()
