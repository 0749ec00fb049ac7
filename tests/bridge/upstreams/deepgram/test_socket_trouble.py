"""The client when the scripted Deepgram refuses, hangs, errs or leaves, over real sockets."""

import asyncio
import logging
import socket

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from bridge.core import events as ev
from bridge.core.commands import Answer, Hear
from bridge.core.events import AgentErred, AgentLeft, AgentReady
from bridge.core.model import Message, Role
from bridge.errors import BadConfig, PeerGone, UpstreamFailed
from bridge.ports import Direct, Upstream
from bridge.upstreams.deepgram import on_picows, on_websockets
from bridge.upstreams.deepgram.dialling import SEND_BUFFER, USER_TIMEOUT_MS, Dial, Timeouts
from bridge.upstreams.deepgram.on_websockets import Connection
from bridge.upstreams.deepgram.socket import DeepgramUpstreams
from tests.bridge.upstreams.deepgram.opening import opened
from tests.support.briefs import brief
from tests.support.deepgram import FunctionAsk, Refusal, ScriptedDeepgram


@pytest.fixture(params=[on_picows.dial, on_websockets.dial], ids=["picows", "plain"])
def dial(request: pytest.FixtureRequest) -> Dial:
    """How the agent's socket is opened."""
    chosen: Dial = request.param
    return chosen


FAST = Timeouts(welcome=0.2, applied=0.4, send=0.3, keep_alive=0.1, ping=0.2, pong=0.2, close=0.3)


@pytest.mark.parametrize(
    ("status", "retry"),
    [
        *((400, False), (401, False), (402, False), (403, False), (404, False)),
        *((408, True), (429, True), (500, True), (502, True), (503, True)),
    ],
)
async def test_a_refused_handshake_says_whether_to_try_again(dial: Dial, status: int, *, retry: bool) -> None:
    async with ScriptedDeepgram() as deepgram:
        deepgram.refusal = Refusal(status, "SOME_ERROR")
        with pytest.raises(UpstreamFailed) as failed:
            await DeepgramUpstreams(deepgram.url, "test-key", dial=dial).open(brief())
        assert failed.value.retry is retry
        assert deepgram.attempts == 1


async def test_a_wrong_key_is_not_tried_again(dial: Dial) -> None:
    async with ScriptedDeepgram() as deepgram:
        with pytest.raises(UpstreamFailed) as failed:
            await DeepgramUpstreams(deepgram.url, "wrong", dial=dial).open(brief())
        assert failed.value.retry is False


async def test_nobody_there_may_be_tried_again(dial: Dial) -> None:
    async with ScriptedDeepgram() as deepgram:
        url = deepgram.url
    with pytest.raises(UpstreamFailed) as failed:
        await DeepgramUpstreams(url, "test-key", dial=dial).open(brief())
    assert failed.value.retry is True


async def test_a_handshake_without_answer_ends_in_time(dial: Dial) -> None:
    async with ScriptedDeepgram() as deepgram:
        deepgram.hangs = True
        with pytest.raises(UpstreamFailed) as failed:
            await DeepgramUpstreams(deepgram.url, "test-key", timeouts=Timeouts(open=0.2), dial=dial).open(
                brief()
            )
        assert failed.value.retry is True


@pytest.mark.parametrize(
    ("answer", "retry"),
    [
        ("", True),
        ("\0 garbage\r\n\r\n", True),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", False),
        ("HTTP/1.1 502 Bad\r\nContent-Length: 9\r\n\r\n", True),
        ("HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", True),
        ("HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n\r\n", False),
        ("HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", False),
        ("HTTP/1.1 301 Moved\r\nLocation: ws://[z\r\nContent-Length: 0\r\n\r\n", False),
        ("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", False),
    ],
)
async def test_a_handshake_answered_with_rubbish_is_a_failed_one(
    dial: Dial, answer: str, *, retry: bool
) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer.encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        url = "ws://{}:{}/".format(*server.sockets[0].getsockname())
        with pytest.raises(UpstreamFailed) as failed:
            await DeepgramUpstreams(url, "test-key", dial=dial).open(brief())
    assert failed.value.retry is retry


@pytest.mark.parametrize(
    "url",
    ["https://agent.example.com", "ws://", "ws://host:99999/", "ws://host:x/", "ws://[z/", "", "ws://h/#a"],
)
def test_an_address_that_is_none_is_a_mistake_of_the_configuration(url: str) -> None:
    with pytest.raises(BadConfig, match="DEEPGRAM_AGENT_URL"):
        DeepgramUpstreams(url, "key", dial=on_picows.dial)


