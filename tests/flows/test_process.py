"""The server as a process: killed, told to stop, started again on what the one before left."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx2

from tests.support.bridge import environment_for, process
from tests.support.client import client, items, start
from tests.support.deepgram import ScriptedDeepgram


async def test_what_was_seen_survives_a_kill(tmp_path: Path) -> None:
    async with ScriptedDeepgram(key=None) as deepgram:
        async with process(tmp_path, DEEPGRAM_AGENT_URL=deepgram.url) as server:
            begun = await start(server.http)
            async with client(server.ws, token=str(begun["token"])) as talker:
                await talker.settle()
                agent = await deepgram.session()
                for number in range(20):
                    await agent.agent_text(f"line {number}.")
                await talker.expect_text("assistant", "line 9.")
                await server.kill()
                await talker.expect_close()
                seen = [str(x["content"]) for x in talker.frames if x["type"] == "ConversationText"]
        async with process(tmp_path, DEEPGRAM_AGENT_URL=deepgram.url) as server:
            stored = await items(server.http, f"/api/v1/conversations/{begun['conversation_id']}/messages")
            assert "journal_adopted" in {line["event"] for line in server.lines}
    texts = [str(entry["content"]) for entry in stored]
    assert len(seen) >= 10
    assert texts[: len(seen)] == seen
    assert texts == [f"line {number}." for number in range(len(texts))]


async def test_a_server_that_is_told_to_stop_tells_its_clients_and_keeps_everything(tmp_path: Path) -> None:
    async with ScriptedDeepgram(key=None) as deepgram:
        async with process(tmp_path, DEEPGRAM_AGENT_URL=deepgram.url) as server:
            begun = await start(server.http)
            async with client(server.ws, token=str(begun["token"])) as talker:
                await talker.settle()
                agent = await deepgram.session()
                await agent.hear("one")
                await agent.say("two")
                await talker.expect_text("assistant", "two")
                assert await server.terminate() == 0
                warning = await talker.expect("Warning")
                assert warning["code"] == "BRIDGE_GOING_AWAY"
                assert await talker.expect_close() == 1012
        assert server.lines[-1]["event"] == "server_stopped"
        assert [path.name for path in tmp_path.iterdir()] == ["bridge.db"]
        async with process(tmp_path, DEEPGRAM_AGENT_URL=deepgram.url) as server:
            stored = await items(server.http, f"/api/v1/conversations/{begun['conversation_id']}/messages")
    assert [entry["content"] for entry in stored] == ["one", "two"]


async def test_the_turn_under_way_comes_to_its_end_first_and_nobody_new_is_let_in(tmp_path: Path) -> None:
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        process(tmp_path, DEEPGRAM_AGENT_URL=deepgram.url) as server,
        httpx2.AsyncClient(base_url=server.http) as http,
    ):
        begun = await start(server.http)
        async with client(server.ws, token=str(begun["token"])) as talker:
            await talker.settle()
            agent = await deepgram.session()
            await agent.hear("I want to learn Spanish")
            server.process.send_signal(signal.SIGTERM)
            await server.logged("draining")

            refused = await http.post("/api/v1/voice/session", json={})
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            assert (await http.get("/ready")).status_code == 503

            await agent.expect_answer(await agent.call("submit_goal_intent", goal_statement="learn Spanish"))
            await agent.say("Your goal is saved.")
            await talker.expect_text("assistant", "Your goal is saved.")
            await talker.expect("AgentAudioDone")
            warning = await talker.expect("Warning")
            assert warning["code"] == "BRIDGE_GOING_AWAY"
            assert await talker.expect_close() == 1012
            types = talker.types()
        assert await server.process.wait() == 0
    assert types.index("AgentAudioDone") < types.index("Warning")


async def test_a_second_signal_does_not_wait_for_the_turn(tmp_path: Path) -> None:
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        process(tmp_path, DEEPGRAM_AGENT_URL=deepgram.url, BRIDGE_DRAIN_SECONDS="600") as server,
    ):
        begun = await start(server.http)
        async with client(server.ws, token=str(begun["token"])) as talker:
            await talker.settle()
            await (await deepgram.session()).hear("one")
            server.process.send_signal(signal.SIGTERM)
            await server.logged("draining")
            assert await server.terminate() == 0
            assert await talker.expect_close() == 1012


async def test_patience_with_a_turn_has_its_end(tmp_path: Path) -> None:
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        process(tmp_path, DEEPGRAM_AGENT_URL=deepgram.url, BRIDGE_DRAIN_SECONDS="1") as server,
    ):
        begun = await start(server.http)
        async with client(server.ws, token=str(begun["token"])) as talker:
            await talker.settle()
            await (await deepgram.session()).hear("one")
            assert await server.terminate() == 0
            assert await talker.expect_close() == 1012


async def test_whoever_does_not_read_the_log_stops_no_talk(tmp_path: Path) -> None:
    async with ScriptedDeepgram(key=None) as deepgram:
        variables = {"DEEPGRAM_AGENT_URL": deepgram.url, "BRIDGE_SESSIONS_PER_USER": "1000"}
        command = [sys.executable, "-m", "bridge", "serve"]
        with subprocess.Popen(
            command, env=environment_for(tmp_path, variables), stdout=subprocess.PIPE
        ) as server:
            assert server.stdout
            ready = next(line for line in server.stdout if b"server_ready" in line)
            address = str(json.loads(ready)["page"]).removeprefix("http://").rstrip("/")
            for _ in range(100):  # more lines than a pipe holds
                async with client(f"ws://{address}/v1/agent/converse") as talker:
                    await talker.settle()
            server.terminate()
            said = await asyncio.to_thread(server.stdout.read)
    assert len(said) > 100_000
    assert json.loads(said.splitlines()[-1])["event"] == "server_stopped"
    assert server.returncode == 0
