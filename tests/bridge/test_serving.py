"""Peers that mean harm, on a real socket: headers that never come, frames before the handshake's answer."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket as Socket

from bridge import serving
from bridge.errors import BadConfig
from bridge.serving import Http, WebSocket, listen
from tests.support.bridge import settings_for

UPGRADE = (
    b"GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.b64encode(os.urandom(16)) + b"\r\n\r\n"
)
Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]
TOO_BIG = b"\x82\xff" + (2**40).to_bytes(8, "big") + bytes(4)


async def hello(_: object) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def endless(request: Request) -> StreamingResponse:
    """Never done; `app.state.left` is set when nobody waits for it any more."""

    async def parts() -> AsyncIterator[bytes]:
        try:
            while True:
                yield bytes(60_000)
                await asyncio.sleep(0)
        finally:
            request.app.state.left.set()

    return StreamingResponse(parts())


async def late(socket: Socket) -> None:
    """Takes a while to answer the handshake."""
    await asyncio.sleep(0.2)
    await socket.accept()
    await socket.receive()


@asynccontextmanager
async def server(folder: Path, left: asyncio.Event | None = None) -> AsyncIterator[tuple[str, int]]:
    """Host and port of an application behind our protocols."""
    app = Starlette(routes=[Route("/", hello), Route("/endless", endless), WebSocketRoute("/socket", late)])
    app.state.left = left
    config = uvicorn.Config(app, lifespan="off", log_config=None, http=Http, ws=WebSocket)
    with listen(settings_for(folder, port=0)) as listening:
        running = uvicorn.Server(config)
        async with asyncio.TaskGroup() as group:
            work = group.create_task(running.serve(sockets=[listening]))
            while not running.started:  # noqa: ASYNC110 — uvicorn has a flag, no event
                await asyncio.sleep(0.005)
            yield listening.getsockname()[:2]
            running.should_exit = True
            await work


@asynccontextmanager
async def peer(address: tuple[str, int], sent: bytes = b"") -> AsyncIterator[Peer]:
    """Somebody who connects and sends that."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(sent)
    try:
        async with asyncio.timeout(4):
            yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """All that still comes until the connection ends, politely or not."""
    came = b""
    with suppress(ConnectionError):
        while part := await reader.read(1000):
            came += part
    return came


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_a_request_whose_headers_do_not_come_is_dropped(
    tmp_path: Path, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "HEADER_SECONDS", 0.2)
    async with server(tmp_path) as address, peer(address, sent) as (reader, _):
        assert await rest(reader) == b""


async def test_the_second_request_of_a_connection_is_not_waited_for_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "HEADER_SECONDS", 0.2)
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    async with server(tmp_path) as address, peer(address, request) as (reader, writer):
        assert b"200" in await reader.readline()
        writer.write(b"GET / HTTP/1.1\r\nHo")
        assert (await rest(reader)).endswith(b"hello")


async def test_a_slow_answer_is_not_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "HEADER_SECONDS", 0.1)
    async with server(tmp_path) as address, peer(address, UPGRADE) as (reader, _):
        assert b"101" in await reader.readline()


async def test_who_does_not_read_the_answer_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Http, "send_seconds", 0.2)
    left = asyncio.Event()
    request = b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n"
    async with server(tmp_path, left) as address, peer(address, request) as (reader, _):
        assert b"200" in await reader.readline()
        await left.wait()  # the stream's own buffer is full: nothing is read any more


async def test_frames_before_the_handshake_is_answered_drop_the_peer_and_trouble_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with server(tmp_path) as address:
        async with peer(address, UPGRADE) as (reader, writer):
            await asyncio.sleep(0.05)  # the handshake is read by now, and not answered before 0.2 s
            writer.write(TOO_BIG)
            assert await rest(reader) == b""
        async with peer(address, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as (reader, _):
            assert (await rest(reader)).endswith(b"hello")
    assert "Fatal" not in caplog.text


def test_what_the_kernel_holds_for_one_client_is_bounded(tmp_path: Path) -> None:
    with listen(settings_for(tmp_path, port=0)) as listening:
        for option, asked in (
            (socket.SO_SNDBUF, serving.SEND_BUFFER),
            (socket.SO_RCVBUF, serving.RECEIVE_BUFFER),
        ):
            assert (
                listening.getsockopt(socket.SOL_SOCKET, option) <= 2 * asked
            )  # Linux doubles what is asked for


async def test_what_is_written_is_sent_at_once(tmp_path: Path) -> None:
    taken = asyncio.get_running_loop().create_future()
    with listen(settings_for(tmp_path, port=0)) as listening:
        accepting = await asyncio.start_server(lambda _, writer: taken.set_result(writer), sock=listening)
        async with accepting, peer(listening.getsockname()[:2]):
            writer: asyncio.StreamWriter = await taken
            assert writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            writer.close()


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with listen(settings_for(tmp_path, port=0)) as listening:
        listening.listen()
        port = listening.getsockname()[1]
        with pytest.raises(BadConfig, match=f"cannot listen on 127.0.0.1:{port}"):
            listen(settings_for(tmp_path, port=port))
