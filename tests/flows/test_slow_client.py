"""A client that stops reading costs at most 1 MiB and 10 s, and its neighbours nothing."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.bridge import Process, process
from tests.support.client import SETTINGS, Client, client, start
from tests.support.deepgram import DeepgramSession, ScriptedDeepgram

STUCK = 8
"""Clients that stop reading."""
MIB = 1024 * 1024
SECONDS = 10.0
SLACK_SECONDS = 2.0
"""For a loaded machine."""


@asynccontextmanager
async def _stuck_client(server: Process) -> AsyncIterator[ClientConnection]:
    """A client that says Settings and then never reads: what its kernel takes is little, too."""
    begun = await start(server.http)
    host, port = server.address.split(":")
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, (host, int(port)))
    async with connect(
        server.ws,
        sock=plain,
        subprotocols=[Subprotocol("bearer"), Subprotocol(str(begun["token"]))],
        compression=None,
        ping_interval=None,
        max_queue=1,
        close_timeout=0.1,
    ) as stuck:
        await stuck.send(json.dumps({**SETTINGS, "agent": {}}))
        yield stuck


async def _talk_on(agent: DeepgramSession, until: asyncio.Event) -> None:
    """Sound at twice the speed of speech, and ten lines a second."""
    with suppress(ConnectionClosed):
        while not until.is_set():
            await agent.agent_text("and so on and so forth " * 20)
            await agent.audio_out(200)
            await asyncio.sleep(0.1)


def _memory(server: Process) -> int:
    """Bytes the process has in memory."""
    pages = Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]
    return int(pages) * 4096


def _left(server: Process) -> int:
    return sum(line["event"] == "client_left" for line in server.lines)


class Neighbour:
    """Somebody else on the same server; how long each frame of its agent takes to get there."""

    def __init__(self, agent: DeepgramSession, talker: Client) -> None:
        self._agent = agent
        self._talker = talker

    async def listen(self, seconds: float) -> list[float]:
        """Seconds of each frame, 50 frames a second."""
        delays = []
        loop, end = asyncio.get_running_loop(), asyncio.get_running_loop().time() + seconds
        while (began := loop.time()) < end:
            have = len(self._talker.sound)
            await self._agent.send_audio(bytes(960))
            await self._talker.expect_sound(have + 960)
            delays.append(loop.time() - began)
            await asyncio.sleep(max(0.0, 0.02 - delays[-1]))
        return delays


def _p99(delays: list[float]) -> float:
    return sorted(delays)[int(len(delays) * 0.99)]


async def test_clients_that_stop_reading_cost_little_and_their_neighbours_nothing(tmp_path: Path) -> None:
    over = asyncio.Event()
    async with AsyncExitStack() as stack:
        deepgram = await stack.enter_async_context(ScriptedDeepgram(key=None))
        variables = {"DEEPGRAM_AGENT_URL": deepgram.url, "BRIDGE_SESSIONS_PER_USER": "100"}
        server = await stack.enter_async_context(process(tmp_path, **variables))
        begun = await start(server.http)
        talker = await stack.enter_async_context(client(server.ws, token=str(begun["token"])))
        await talker.settle()
        neighbour = Neighbour(await deepgram.session(), talker)
        await neighbour.listen(1)
        quiet, before = await neighbour.listen(3), _memory(server)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        for _ in range(STUCK):
            await stack.enter_async_context(_stuck_client(server))
            group.create_task(_talk_on(await deepgram.session(), over))
        began, most, disturbed = time.monotonic(), 0, []
        while _left(server) < STUCK:
            disturbed += await neighbour.listen(0.5)
            most = max(most, _memory(server) - before)
            assert time.monotonic() - began < 3 * SECONDS, "they are still there"
        seconds = time.monotonic() - began
        over.set()
        assert seconds < SECONDS + SLACK_SECONDS
        assert most < STUCK * MIB
        assert _p99(disturbed) < _p99(quiet) + 0.02
