"""What every transport owes a session: each implementation passes these, on real sockets."""

import asyncio
import json
import random
from collections.abc import AsyncIterator

import pytest
import uvloop

from bridge.core.commands import Applied, Warned, Welcome
from bridge.core.events import ClientErred, ClientKeptAlive, ClientLeft, ClientWrote, PeerEvent
from bridge.errors import PeerGone
from bridge.ports import Direct
from bridge.serving import PicowsWebSocket, WebSocket
from bridge.transports.client_frames import ClientFrames, TurnedAway
from tests.support.websockets import Pair, websocket_pair

SOUND = bytes(range(200))


@pytest.fixture(params=[WebSocket, PicowsWebSocket])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    async with websocket_pair(request.param, send_seconds=0.5) as pair:
        yield pair


async def test_what_a_client_sends_arrives_in_order(pair: Pair) -> None:
    await pair.client.send(SOUND)
    await pair.client.send('{"type": "InjectUserMessage", "content": "hello"}')
    await pair.client.send(SOUND + SOUND)
    assert [await pair.read() for _ in range(3)] == [SOUND, ClientWrote("hello"), SOUND + SOUND]


async def test_what_a_client_is_sent_arrives_in_order(pair: Pair) -> None:
    for frame in (Welcome("r1"), SOUND, Applied(), SOUND + SOUND):
        await pair.transport.send(frame)
    received = [await pair.client.recv() for _ in range(4)]
    assert [json.loads(f)["type"] if isinstance(f, str) else f for f in received] == [
        "Welcome",
        SOUND,
        "SettingsApplied",
        SOUND + SOUND,
    ]


async def test_what_is_written_directly_keeps_its_place(pair: Pair) -> None:
    assert isinstance(pair.transport, Direct)
    await pair.transport.send(Welcome("r1"))
    assert pair.transport.write(SOUND)
    await pair.transport.send(SOUND + SOUND)
    assert pair.transport.write(SOUND)
    received = [await pair.client.recv() for _ in range(4)]
    assert received[1:] == [SOUND, SOUND + SOUND, SOUND]


async def test_what_is_told_at_once_keeps_its_place(pair: Pair) -> None:
    assert isinstance(pair.transport, Direct)
    for number in range(3):
        assert pair.transport.write(SOUND)
        if not pair.transport.tell(Welcome(str(number))):  # not every transport can
            await pair.transport.send(Welcome(str(number)))
    received = [await pair.client.recv() for _ in range(6)]
    assert received[::2] == [SOUND] * 3
    assert [json.loads(text)["request_id"] for text in received[1::2]] == ["0", "1", "2"]


async def test_what_would_have_to_wait_is_not_written(pair: Pair) -> None:
    assert isinstance(pair.transport, Direct)
    with pytest.raises(PeerGone):  # nobody reads at the other end
        await asyncio.wait_for(_write_until_refused(pair), 10)
    assert not pair.transport.write(SOUND)
    assert not pair.transport.tell(Applied())


async def _write_until_refused(pair: Pair) -> None:
    assert isinstance(pair.transport, Direct)
    while True:
        if not pair.transport.write(b"\0" * 60_000):
            await pair.transport.send(Applied())
        await asyncio.sleep(0)


async def test_nothing_is_written_to_a_closed_socket(pair: Pair) -> None:
    assert isinstance(pair.transport, Direct)
    await pair.transport.close(1000, "")
    assert not pair.transport.write(SOUND)
    assert not pair.transport.tell(Applied())


async def test_sound_is_never_empty(pair: Pair) -> None:
    await pair.client.send(b"")
    await pair.client.send('{"type": "KeepAlive"}')
    assert await pair.read() == ClientKeptAlive()
    await pair.transport.send(b"")
    await pair.transport.send(Applied())
    assert json.loads(await pair.client.recv()) == {"type": "SettingsApplied"}


async def test_an_unreadable_message_is_told_and_the_socket_lives_on(pair: Pair) -> None:
    await pair.client.send("{")
    await pair.client.send('{"type": "KeepAlive"}')
    assert isinstance(await pair.read(), ClientErred)
    assert await pair.read() == ClientKeptAlive()


