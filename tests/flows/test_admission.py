"""No new session where it would cost those that run: each cause for real, until it is gone again."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx2
import yaml

from tests.flows.test_quotas import agents
from tests.support.bridge import Process, process
from tests.support.client import client, metrics
from tests.support.deepgram import ScriptedDeepgram

SESSION = "/api/v1/voice/session"
MANY = {"BRIDGE_SESSIONS_PER_USER": "99"}


async def refused(server: Process, reason: str, words: str) -> None:
    """Whoever wants a session is told so, and so is the balancer; it is counted."""
    async with httpx2.AsyncClient(base_url=server.http, trust_env=False) as http:
        answer = await http.post(SESSION, json={})
        ready = await http.get("/ready")
    assert answer.status_code == 503, answer.text
    assert answer.headers["Retry-After"] == "5"
    assert answer.json()["error"]["code"] == "BRIDGE_UNAVAILABLE"
    assert words in answer.json()["error"]["description"]
    assert (ready.status_code, words in ready.json()["reason"]) == (503, True)
    assert (await metrics(server.http))[f'bridge_sessions_refused_total{{reason="{reason}"}}'] >= 1
    assert (await server.logged("admission_closed"))["reason"] == reason


async def accepted(server: Process) -> None:
    """Soon somebody is let in again."""
    async with asyncio.timeout(20), httpx2.AsyncClient(base_url=server.http, trust_env=False) as http:
        while (await http.get("/ready")).status_code == 503:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)
        assert (await http.post(SESSION, json={})).status_code == 201
    await server.logged("admission_opened")


def with_a_blocking_function(folder: Path) -> Path:
    target = agents(folder)
    told = target / "flux" / "intents.yaml"
    spec = yaml.safe_load(told.read_text("utf-8"))
    spec["intents"]["block"] = {
        "route": "BLOCK",
        "description": "Blocks.",
        "handler": "python:tests.support.blocking:block",
        "effect": "read",
    }
    told.write_text(yaml.safe_dump(spec), "utf-8")
    return target


async def test_a_blocked_loop(tmp_path: Path) -> None:
    folder = with_a_blocking_function(tmp_path)
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        process(tmp_path, DEEPGRAM_AGENT_URL=deepgram.url, BRIDGE_AGENTS_DIR=str(folder), **MANY) as server,
        client(server.ws) as talker,
    ):
        await talker.settle()
        agent = await deepgram.session()
        await agent.hear("block")
        assert await agent.expect_answer(await agent.call("block")) == "Done."
        await refused(server, "loop_late", "too busy")
        await agent.say("Those who talk go on talking.")
        await talker.expect_text("assistant", "go on talking")
        await accepted(server)


async def test_sockets_that_run_out(tmp_path: Path) -> None:
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        process(tmp_path, DEEPGRAM_AGENT_URL=deepgram.url, **MANY) as server,
    ):
        pid, address = server.process.pid, server.address.split(":")
        most = len(os.listdir(f"/proc/{pid}/fd")) + 80
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, most))
        more = most * 9 // 10 - (most - 80)
        idle = [(await asyncio.open_connection(*address))[1] for _ in range(more)]
        await refused(server, "descriptors", "no sockets")
        for writer in idle:
            writer.close()
        await accepted(server)


async def test_a_full_journal(tmp_path: Path) -> None:
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        process(tmp_path, DEEPGRAM_AGENT_URL=deepgram.url, BRIDGE_JOURNAL_QUOTA_MB="1", **MANY) as server,
        client(server.ws) as talker,
    ):
        await talker.settle()
        agent = await deepgram.session()
        with closing(sqlite3.connect(tmp_path / "bridge.db", isolation_level=None, timeout=10)) as store:
            store.execute("BEGIN IMMEDIATE")  # nobody else can write
            for n in range(10):
                await agent.agent_text(f"{n} " + "x" * 98_000)
            await talker.expect_text("assistant", "9 xxx")
            await refused(server, "journal_full", "journal is nearly full")
            store.execute("ROLLBACK")
        await accepted(server)


async def test_an_agent_that_takes_no_more(tmp_path: Path) -> None:
    room = {"BRIDGE_AGENT_SESSIONS": "1", "BRIDGE_AGENT_QUEUE": "1"}
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        process(tmp_path, DEEPGRAM_AGENT_URL=deepgram.url, **MANY, **room) as server,
        client(server.ws) as first,
    ):
        await first.settle()
        agent = await deepgram.session()
        async with client(server.ws) as second, asyncio.TaskGroup() as group:
            settled = group.create_task(second.settle())
            assert (await second.expect("Warning"))["code"] == "BRIDGE_UPSTREAM_BUSY"
            await refused(server, "agent_full", "no room for one more talk")
            assert not settled.done()
            await agent.say("Goodbye.")
            await first.expect_text("assistant", "Goodbye.")
            await first.socket.close()
            await settled
        await accepted(server)
