"""Sound that goes straight from socket to socket: all of it arrives, in order, counted, where it should."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import ConnectionClosed

from tests.support.bridge import Running, running
from tests.support.client import NO_TLS, Client, client, start
from tests.support.deepgram import DeepgramSession, ScriptedDeepgram

FRAME = 640
SIZES = (*(FRAME,) * 40, *(1, 2, 3, 641, 1999, 4094, 4095, 4096, 8192, 8194, 9001))
"""Bytes of frames: most of 20 ms; some with half a sample, some too long to go straight."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A client and the agent it talks to."""

    server: Running
    client: Client
    agent: DeepgramSession
    session_id: str


@asynccontextmanager
async def talking(folder: Path, **settings: object) -> AsyncIterator[Talk]:
    async with (
        ScriptedDeepgram() as deepgram,
        running(
            folder,
            upstream="deepgram",
            deepgram_agent_url=deepgram.url,
            deepgram_api_key="test-key",
            **settings,
        ) as server,
    ):
        begun = await start(server.http)
        async with client(server.ws, token=str(begun["token"])) as talker:
            await talker.settle()
            yield Talk(server, talker, await deepgram.session(), str(begun["session_id"]))


def sounds(dice: random.Random, count: int) -> list[bytes]:
    """Frames that can be told apart wherever they are cut; together whole samples."""
    stream = dice.randbytes(sum(sizes := dice.choices(SIZES, k=count)) + 1)
    ends = [sum(sizes[: at + 1]) for at in range(count)]
    frames = [stream[end - size : end] for end, size in zip(ends, sizes, strict=True)]
    return [*frames, stream[ends[-1] : ends[-1] + 1]] if ends[-1] % 2 else frames


async def counted(server: Running) -> dict[str, float]:
    """Frames relayed so far, by where to."""
    async with httpx2.AsyncClient(verify=NO_TLS) as http:
        figures = (await http.get(f"{server.http}/metrics")).text
    families = {family.name: family for family in text_string_to_metric_families(figures)}
    return {
        sample.labels["towards"]: sample.value
        for sample in families["bridge_frames"].samples
        if sample.name == "bridge_frames_total"
    }


@pytest.mark.parametrize("sockets", ["picows", "plain"])
async def test_whatever_its_frames_all_sound_arrives_in_order_both_ways(tmp_path: Path, sockets: str) -> None:
    dice = random.Random(7)
    up, down = sounds(dice, 200), sounds(dice, 200)
    async with talking(tmp_path, sockets=sockets) as talk, asyncio.TaskGroup() as group:
        group.create_task(_speak(talk.client, up, random.Random(1)))
        group.create_task(_answer(talk.agent, down, random.Random(2)))
        group.create_task(_chat(talk, random.Random(3)))
        assert await talk.agent.expect_audio(len(b"".join(up)), within=15) == b"".join(up)
        await talk.client.expect_sound(len(b"".join(down)))
        assert bytes(talk.client.sound) == b"".join(down)


async def _speak(talker: Client, frames: list[bytes], dice: random.Random) -> None:
    for frame in frames:
        in_pieces = dice.random() < 0.1
        await talker.socket.send([frame[:1], frame[1:]] if in_pieces else frame)
        if dice.random() < 0.2:
            await asyncio.sleep(0.002)


async def _answer(agent: DeepgramSession, frames: list[bytes], dice: random.Random) -> None:
    for frame in frames:
        await agent.send_audio(frame)
        if dice.random() < 0.2:
            await asyncio.sleep(0.002)


async def _chat(talk: Talk, dice: random.Random) -> None:
    """Messages both ways, in between."""
    for number in range(40):
        await asyncio.sleep(dice.uniform(0, 0.01))
        await talk.agent.agent_text(f"line {number}")
        await talk.client.send(type="InjectUserMessage", content=f"wish {number}")


async def test_half_a_sample_that_comes_in_pieces_keeps_its_place(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        frames = [bytes(FRAME), b"a", *[bytes([number]) * FRAME for number in range(20)], b"b"]
        for frame in frames:
            await talk.client.socket.send([frame[:1], frame[1:]] if len(frame) == 1 else frame)
        said = b"".join(frames)
        assert await talk.agent.expect_audio(len(said)) == said


@pytest.mark.parametrize("over", [False, True], ids=["it_goes_on", "it_is_over"])
async def test_what_went_straight_is_counted(tmp_path: Path, *, over: bool) -> None:
    async with talking(tmp_path) as talk:
        for _ in range(100):
            await talk.client.socket.send(bytes(FRAME))
            await talk.agent.send_audio(bytes(FRAME))
        await talk.agent.expect_audio(100 * FRAME)
        await talk.client.expect_sound(100 * FRAME)
        if over:
            async with httpx2.AsyncClient(base_url=talk.server.http, verify=NO_TLS) as http:
                await http.delete(f"/api/v1/voice/session/{talk.session_id}")
        async with asyncio.timeout(4 if over else 10):  # it is told every five seconds
            while await counted(talk.server) != {"agent": 100, "client": 100}:  # noqa: ASYNC110
                await asyncio.sleep(0.1)


async def test_a_cut_reply_stops_in_the_middle_of_what_may_go_straight(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.agent.send_audio(bytes(FRAME))
        await talk.agent.send_audio(bytes(FRAME))
        await talk.client.expect_sound(2 * FRAME)
        await talk.agent.user_starts()
        for _ in range(5):
            await talk.agent.send_audio(b"\1" * FRAME)
        await talk.agent.user_text("stop")
        await talk.client.expect_text("user", "stop")
        assert bytes(talk.client.sound) == bytes(2 * FRAME)


async def test_whose_place_was_taken_sends_nothing_any_more(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk, asyncio.TaskGroup() as group:
        speaking = group.create_task(_speak_until_closed(talk.client))
        ready = await talk.client.expect("BridgeReady")
        async with client(talk.server.ws, token=str(ready["resume_token"])) as second:
            await second.settle()
            for _ in range(5):
                await second.socket.send(b"\2" * FRAME)
            assert await speaking > 0
            assert await talk.client.expect_close() == 1000

            async with asyncio.timeout(5):  # without the silence that stands in for nobody
                while (heard := talk.agent.audio.replace(b"\0", b"")).count(b"\2") < 5 * FRAME:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert heard == bytes(sorted(heard))


async def _speak_until_closed(talker: Client) -> int:
    """Frames that were sent."""
    sent = 0
    with suppress(ConnectionClosed):
        while True:
            await talker.socket.send(b"\1" * FRAME)
            sent += 1
            await asyncio.sleep(0.001)
    return sent
