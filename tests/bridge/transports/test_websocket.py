"""What only a WebSocket can get wrong: odd and giant frames, floods, broken text."""

import asyncio
import json
from collections import Counter
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode

from bridge.core.events import (
    AgentAudioDone,
    ClientErred,
    ClientKeptAlive,
    ClientLeft,
    ClientSettings,
    UserStartedSpeaking,
)
from bridge.ports import Direct
from bridge.serving import PicowsWebSocket, WebSocket
from bridge.transports.client_frames import (
    MAX_FRAME_BYTES,
    MAX_IGNORED,
    MESSAGES_PER_SECOND,
    SOUNDS_AT_ONCE,
    ClientFrames,
)
from bridge.transports.on_picows import PicowsTransport
from bridge.transports.websocket import FRAMES_IN_A_ROW
from tests.support.websockets import Pair, websocket_pair

KEEP_ALIVE = '{"type": "KeepAlive"}'
TINY = b"\x82\x82\0\0\0\0ab"
"""A binary frame of two bytes, as it is on the wire."""
Protocol = type[WebSocket]


@pytest.fixture(params=[WebSocket, PicowsWebSocket])
def protocol(request: pytest.FixtureRequest) -> Protocol:
    """What the server's sockets run on."""
    chosen: Protocol = request.param
    return chosen


def settings(encoding: str, rate: int) -> str:
    sound = {"encoding": encoding, "sample_rate": rate}
    return json.dumps({"type": "Settings", "audio": {"input": sound, "output": sound}})


async def settle(pair: Pair, encoding: str, rate: int) -> None:
    await pair.client.send(settings(encoding, rate))
    assert isinstance(await pair.read(), ClientSettings)


async def received(pair: Pair) -> list[str | bytes]:
    """All that the client gets until its socket is closed."""
    frames: list[str | bytes] = []
    with suppress(ConnectionClosed):
        async with asyncio.timeout(5):
            while True:
                frames.append(await pair.client.recv())
    return frames


# ── whole samples ──────────────────────────────────────────────────────────────────────────────────────


async def test_an_odd_byte_of_16_bit_sound_waits_for_the_next_frame(protocol: Protocol) -> None:
    async with websocket_pair(protocol) as pair:
        await settle(pair, "linear16", 16000)
        for frame in (b"abc", b"d", b"e", b"fg"):
            await pair.client.send(frame)
        assert [await pair.read() for _ in range(3)] == [b"ab", b"cd", b"ef"]
        for frame in (b"abc", b"d", b"e", b"fg"):
            await pair.transport.send(frame)
        assert [await pair.client.recv() for _ in range(3)] == [b"ab", b"cd", b"ef"]


async def test_half_a_sample_is_not_written_directly(protocol: Protocol) -> None:
    async with websocket_pair(protocol) as pair:
        await settle(pair, "linear16", 16000)
        assert isinstance(pair.transport, Direct)
        assert not pair.transport.write(b"abc")
        await pair.transport.send(b"abc")
        assert not pair.transport.write(b"de")
        await pair.transport.send(b"d")
        assert pair.transport.write(b"ef")
        assert [await pair.client.recv() for _ in range(3)] == [b"ab", b"cd", b"ef"]


async def test_sound_of_one_byte_a_sample_passes_as_it_is(protocol: Protocol) -> None:
    async with websocket_pair(protocol) as pair:
        await settle(pair, "mulaw", 8000)
        await pair.client.send(b"abc")
        assert await pair.read() == b"abc"
        await pair.transport.send(b"abc")
        assert await pair.client.recv() == b"abc"


@pytest.mark.parametrize("news", [UserStartedSpeaking(), AgentAudioDone()])
async def test_half_a_sample_does_not_shift_the_next_reply(
    protocol: Protocol,
    news: UserStartedSpeaking | AgentAudioDone,
) -> None:
    async with websocket_pair(protocol) as pair:
        await settle(pair, "linear16", 24000)
        for frame in (b"abc", news, b"xy"):
            await pair.transport.send(frame)
        heard = [await pair.client.recv() for _ in range(3)]
        assert [sound for sound in heard if isinstance(sound, bytes)] == [b"ab", b"xy"]


async def test_second_settings_change_nothing_about_the_sound(protocol: Protocol) -> None:
    async with websocket_pair(protocol) as pair:
        await settle(pair, "linear16", 16000)
        await settle(pair, "mulaw", 8000)
        await pair.client.send(b"abc")
        assert await pair.read() == b"ab"


