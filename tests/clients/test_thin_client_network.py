"""The thin client on a network that goes away: noticed, waited for, and nothing of it lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import expect

from tests.clients.test_thin_client import MODULES, NODE, needs_node
from tests.support.bridge import running
from tests.support.deepgram import DeepgramSession, ScriptedDeepgram
from tests.support.proxy import Proxy, proxy
from tests.web.browser import chromium, needs_chromium, open_page

HELD_FRAMES = 500
"""10 s: what the client keeps of the microphone while it has no socket."""
NOWHERE = 9
"""A port of this machine where nobody listens."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A Node program that talks through a proxy to the server; the agent is scripted."""

    node: asyncio.subprocess.Process
    through: Proxy
    deepgram: ScriptedDeepgram

    async def phase(self, name: str, *, seconds: float = 15.0) -> dict[str, Any]:
        """Wait until the client says so; what else it says then."""
        assert self.node.stdout
        async with asyncio.timeout(seconds):
            while (told := json.loads(await self.node.stdout.readline()))["phase"] != name:
                pass
        return dict(told)

    def order(self, line: str) -> None:
        """Have it do something."""
        assert self.node.stdin
        self.node.stdin.write(f"{line}\n".encode())

    async def pinged(self) -> None:
        """Wait until a ping was answered."""
        async with asyncio.timeout(15):
            while True:
                self.order("look")
                if (await self.phase("look"))["roundTripMs"] is not None:
                    return

    async def end(self) -> dict[str, Any]:
        """End the talk; what the client says then."""
        self.order("stop")
        return await self.phase("ended", seconds=5)


@asynccontextmanager
async def behind_a_proxy(folder: Path) -> AsyncIterator[tuple[str, Proxy, ScriptedDeepgram]]:
    """A server with a scripted agent, and the address of a proxy before it."""
    async with ScriptedDeepgram() as deepgram:
        given = {"upstream": "deepgram", "deepgram_agent_url": deepgram.url, "deepgram_api_key": "test-key"}
        async with (
            running(folder, **given) as server,
            proxy(int(server.address.rpartition(":")[2])) as through,
        ):
            yield f"http://{through.address}", through, deepgram


@asynccontextmanager
async def talking(folder: Path) -> AsyncIterator[Talk]:
    """A talk under way, to be ended in the block; then the program ends by itself."""
    async with behind_a_proxy(folder) as (address, through, deepgram):
        node = await asyncio.create_subprocess_exec(
            *(str(NODE), str(Path(__file__).parent / "live.mjs"), str(MODULES.parent), address),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        talk = Talk(node, through, deepgram)
        try:
            yield talk
            assert await asyncio.wait_for(node.wait(), 10) == 0
        finally:
            if node.returncode is None:
                node.kill()


@asynccontextmanager
async def outage(through: Proxy) -> AsyncIterator[None]:
    """All connections are cut, and new ones get nowhere."""
    port, through.port = through.port, NOWHERE
    for connection in through.connections:
        connection.reset()
    try:
        yield
    finally:
        through.port = port


def frames(agent: DeepgramSession) -> list[int]:
    """Numbers of the frames that reached the agent, in order."""
    heard = np.frombuffer(bytes(agent.audio), dtype="<i2")
    changed = np.flatnonzero(np.diff(heard, prepend=heard[:1] - 1))
    return [int(number) for number in heard[changed] if number]


@needs_node
async def test_a_socket_that_went_silent_is_noticed_within_15_s_and_the_same_session_goes_on(
    tmp_path: Path,
) -> None:
    async with talking(tmp_path) as talk:
        before = await talk.phase("listening")
        clock = asyncio.get_running_loop().time
        begun = clock()
        talk.through.blackhole()
        await talk.phase("reconnecting", seconds=17)
        assert 9.5 < clock() - begun < 16
        await talk.phase("listening", seconds=5)
        await talk.pinged()
        after = await talk.end()
        assert (after["sessionId"], after["reconnects"]) == (before["sessionId"], 1)
        assert 0 <= after["roundTripMs"] < 500


@needs_node
async def test_what_was_said_without_a_network_is_kept_up_to_10_s_and_heard_after_it(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.phase("listening")
        first = await talk.deepgram.session(within=5)
        await first.expect_audio(64_000)
        async with outage(talk.through):
            lost = await talk.phase("reconnecting")
            await asyncio.sleep(11.5)
        talk.order("wake")
        back = await talk.phase("listening", seconds=5)
        second = await talk.deepgram.session(within=5)  # the first was not kept for so long
        await second.expect_audio(HELD_FRAMES * 640, within=10)
        after = await talk.end()
    heard = frames(second)
    away = back["sent"] - lost["sent"]
    assert abs(after["lostMs"] / 20 - (away - HELD_FRAMES)) <= 25
    assert heard == list(range(heard[0], heard[-1] + 1))
    assert abs(heard[0] - (back["sent"] - HELD_FRAMES)) <= 25
    assert frames(first)[-1] >= lost["sent"] - 10


@needs_chromium
async def test_the_page_tries_again_as_soon_as_there_is_a_reason_to_hope(tmp_path: Path) -> None:
    async with behind_a_proxy(tmp_path) as (address, through, deepgram), chromium("beep") as context:
        screen = await open_page(context, address)
        await screen.page.click("#talk")
        await deepgram.session(within=15)
        await screen.phase("listening")
        for hope in (
            'dispatchEvent(new Event("online"))',
            'dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))',
            'document.dispatchEvent(new Event("visibilitychange"))',
        ):
            async with outage(through):
                await screen.phase("reconnecting")
                await expect(screen.page.locator("#banner")).to_contain_text("in 4 s", timeout=15_000)
            await screen.page.evaluate(hope)
            await screen.phase("listening", seconds=2)
        assert len(deepgram.sessions) == 1
