"""Limits, at the limit and one past it, as somebody at the other end of the wire meets them."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from limits import parse_many

from bridge.settings import CONFIG
from bridge.transports.client_frames import MAX_FRAME_BYTES, MESSAGES_PER_SECOND
from tests.support.bridge import Running, running
from tests.support.client import client, metrics, start
from tests.support.deepgram import ScriptedDeepgram

SESSION = "/api/v1/voice/session"
SECOND = bytes(32_000)
"""Of silence, as our page sends it."""


def agents(folder: Path, **limits: float) -> Path:
    """A folder with Flux in it, under these limits."""
    target = folder / "agents"
    shutil.copytree(CONFIG / "agents" / "flux", target / "flux", ignore=shutil.ignore_patterns("hearing"))
    told = target / "flux" / "agent.yaml"
    agent = yaml.safe_load(told.read_text("utf-8"))
    agent["limits"] = {**agent.get("limits", {}), **limits}
    told.write_text(yaml.safe_dump(agent), "utf-8")
    return target


@asynccontextmanager
async def server(folder: Path, **changes: object) -> AsyncIterator[tuple[Running, ScriptedDeepgram]]:
    async with ScriptedDeepgram() as deepgram:
        given = {"upstream": "deepgram", "deepgram_agent_url": deepgram.url, "deepgram_api_key": "test-key"}
        async with running(folder, **{**given, **changes}) as up:
            yield up, deepgram


async def wish(up: Running, **headers: str) -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=up.http, trust_env=False) as http:
        return await http.post(SESSION, json={}, headers=headers)


def refusal(answer: httpx2.Response) -> tuple[int, str, str]:
    """Status, code and words; every refusal says when to try again."""
    assert int(answer.headers["Retry-After"]) >= 1
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["description"]


async def refused(up: Running, reason: str) -> float:
    """How many were refused for that reason, as /metrics has it."""
    return (await metrics(up.http)).get(f'bridge_sessions_refused_total{{reason="{reason}"}}', 0)


async def test_new_sessions_of_a_user(tmp_path: Path) -> None:
    async with server(tmp_path, session_rates=tuple(parse_many("2/10 minutes"))) as (up, _):
        assert [(await wish(up)).status_code for _ in range(2)] == [201, 201]
        assert refusal(await wish(up)) == (429, "BRIDGE_QUOTA", "At most 2 new sessions in 10 minutes.")
        assert await refused(up, "rate") == 1


async def test_sessions_from_an_address(tmp_path: Path) -> None:
    limits: dict[str, Any] = {"sessions_per_address": 2, "sessions_per_user": 9, "trust_proxy": True}
    async with server(tmp_path, **limits) as (up, _):
        here = {"X-Forwarded-For": "198.51.100.1"}
        begun = [(await wish(up, **here)).json() for _ in range(2)]
        assert refusal(await wish(up, **here)) == (
            429,
            "BRIDGE_QUOTA",
            "At most 2 sessions from one address.",
        )
        assert await refused(up, "address") == 1
        assert (await wish(up, **{"X-Forwarded-For": "198.51.100.2"})).status_code == 201
        async with client(up.ws, token=begun[0]["token"]) as talker:  # those that are let in stay so
            await talker.settle()
        async with httpx2.AsyncClient(base_url=up.http, trust_env=False) as http:
            await http.delete(f"{SESSION}/{begun[1]['session_id']}")
        assert (await wish(up, **here)).status_code == 201


async def test_two_who_come_at_the_same_moment_do_not_share_the_last_place(tmp_path: Path) -> None:
    async with server(tmp_path, sessions_per_address=1, sessions_per_user=9) as (up, _):
        answers = await asyncio.gather(*(wish(up) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [201, 429, 429, 429, 429]


def talked(folder: Path, seconds: float) -> None:
    """The user has talked for so long today."""
    with sqlite3.connect(folder / "bridge.db", timeout=10) as store:
        day = datetime.now(UTC).date().isoformat()
        store.execute("INSERT OR REPLACE INTO usage VALUES ('local', ?, ?)", (day, seconds))
    store.close()


async def test_minutes_of_a_day(tmp_path: Path) -> None:
    async with server(tmp_path, minutes_per_day=10) as (up, _):
        first = await start(up.http)
        assert 590 < float(first["limits"]["session_seconds"]) <= 600  # type: ignore[index]
        await asyncio.to_thread(talked, tmp_path, 598)
        last = await start(up.http)
        assert float(last["limits"]["session_seconds"]) <= 2  # type: ignore[index]
        async with client(up.ws, token=str(last["token"])) as talker:
            await talker.settle()
            assert (await talker.expect("Error"))["code"] == "BRIDGE_SESSION_LIMIT"
            assert await talker.expect_close() == 1000
        await asyncio.to_thread(talked, tmp_path, 600)
        assert refusal(await wish(up)) == (429, "BRIDGE_QUOTA", "At most 10 minutes a day.")
        assert await refused(up, "minutes") == 1


async def test_what_is_talked_counts_for_the_day(tmp_path: Path) -> None:
    async with server(tmp_path, minutes_per_day=10) as (up, _):
        begun = await start(up.http)
        async with client(up.ws, token=str(begun["token"])) as talker:
            await talker.settle()
            await asyncio.sleep(1.1)
        await up.app.sessions.end("local", str(begun["session_id"]))
        with sqlite3.connect(tmp_path / "bridge.db", timeout=10) as store:
            assert store.execute("SELECT seconds FROM usage WHERE user_id = 'local'").fetchone()[0] >= 1
        store.close()


async def test_the_length_of_a_session(tmp_path: Path) -> None:
    short = agents(tmp_path, session_seconds=1.5)
    async with server(tmp_path, agents_dir=short) as (up, _), client(up.ws) as talker:
        await talker.settle()
        assert (await talker.expect("Error"))["code"] == "BRIDGE_SESSION_LIMIT"
        assert await talker.expect_close() == 1000


async def test_nothing_said_is_asked_about_and_then_the_end(tmp_path: Path) -> None:
    quiet = agents(tmp_path, idle_seconds=0.3, idle_grace_seconds=0.3)
    async with server(tmp_path, agents_dir=quiet) as (up, deepgram), client(up.ws) as talker:
        await talker.settle()
        agent = await deepgram.session()
        assert (await agent.expect("InjectAgentMessage"))["message"] == "Are you still there?"
        assert (await talker.expect("Warning"))["code"] == "BRIDGE_IDLE"
        assert (await talker.expect("Error"))["code"] == "BRIDGE_IDLE"
        assert await talker.expect_close() == 1000


async def test_calls_of_a_turn(tmp_path: Path) -> None:
    few = agents(tmp_path, calls_per_turn=2)
    async with server(tmp_path, agents_dir=few) as (up, deepgram), client(up.ws) as talker:
        await talker.settle()
        agent = await deepgram.session()
        await agent.hear("three things")
        answers = [
            await agent.expect_answer(await agent.call("submit_goal_intent", goal_statement=f"wish {n}"))
            for n in range(3)
        ]
        assert ["too much at once" in str(answer) for answer in answers] == [False, False, True]
        told = [frame["status"] for frame in talker.frames if frame["type"] == "FunctionCallResponse"]
        assert told == ["done", "done", "refused"]
        await agent.hear("go on")
        again = await agent.call("submit_goal_intent", goal_statement="wish 4")
        assert "too much" not in str(await agent.expect_answer(again))
    with sqlite3.connect(tmp_path / "bridge.db", timeout=10) as store:
        assert store.execute("SELECT count(*) FROM goals").fetchone() == (3,)
    store.close()


async def test_sound_that_comes_too_fast(tmp_path: Path) -> None:
    async with server(tmp_path) as (up, deepgram), client(up.ws) as talker:
        await talker.settle()
        agent = await deepgram.session()
        for _ in range(10):
            await talker.socket.send(SECOND)
        await talker.socket.send(SECOND)
        warned = await talker.expect("Warning")
        assert warned["code"] == "BRIDGE_AUDIO_DROPPED"
        assert "1.5 times real time" in str(warned["description"])
        await agent.say("I have heard ten seconds.")
        await talker.expect_text("assistant", "ten seconds")
        heard = len(agent.audio)
    assert len(SECOND) * 10 <= heard < len(SECOND) * 11


@pytest.mark.parametrize(("size", "status"), [(64 * 1024, 422), (64 * 1024 + 1, 413)])
async def test_the_body_of_a_request(tmp_path: Path, size: int, status: int) -> None:
    async with (
        server(tmp_path) as (up, _),
        httpx2.AsyncClient(base_url=up.http, trust_env=False) as http,
    ):
        body = json.dumps({"agent": ""}).encode()
        body = body.replace(b'""', b'"' + b"x" * (size - len(body)) + b'"')
        answer = await http.post(SESSION, content=body, headers={"Content-Type": "application/json"})
        assert len(body) == size
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, "BRIDGE_BAD_REQUEST")


async def test_the_size_of_a_frame(tmp_path: Path) -> None:
    async with server(tmp_path) as (up, _):
        for size, closed in ((MAX_FRAME_BYTES, None), (MAX_FRAME_BYTES + 2, 1009)):
            async with client(up.ws) as talker:
                await talker.settle()
                await talker.socket.send(bytes(size))
                if closed:
                    assert await talker.expect_close() == closed
                else:
                    await talker.send(type="BridgePing", id="1")
                    await talker.expect("BridgePong")


async def test_messages_of_a_second(tmp_path: Path) -> None:
    async with server(tmp_path) as (up, _), client(up.ws) as talker:
        await talker.settle()
        for _ in range(MESSAGES_PER_SECOND - 1):  # the Settings were one
            await talker.send(type="KeepAlive")
        for _ in range(20):
            await talker.send(type="KeepAlive")
        assert (await talker.expect("Error"))["code"] == "BRIDGE_QUOTA"
        assert [frame["type"] for frame in talker.frames].count("Error") == 1