@pytest.mark.parametrize("given_up", ["cancelled", "timed out"])
async def test_an_opening_that_is_given_up_leaves_no_connection(dial: Dial, given_up: str) -> None:
    answered = asyncio.Event()

    async def dawdle(*_: object) -> None:
        await asyncio.sleep(0.5)
        asyncio.get_running_loop().call_later(0.2, answered.set)

    async def notice(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async with serve(notice, "127.0.0.1", 0, process_request=dawdle, ping_interval=None) as server:
        url = "ws://{}:{}/".format(*next(iter(server.sockets)).getsockname())
        waits = Timeouts(open=0.2) if given_up == "timed out" else Timeouts()
        with pytest.raises((TimeoutError, UpstreamFailed)):
            async with asyncio.timeout(0.2 if given_up == "cancelled" else 5):
                await DeepgramUpstreams(url, "test-key", timeouts=waits, dial=dial).open(brief())
        async with asyncio.timeout(3):
            await answered.wait()
            while server.connections:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_refused_settings_are_not_tried_again(dial: Dial) -> None:
    async with ScriptedDeepgram(applies=False) as deepgram, opened(deepgram, dial=dial) as (reading, agent):
        await agent.error("INVALID_SETTINGS", "no such model", close=1011)
        left = await reading.until(AgentLeft)
    assert reading.events[0] == AgentErred("INVALID_SETTINGS", "no such model", fatal=True, retry=False)
    assert left == AgentLeft(1011, "", retry=False)


@pytest.mark.parametrize("welcome", ["", '{"type":"Welcome"}'])
@pytest.mark.parametrize(("code", "retry"), [(1011, True), (4401, False)])
async def test_an_agent_that_closes_at_once_says_whether_to_try_again(
    dial: Dial, welcome: str, code: int, *, retry: bool
) -> None:
    async def close(socket: ServerConnection) -> None:
        if welcome:
            socket.protocol.send_text(welcome.encode())
        socket.protocol.send_close(code)
        socket.transport.write(b"".join(socket.protocol.data_to_send()))
        await socket.wait_closed()

    async with serve(close, "127.0.0.1", 0) as server:
        url = "ws://{}:{}/".format(*next(iter(server.sockets)).getsockname())
        with pytest.raises(UpstreamFailed) as failed:
            await DeepgramUpstreams(url, "test-key", dial=dial).open(brief())
    assert failed.value.retry is retry


async def test_an_agent_that_never_gets_ready_is_given_up(dial: Dial) -> None:
    async with (
        ScriptedDeepgram(applies=False) as deepgram,
        opened(deepgram, timeouts=FAST, dial=dial) as (reading, _),
    ):
        left = await reading.until(AgentLeft)
    assert left == AgentLeft(1006, "no SettingsApplied", retry=True)


# ── trouble later ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("code", "retry"),
    [(1000, True), (1001, True), (1011, True), (1012, True), (4410, True), (4401, False), (4403, False)],
)
async def test_a_close_is_reported_with_its_code(dial: Dial, code: int, *, retry: bool) -> None:
    async with ScriptedDeepgram() as deepgram, opened(deepgram, dial=dial) as (reading, agent):
        await reading.until(AgentReady)
        await agent.close(code, "because")
        assert await reading.until(AgentLeft) == AgentLeft(code, "because", retry=retry)


async def test_a_reset_is_reported_as_1006(dial: Dial) -> None:
    async with ScriptedDeepgram() as deepgram, opened(deepgram, dial=dial) as (reading, agent):
        await reading.until(AgentReady)
        agent.reset()
        assert await reading.until(AgentLeft) == AgentLeft(1006, "", retry=True)
        with pytest.raises(PeerGone):
            await reading.upstream.send(Hear("anybody?"))


async def test_an_agent_that_hangs_is_noticed_by_its_pongs(dial: Dial) -> None:
    async with ScriptedDeepgram() as deepgram, opened(deepgram, timeouts=FAST, dial=dial) as (reading, agent):
        await reading.until(AgentReady)
        agent.stall()
        assert await reading.until(AgentLeft) == AgentLeft(1006, "", retry=True)


def test_an_agent_that_is_silent_is_gone_after_ten_seconds() -> None:
    waits = Timeouts()
    assert waits.ping + waits.pong + waits.close <= 10


async def test_an_agent_that_takes_nothing_is_given_up_at_the_send_deadline(dial: Dial) -> None:
    timeouts = Timeouts(send=0.3, ping=30)
    async with (
        ScriptedDeepgram() as deepgram,
        opened(deepgram, timeouts=timeouts, dial=dial) as (reading, agent),
    ):
        await reading.until(AgentReady)
        agent.stall()
        with pytest.raises(PeerGone):
            await _flood(reading.upstream)
        assert await reading.until(AgentLeft) == AgentLeft(1006, "", retry=True)


async def test_the_kernel_takes_little_for_an_agent_and_waits_no_longer_than_we_do() -> None:
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        connect(deepgram.url, proxy=None, create_connection=Connection) as agent,
    ):
        plain = agent.transport.get_extra_info("socket")
        assert plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == USER_TIMEOUT_MS
        assert plain.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * SEND_BUFFER  # Linux doubles it


