"""A server that stops, or leaves its socket to others, answers whoever it has let in already."""

from __future__ import annotations

import asyncio
import base64
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from bridge.app import App, open_app
from bridge.cli import Server
from bridge.serving import WebSocket, listen
from tests.support.bridge import settings_for

HELLO = b"GET /api/v1/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPGRADE = (
    b"GET /v1/agent/converse HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.b64encode(os.urandom(16)) + b"\r\n\r\n"
)
GOING_AWAY = (1012).to_bytes(2, "big")


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator[tuple[Server, App, tuple[str, int]]]:
    """One that serves, and its address; it has ended when the block is left."""
    settings, ready = settings_for(folder, port=0, drain_seconds=1), asyncio.Event()
    async with open_app(settings) as app:
        server = Server(app, settings, ready.set)
        with listen(settings) as listening:
            async with asyncio.TaskGroup() as group, asyncio.timeout(20):
                work = group.create_task(server.serve(sockets=[listening]))
                await ready.wait()
                yield server, app, listening.getsockname()[:2]
                await work


async def status(reader: asyncio.StreamReader) -> int:
    """Of an answer; all its headers are read."""
    return int((await reader.readuntil(b"\r\n\r\n")).split()[1])


async def test_who_has_connected_is_answered_and_who_was_answered_is_let_go(tmp_path: Path) -> None:
    async with started(tmp_path) as (server, _, address):
        talker, talking = await asyncio.open_connection(*address)
        asker, asking = await asyncio.open_connection(*address)
        asking.write(HELLO)
        assert await status(asker) == 404
        while len(server.server_state.connections) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        server.retire()
        while any(each.sockets for each in server.servers):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        talking.write(UPGRADE)
        assert await status(talker) == 101
        assert GOING_AWAY in await talker.read()
        await asker.read()
        talking.close()
        asking.close()


async def test_a_handshake_under_way_is_refused_in_plain_words_by_a_server_that_stops(tmp_path: Path) -> None:
    async with started(tmp_path) as (server, app, address):
        with closing(sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # whoever begins a session waits
            talker, talking = await asyncio.open_connection(*address)
            talking.write(UPGRADE)
            while not any(isinstance(each, WebSocket) for each in server.server_state.connections):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            server.should_exit = True
            while not app.sessions.draining:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert await status(talker) == 503
        talking.close()
