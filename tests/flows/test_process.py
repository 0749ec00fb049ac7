"""The server as a process: killed, told to stop, started again on what the one before left."""

from __future__ import annotations

from pathlib import Path

from tests.support.bridge import process
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
                await (await deepgram.session()).hear("one")
                await talker.expect_text("user", "one")
                assert await server.terminate() == 0
                warning = await talker.expect("Warning")
                assert warning["code"] == "BRIDGE_GOING_AWAY"
                assert await talker.expect_close() == 1012
        assert server.lines[-1]["event"] == "server_stopped"
        assert [path.name for path in tmp_path.iterdir()] == ["bridge.db"]
        async with process(tmp_path, DEEPGRAM_AGENT_URL=deepgram.url) as server:
            stored = await items(server.http, f"/api/v1/conversations/{begun['conversation_id']}/messages")
    assert [entry["content"] for entry in stored] == ["one"]