async def test_an_agent_that_takes_nothing_is_not_written_to_directly_and_given_up(dial: Dial) -> None:
    timeouts = Timeouts(send=0.3, ping=30)
    async with (
        ScriptedDeepgram() as deepgram,
        opened(deepgram, timeouts=timeouts, dial=dial) as (reading, agent),
    ):
        await reading.until(AgentReady)
        assert isinstance(reading.upstream, Direct)
        agent.stall()
        async with asyncio.timeout(10):
            while not reading.of(AgentLeft):
                reading.upstream.write(bytes(64 * 1024))
                await asyncio.sleep(0.001)
        assert reading.of(AgentLeft) == [AgentLeft(1006, "", retry=True)]
        assert not reading.upstream.write(bytes(640))


async def _flood(upstream: Upstream) -> None:
    async with asyncio.timeout(10):
        while True:
            await upstream.send(bytes(256 * 1024))


async def test_errors_and_rubbish_do_not_end_the_reading(dial: Dial) -> None:
    async with ScriptedDeepgram() as deepgram, opened(deepgram, dial=dial) as (reading, agent):
        await reading.until(AgentReady)
        await agent.error("UNPARSABLE_CLIENT_MESSAGE")
        for text in ("not json", "[1]", '"text"', "{}", '{"type":7}', '{"type":"New","x":1}'):
            await agent.send_text(text)
        await agent.say("Still here.")
        await reading.until(ev.AgentAudioDone)
    assert reading.events[1] == AgentErred("UNPARSABLE_CLIENT_MESSAGE", "an error", fatal=False)
    assert reading.events[2] == ev.AgentSaidOther({"type": "New", "x": 1})


async def test_a_cancelled_call_and_its_crossing_answer(dial: Dial) -> None:
    async with ScriptedDeepgram() as deepgram, opened(deepgram, dial=dial) as (reading, agent):
        first, second = await agent.call_all(FunctionAsk("list_tasks"), FunctionAsk("list_tasks"))
        await agent.cancel(first)
        cancelled = await reading.until(ev.CallsCancelled)
        await reading.upstream.send(Answer(first, "list_tasks", "none"))
        await reading.upstream.send(Answer(second, "list_tasks", "none"))
        await agent.expect_answer(second)
        assert agent.late_answers == [first]
    assert cancelled.call_ids == (first,)


async def test_closing_is_polite_and_may_be_repeated(dial: Dial) -> None:
    async with ScriptedDeepgram() as deepgram:
        async with opened(deepgram, dial=dial) as (reading, agent):
            await reading.until(AgentReady)
            await reading.upstream.close()
            await reading.upstream.close()
            assert await agent.expect_close() == 1000
        with pytest.raises(PeerGone):
            await reading.upstream.send(b"\x00\x00")


async def test_sessions_open_side_by_side(dial: Dial) -> None:
    async with (
        ScriptedDeepgram() as deepgram,
        opened(deepgram, dial=dial) as (one, first),
        opened(deepgram, dial=dial) as (other, second),
    ):
        await first.say("one")
        await second.say("other")
        await one.until(ev.AgentAudioDone)
        await other.until(ev.AgentAudioDone)
        assert ev.TextArrived(Message(Role.ASSISTANT, "one")) in one.events
        assert ev.TextArrived(Message(Role.ASSISTANT, "other")) in other.events


async def test_the_key_is_never_logged(
    dial: Dial, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "dg-secret-0123456789"
    with caplog.at_level(logging.DEBUG):
        async with (
            ScriptedDeepgram(key=secret) as deepgram,
            opened(deepgram, key=secret, dial=dial) as (reading, _),
        ):
            await reading.until(AgentReady)
        async with ScriptedDeepgram(key="other") as deepgram:
            with pytest.raises(UpstreamFailed):
                await DeepgramUpstreams(deepgram.url, secret, dial=dial).open(brief())
    ours = [record for record in caplog.records if record.name != "websockets.server"]
    assert secret not in " ".join(record.getMessage() for record in ours)
    assert secret not in capsys.readouterr().out


async def test_what_comes_before_settings_applied_is_kept_up_to_a_bound(dial: Dial) -> None:
    async with ScriptedDeepgram(applies=False) as deepgram, opened(deepgram, dial=dial) as (reading, agent):
        for _ in range(5):
            await agent.send_audio(bytes(1024 * 1024))
        for _ in range(20):
            await agent.agent_text("x" * 250_000)
        await agent.agent_text("Hey!")
        await agent.apply()
        await agent.say("Still here.")
        await reading.until(ev.AgentAudioDone)
    said = [event.message.content for event in reading.events if isinstance(event, ev.TextArrived)]
    assert [len(text) for text in said[:16]] == [250_000] * 16
    assert said[16:] == ["Hey!", "Still here."]
    assert len(reading.sound) >= 4 * 1024 * 1024
