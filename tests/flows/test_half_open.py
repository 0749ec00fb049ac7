"""A socket whose other end is gone without a word is noticed within 10 s, at both ends of the bridge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.persistence.build import until
from tests.support.bridge import Process, process
from tests.support.client import Client, client, start
from tests.support.deepgram import PATH, DeepgramSession, ScriptedDeepgram
from tests.support.proxy import Proxy, proxy

SECONDS = 10.0
SLACK_SECONDS = 1.5
"""For a loaded machine."""


@dataclass(frozen=True, slots=True)
class Cuttable:
    """A talk with a wire that can be cut at each end."""

    server: Process
    deepgram: ScriptedDeepgram
    talker: Client
    agent: DeepgramSession
    near: Proxy
    far: Proxy

    def told(self, event: str) -> bool:
        """The server's log says so."""
        return any(line["event"] == event for line in self.server.lines)


@asynccontextmanager
async def _talk(folder: Path) -> AsyncIterator[Cuttable]:
    async with ScriptedDeepgram(key=None) as deepgram:
        port = int(deepgram.url.removesuffix(PATH).rpartition(":")[2])
        async with (
            proxy(port) as far,
            process(folder, DEEPGRAM_AGENT_URL=f"ws://{far.address}{PATH}") as server,
            proxy(int(server.address.rpartition(":")[2])) as near,
        ):
            begun = await start(server.http)
            url = f"ws://{near.address}/v1/agent/converse"
            async with client(url, token=str(begun["token"])) as talker:
                await talker.settle()
                yield Cuttable(server, deepgram, talker, await deepgram.session(), near, far)


async def _talk_on(agent: DeepgramSession) -> None:
    while True:
        await agent.audio_out(100)
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("talking", [False, True])
async def test_a_client_that_is_gone_without_a_word_is_noticed(tmp_path: Path, talking: bool) -> None:
    async with _talk(tmp_path) as talk, asyncio.TaskGroup() as group:
        speaking = group.create_task(_talk_on(talk.agent)) if talking else None
        talk.near.blackhole()
        began = time.monotonic()
        await until(lambda: talk.told("client_left"), seconds=SECONDS + SLACK_SECONDS)
        assert time.monotonic() - began > 1, "it was told"
        if speaking:
            speaking.cancel()


@pytest.mark.parametrize("speaking", [False, True])
async def test_an_agent_that_is_gone_without_a_word_is_noticed_and_replaced(
    tmp_path: Path, speaking: bool
) -> None:
    async with _talk(tmp_path) as talk, asyncio.TaskGroup() as group:
        spoken = group.create_task(talk.talker.speak(bytes(32000 * 15))) if speaking else None
        talk.far.blackhole()
        warning = await talk.talker.expect("Warning", seconds=SECONDS + SLACK_SECONDS)
        assert warning["code"] == "BRIDGE_UPSTREAM_LOST"
        again = await talk.deepgram.session()
        await again.agent_text("Where were we?")
        await talk.talker.expect_text("assistant", "where were we")
        if spoken:
            spoken.cancel()
        assert set(talk.deepgram.forgive()) <= {"request-1: no sound and no KeepAlive in time"}