# ── too much ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "giant",
    [
        b"\0" * (MAX_FRAME_BYTES + 1),
        json.dumps({"type": "KeepAlive", "x": "x" * MAX_FRAME_BYTES}),
        json.dumps({"type": "KeepAlive", "x": "ä" * (MAX_FRAME_BYTES // 2)}, ensure_ascii=False),
    ],
)
async def test_a_giant_frame_is_told_and_closed_with_1009(protocol: Protocol, giant: str | bytes) -> None:
    async with websocket_pair(protocol) as pair:
        await pair.client.send(giant)
        assert await pair.rest() == [ClientLeft(1009)]
        [error] = await received(pair)
        assert json.loads(error)["type"] == "Error"
        assert pair.client.protocol.close_rcvd is not None
        assert pair.client.protocol.close_rcvd.code == 1009


async def test_the_largest_frame_is_taken(protocol: Protocol) -> None:
    async with websocket_pair(protocol) as pair:
        await pair.client.send(b"\0" * MAX_FRAME_BYTES)
        assert await pair.read() == b"\0" * MAX_FRAME_BYTES


async def test_a_frame_beyond_what_uvicorn_reads_ends_the_socket_too(protocol: Protocol) -> None:
    async with websocket_pair(protocol) as pair:
        await pair.client.send(b"\0" * 300_000)
        assert await pair.rest() == [ClientLeft(1009)]


async def test_a_flood_of_messages_is_told_once_and_dropped(protocol: Protocol) -> None:
    async with websocket_pair(protocol, ClientFrames(lambda: 0.0)) as pair:
        for _ in range(MESSAGES_PER_SECOND + 10):
            await pair.client.send(KEEP_ALIVE)
        taken = [await pair.read() for _ in range(MESSAGES_PER_SECOND)]
        assert taken == [ClientKeptAlive()] * MESSAGES_PER_SECOND
        told = await pair.read()
        assert isinstance(told, ClientErred)
        assert told.code == "BRIDGE_QUOTA"
        await pair.client.send(b"ab")
        assert await pair.read() == b"ab"


async def test_a_flood_that_goes_on_is_closed_with_1008(protocol: Protocol) -> None:
    async with websocket_pair(protocol, ClientFrames(lambda: 0.0)) as pair:
        for _ in range(MESSAGES_PER_SECOND + MAX_IGNORED + 1):
            await pair.client.send(KEEP_ALIVE)
        assert (await pair.rest())[-1] == ClientLeft(1008)
        [error] = await received(pair)
        assert json.loads(error)["code"] == "BRIDGE_QUOTA"


async def test_the_allowance_grows_again_with_time(protocol: Protocol) -> None:
    now = [0.0]
    async with websocket_pair(protocol, ClientFrames(lambda: now[0])) as pair:
        for _ in range(3):
            for _ in range(MESSAGES_PER_SECOND):
                await pair.client.send(KEEP_ALIVE)
                assert await pair.read() == ClientKeptAlive()
            now[0] += 1.0


async def test_sound_is_not_counted_as_messages(protocol: Protocol) -> None:
    async with websocket_pair(protocol, ClientFrames(lambda: 0.0)) as pair:
        for _ in range(MESSAGES_PER_SECOND + MAX_IGNORED + 10):
            await pair.client.send(b"ab")
            assert await pair.read() == b"ab"


async def test_a_flood_of_sound_is_closed_with_1008_too(protocol: Protocol) -> None:
    async with websocket_pair(protocol, ClientFrames(lambda: 0.0)) as pair:
        pair.client.transport.write(TINY * (SOUNDS_AT_ONCE + MAX_IGNORED + 1))
        *sounds, told, left = await pair.rest()
        assert sounds == [b"ab"] * SOUNDS_AT_ONCE
        assert isinstance(told, ClientErred)
        assert (told.code, left) == ("BRIDGE_QUOTA", ClientLeft(1008))


async def test_others_have_their_turn_while_a_flood_is_read() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with websocket_pair(WebSocket) as pair, asyncio.TaskGroup() as group:
        other = group.create_task(others())
        pair.client.transport.write(TINY * 2000)
        seen = Counter([turns for _ in range(2000) if await pair.read()])
        other.cancel()
    assert max(seen.values()) <= FRAMES_IN_A_ROW


# ── broken ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_text_that_is_not_utf_8_ends_the_socket_and_nothing_else(protocol: Protocol) -> None:
    async with websocket_pair(protocol) as pair:
        async with pair.client.send_context():
            pair.client.protocol.send_text(b"\xff\xfe")
        assert await pair.rest() == [ClientLeft(1007)]


async def test_a_message_in_fragments_is_read_whole(protocol: Protocol) -> None:
    async with websocket_pair(protocol) as pair:
        await pair.client.send([KEEP_ALIVE[:5], KEEP_ALIVE[5:]])
        assert await pair.read() == ClientKeptAlive()


async def test_a_frame_that_breaks_the_protocol_ends_the_socket(protocol: Protocol) -> None:
    async with websocket_pair(protocol) as pair:
        pair.client.transport.write(bytes([0x80 | 0x70 | Opcode.TEXT, 0x80, 0, 0, 0, 0]))
        assert await pair.rest() == [ClientLeft(1002)]


async def test_a_close_without_a_code_is_not_a_lost_connection(protocol: Protocol) -> None:
    async with websocket_pair(protocol) as pair:
        pair.client.transport.write(bytes([0x80 | Opcode.CLOSE, 0x80, 0, 0, 0, 0]))
        assert await pair.rest() == [ClientLeft(1005)]


async def test_nothing_of_the_handshake_is_kept() -> None:
    async with websocket_pair(PicowsWebSocket) as pair:
        assert isinstance(pair.transport, PicowsTransport)
        picows = pair.transport._socket.transport
        assert picows
        assert not picows.request.headers