async def test_the_last_word_is_that_the_client_left(pair: Pair) -> None:
    await pair.client.send('{"type": "KeepAlive"}')
    await pair.client.close(1000)
    assert await pair.rest() == [ClientKeptAlive(), ClientLeft(1000)]


async def test_a_lost_client_has_left_too(pair: Pair) -> None:
    pair.client.transport.abort()
    assert await pair.rest() == [ClientLeft(1006)]


async def test_sending_to_a_client_that_left_raises(pair: Pair) -> None:
    await pair.client.close()
    await pair.rest()
    with pytest.raises(PeerGone):
        await pair.transport.send(SOUND)
    with pytest.raises(PeerGone):
        await pair.transport.send(Applied())


async def test_a_client_that_stops_reading_is_given_up_in_time(pair: Pair) -> None:
    async def fill() -> None:
        while True:
            await pair.transport.send(b"\0" * 60_000)

    with pytest.raises(PeerGone):
        await asyncio.wait_for(fill(), 10)
    async with asyncio.timeout(2):
        await pair.transport.close(4410, "too slow")


async def test_closing_tells_the_client_why_and_ends_the_frames(pair: Pair) -> None:
    await pair.transport.send(Warned("BRIDGE_GOING_AWAY", "back soon"))
    await pair.transport.close(1012, "restart")
    assert json.loads(await pair.client.recv())["code"] == "BRIDGE_GOING_AWAY"
    await pair.client.wait_closed()
    assert pair.client.protocol.close_rcvd is not None
    assert (pair.client.protocol.close_rcvd.code, pair.client.protocol.close_rcvd.reason) == (1012, "restart")
    assert await pair.rest() == [ClientLeft(1012)]


async def test_it_may_be_closed_twice_and_when_the_client_is_gone(pair: Pair) -> None:
    await pair.client.close()
    await pair.rest()
    await pair.transport.close(1000, "")
    await pair.transport.close(1011, "again")
    with pytest.raises(PeerGone):
        await pair.transport.send(Applied())


async def test_a_long_reason_is_cut_to_what_a_close_holds(pair: Pair) -> None:
    await pair.transport.close(1000, "ä" * 200)
    await pair.client.wait_closed()
    assert pair.client.protocol.close_rcvd is not None
    assert pair.client.protocol.close_rcvd.reason == "ä" * 61


PROTOCOLS = [WebSocket, PicowsWebSocket]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_long_messages_to_a_client_that_reads_slowly_arrive_whole(protocol: type[WebSocket]) -> None:
    """On uvloop, as in a real server: a header must not change while it waits in the transport."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_read_slowly(protocol))


async def _read_slowly(protocol: type[WebSocket]) -> None:
    sizes = random.Random(1).choices([2, 126, 4000, 8192, 8193, 9000, 65_535, 65_536], k=600)
    frames = [bytes([n % 256]) * size for n, size in enumerate(sizes)]
    async with websocket_pair(protocol) as pair, asyncio.TaskGroup() as group:
        group.create_task(_send_all(pair, frames))
        for frame in frames:
            await asyncio.sleep(0.001)  # slower than they are sent
            assert await pair.client.recv() == frame


async def _send_all(pair: Pair, frames: list[bytes]) -> None:
    for frame in frames:
        await pair.transport.send(frame)


class BrokenFrames(ClientFrames):
    """Has a fault."""

    def read(self, frame: bytes | str) -> bytes | PeerEvent | TurnedAway | None:
        raise ZeroDivisionError


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_fault_of_ours_comes_out_of_reading(protocol: type[WebSocket]) -> None:
    with pytest.RaisesGroup(ZeroDivisionError):
        async with websocket_pair(protocol, BrokenFrames()) as pair:
            await pair.client.send("{}")
            await pair.client.wait_closed()
    await asyncio.wait_for(pair.transport.close(1011, ""), 2)
