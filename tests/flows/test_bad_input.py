"""Bad clients and bad agents against the running server: each gets a clear answer, and others talk on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bridge.core.model import AudioFormat
from tests.support.bridge import Process, process, running
from tests.support.client import SETTINGS, Client, client, get, start
from tests.support.deepgram import FunctionAsk, ScriptedDeepgram, tone
from tests.support.deepgram_echo import Echo

pytestmark = pytest.mark.asyncio(loop_scope="module")

Frame = str | bytes | dict[str, object]

UNPARSABLE = "UNPARSABLE_CLIENT_MESSAGE"
TYPED: dict[str, object] = {"type": "InjectUserMessage", "content": "hello"}
KiB = 1024
SPOKEN = tone(300, AudioFormat(sample_rate=16000)) + bytes(600 * 32)
"""One turn for the ears of the echo: 300 ms loud, 600 ms quiet."""

ECHO = Echo(
    spoken=["I speak"],
    calls={
        "fly": FunctionAsk("fly_to_the_moon", {"when": "now"}),
        "mumble": FunctionAsk("submit_goal_intent", "{goal: learn"),
        "list": FunctionAsk("submit_goal_intent", '["learn Spanish"]'),
        "spanish": FunctionAsk("submit_goal_intent", {"goal_statement": "learn Spanish"}),
    },
)


@dataclass(frozen=True, slots=True)
class Server:
    """`voice-bridge serve` before an agent that repeats what it hears."""

    process: Process
    rest: httpx2.AsyncClient

    async def talks(self) -> None:
        """It serves a normal talk."""
        begun = await start(self.process.http)
        async with client(self.process.ws, token=str(begun["token"])) as talker:
            await talker.settle(bridge=False)
            await talks_on(talker)
        assert self.process.process.returncode is None
        errors = [line["event"] for line in self.process.lines if line.get("level") == "error"]
        assert errors == []

    async def goals(self) -> list[Any]:
        items = (await get(self.process.http, "/api/v1/goals"))["items"]
        assert isinstance(items, list)
        return items


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with ScriptedDeepgram(script=ECHO) as deepgram:
        variables = {"DEEPGRAM_AGENT_URL": deepgram.url, "DEEPGRAM_API_KEY": "test-key"}
        async with process(tmp_path_factory.mktemp("server"), **variables) as serving:
            async with httpx2.AsyncClient(base_url=serving.http, trust_env=False) as rest:
                yield Server(serving, rest)
            assert await serving.terminate() == 0


async def throw(talker: Client, frame: Frame) -> None:
    await talker.socket.send(json.dumps(frame) if isinstance(frame, dict) else frame)


async def talks_on(talker: Client) -> None:
    """The same socket still works: what is typed is answered."""
    await throw(talker, TYPED)
    await talker.expect_text("user", "hello")
    await talker.expect_text("assistant", "You said: hello")


# ── frames ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"type": "Settings', UNPARSABLE),
        ("[1, 2]", UNPARSABLE),
        ("", UNPARSABLE),
        ({"type": "SettingsConfiguration"}, UNPARSABLE),
        ({"type": "Settings"}, "INVALID_SETTINGS"),
        ({**SETTINGS, "bridge": {"cursor": "the last one"}}, "INVALID_SETTINGS"),
        (
            {"type": "Settings", "audio": {"input": {"encoding": "mp3", "sample_rate": 1}}},
            "USER_AUDIO_FORMAT",
        ),
        (TYPED, "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS"),
        ({"type": "KeepAlive"}, "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS"),
        (b"\1\2" * 320, "BINARY_MESSAGE_BEFORE_SETTINGS"),
    ],
)
async def test_what_is_wrong_before_settings_is_told_and_settings_may_follow(
    server: Server, frame: Frame, code: str
) -> None:
    async with client(server.process.ws) as talker:
        await throw(talker, frame)
        error = await talker.expect("Error")
        assert error["code"] == code
        assert error["description"]
        await talker.settle(bridge=False)
        await talks_on(talker)
        assert talker.types().count("Error") == 1
    await server.talks()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("not JSON", UNPARSABLE),
        ("[" * 5000, UNPARSABLE),
        ('{"type": 7}', UNPARSABLE),
        ({"type": "Abracadabra"}, UNPARSABLE),
        ({"type": "InjectUserMessage"}, UNPARSABLE),
        ({"type": "InjectUserMessage", "content": ["a", "b"]}, UNPARSABLE),
        ({"type": "FunctionCallResponse", "id": "c1"}, UNPARSABLE),
        ({"type": "Playback", "played_ms": "all"}, UNPARSABLE),
        (SETTINGS, "SETTINGS_ALREADY_APPLIED"),
    ],
)
async def test_what_is_wrong_in_a_talk_is_told_and_the_talk_goes_on(
    server: Server, frame: Frame, code: str
) -> None:
    async with client(server.process.ws) as talker:
        await talker.settle(bridge=False)
        await throw(talker, frame)
        assert (await talker.expect("Error"))["code"] == code
        await talks_on(talker)
        assert talker.types().count("Error") == 1
    await server.talks()


async def test_odd_and_empty_frames_make_no_noise_and_no_error(server: Server) -> None:
    """A tone cut into frames of every odd length is heard as the turn it is."""
    async with client(server.process.ws) as talker:
        await talker.settle(bridge=False)
        await throw(talker, b"")
        for begin in range(0, len(SPOKEN), 641):
            await throw(talker, SPOKEN[begin : begin + 641])
        await throw(talker, b"\7")
        await talker.expect_text("assistant", "You said: I speak")
        assert "Error" not in talker.types()
    await server.talks()


@pytest.mark.parametrize("frame", ["x" * (64 * KiB + 1), b"x" * (64 * KiB + 1)], ids=["text", "sound"])
async def test_a_giant_frame_is_told_and_closed_with_1009(server: Server, frame: Frame) -> None:
    async with client(server.process.ws) as talker:
        await talker.settle(bridge=False)
        await throw(talker, frame)
        assert (await talker.expect("Error"))["code"] == UNPARSABLE
        assert await talker.expect_close() == 1009
    await server.talks()


async def test_a_frame_that_is_too_large_to_read_closes_with_1009(server: Server) -> None:
    async with client(server.process.ws) as talker:
        await talker.settle(bridge=False)
        await throw(talker, b"x" * (1024 * KiB + 1))
        assert await talker.expect_close() == 1009
    await server.talks()


async def test_text_that_is_not_utf_8_closes_with_1007(server: Server) -> None:
    async with client(server.process.ws) as talker:
        await talker.settle(bridge=False)
        await talker.socket.send(b"\xff\xfe{", text=True)
        assert await talker.expect_close() == 1007
    await server.talks()


async def test_a_flood_is_told_once_and_closed_with_1008(server: Server) -> None:
    async with client(server.process.ws) as talker:
        await talker.settle(bridge=False)
        await flood(talker)
        assert await talker.expect_close() == 1008
        quotas = [frame for frame in talker.frames if frame.get("code") == "BRIDGE_QUOTA"]
        assert 1 <= len(quotas) <= 2
    await server.talks()


async def flood(talker: Client) -> None:
    """As many messages as the socket takes, until it is closed."""
    with suppress(ConnectionClosed):
        while True:
            for _ in range(50):
                await talker.socket.send('{"type": "KeepAlive"}')
            await asyncio.sleep(0)


# ── requests ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        ('{"agent": "nobody"}', 404, "BRIDGE_UNKNOWN_AGENT"),
        ('{"conversation_id": "never-was"}', 404, "BRIDGE_NOT_FOUND"),
        ('{"agent": "../flux"}', 422, "BRIDGE_BAD_REQUEST"),
        ('{"agent": 7}', 422, "BRIDGE_BAD_REQUEST"),
        ('{"agnet": "flux"}', 422, "BRIDGE_BAD_REQUEST"),
        ('["flux"]', 422, "BRIDGE_BAD_REQUEST"),
        ('{"agent": ', 400, "BRIDGE_BAD_REQUEST"),
        ('{"agent": "' + "x" * 70_000 + '"}', 413, "BRIDGE_BAD_REQUEST"),
    ],
)
async def test_a_wish_for_a_session_that_cannot_be_met_says_why(
    server: Server, content: str, status: int, code: str
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await server.rest.post("/api/v1/voice/session", content=content, headers=headers)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert error["description"]
    await server.talks()


@pytest.mark.parametrize("token", ["vbs_made-up", "vbr_made-up"])
async def test_a_token_that_is_none_gets_401(server: Server, token: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with client(server.process.ws, token=token):
            pass
    assert refused.value.response.status_code == 401
    assert json.loads(refused.value.response.body)["err_code"] == "BRIDGE_TOKEN_VOID"
    await server.talks()


async def test_what_is_somebody_elses_is_not_there(tmp_path: Path) -> None:
    async with ScriptedDeepgram(script=ECHO) as deepgram:
        given = {"deepgram_agent_url": deepgram.url, "deepgram_api_key": "test-key", "upstream": "deepgram"}
        async with running(tmp_path, user="ada", **given) as hers:
            begun = await start(hers.http)
            async with client(hers.ws, token=str(begun["token"])) as talker:
                await talker.settle(bridge=False)
                await talks_on(talker)
        path = f"/api/v1/conversations/{begun['conversation_id']}"
        async with (
            running(tmp_path, user="bob", **given) as his,
            httpx2.AsyncClient(base_url=his.http, trust_env=False) as rest,
        ):
            wish = {"conversation_id": begun["conversation_id"]}
            answers = [
                await rest.post("/api/v1/voice/session", json=wish),
                *[await rest.get(f"{path}{part}") for part in ("", "/messages", "/export")],
                await rest.patch(path, json={"title": "mine"}),
                await rest.delete(path),
            ]
            assert {answer.status_code for answer in answers} == {404}
            assert {answer.json()["error"]["code"] for answer in answers} == {"BRIDGE_NOT_FOUND"}
            assert (await get(his.http, "/api/v1/conversations"))["items"] == []
        async with running(tmp_path, user="ada", **given) as hers:
            entries = (await get(hers.http, f"{path}/messages"))["items"]
            assert isinstance(entries, list)
            assert [entry["content"] for entry in entries] == ["hello", "You said: hello"]


# ── functions ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("fly me to the moon", "fly_to_the_moon"),
        ("mumble something", "say it again"),
        ("a list of wishes", "say it again"),
    ],
)
async def test_a_call_that_cannot_be_run_is_answered_with_a_sentence(
    server: Server, typed: str, says: str
) -> None:
    before = await server.goals()
    async with client(server.process.ws) as talker:
        await talker.settle(bridge=False)
        await talker.send(type="InjectUserMessage", content=typed)
        response = await talker.expect("FunctionCallResponse")
        assert response["status"] == "refused"
        assert says in str(response["content"])
        assert str(response["content"]) in str((await talker.expect_text("assistant", says))["content"])
        assert await server.goals() == before
        await talks_on(talker)
        await talker.send(type="InjectUserMessage", content="learn Spanish then")
        await talker.expect("FunctionCallResponse", lambda frame: frame["status"] == "done")
    await server.talks()
