"""Several servers on one database: a conversation goes on at any of them, and has one owner."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from tests.support.bridge import Process, process, running
from tests.support.client import client, items, start
from tests.support.deepgram import ScriptedDeepgram


@asynccontextmanager
async def pair(folder: Path, deepgram: ScriptedDeepgram, url: str) -> AsyncIterator[tuple[Process, Process]]:
    """Two servers with journals of their own and one database."""
    variables = {"DEEPGRAM_AGENT_URL": deepgram.url, "DATABASE_URL": url}
    async with process(folder / "a", **variables) as one, process(folder / "b", **variables) as two:
        yield one, two


async def test_the_newest_owner_wins_and_the_one_before_is_told(tmp_path: Path, postgres_url: str) -> None:
    async with ScriptedDeepgram(key=None) as deepgram, pair(tmp_path, deepgram, postgres_url) as (one, two):
        begun = await start(one.http)
        async with client(one.ws, token=str(begun["token"])) as before:
            await before.settle()
            await (await deepgram.session()).hear("one")
            await before.expect_text("user", "one")
            again = await start(two.http, conversation_id=begun["conversation_id"])
            error = await before.expect("Error")
            assert error["code"] == "BRIDGE_TAKEN_OVER"
            assert await before.expect_close() == 1000
            async with client(two.ws, token=str(again["token"])) as after:
                await after.settle()
                await (await deepgram.session()).hear("two")
                await after.expect_text("user", "two")
        path = f"/api/v1/conversations/{begun['conversation_id']}/messages"
        assert [entry["content"] for entry in await items(two.http, path)] == ["one", "two"]


async def test_an_owner_that_stood_still_while_it_was_taken_over_has_no_effect_any_more(
    tmp_path: Path, postgres_url: str
) -> None:
    async with ScriptedDeepgram(key=None) as deepgram, pair(tmp_path, deepgram, postgres_url) as (one, two):
        begun = await start(one.http)
        path = f"/api/v1/conversations/{begun['conversation_id']}/messages"
        async with client(one.ws, token=str(begun["token"])) as before:
            await before.settle()
            agent = await deepgram.session()
            await agent.hear("I want to learn Spanish")
            async with asyncio.timeout(10):
                while not await items(two.http, path):  # noqa: ASYNC110 — the store tells nobody
                    await asyncio.sleep(0.02)
            one.process.send_signal(signal.SIGSTOP)
            try:
                again = await start(two.http, conversation_id=begun["conversation_id"])
                await agent.call("submit_goal_intent", goal_statement="learn Spanish")
                async with client(two.ws, token=str(again["token"])) as after:
                    await after.settle()
                    await (await deepgram.session()).hear("two")
                    await after.expect_text("user", "two")
            finally:
                one.process.send_signal(signal.SIGCONT)
            assert (await before.expect("Error"))["code"] == "BRIDGE_TAKEN_OVER"
            assert await before.expect_close() == 1000
        assert await one.terminate() == 0
        assert await items(two.http, "/api/v1/goals") == []
        said = [entry["content"] for entry in await items(two.http, path) if entry["kind"] == "message"]
        assert said == ["I want to learn Spanish", "two"]


async def test_a_token_of_one_server_is_honoured_by_the_other_once(tmp_path: Path, postgres_url: str) -> None:
    async with ScriptedDeepgram(key=None) as deepgram, pair(tmp_path, deepgram, postgres_url) as (one, two):
        begun = await start(one.http)
        token = str(begun["token"])
        store = await asyncpg.connect(postgres_url)
        kept = await store.fetchrow("SELECT *, extract(epoch FROM expires_at - now()) AS left FROM tickets")
        await store.close()
        assert kept
        assert 20 < kept["left"] <= 30
        assert token not in str(kept)
        async with client(two.ws, token=token) as talker:
            await talker.settle()
            ready = await talker.expect("BridgeReady")
            assert ready["conversation_id"] == begun["conversation_id"]
            await (await deepgram.session()).hear("one")
            await talker.expect_text("user", "one")
            for server in (one, two):
                with pytest.raises(InvalidStatus) as refused:
                    async with client(server.ws, token=token):
                        pass
                assert refused.value.response.status_code == 401
            assert talker.closed is None


async def test_a_conversation_goes_on_at_the_other_server_with_all_it_knew(
    tmp_path: Path, postgres_url: str
) -> None:
    async with ScriptedDeepgram(key=None) as deepgram, pair(tmp_path, deepgram, postgres_url) as (one, two):
        begun = await start(one.http)
        async with client(one.ws, token=str(begun["token"])) as talker:
            await talker.settle(greeting="x")
            agent = await deepgram.session()
            await agent.hear("I want to learn Spanish")
            await agent.expect_answer(await agent.call("submit_goal_intent", goal_statement="learn Spanish"))
            await agent.say("Saved.")
            await talker.expect_text("assistant", "Saved.")
            resume = str((await talker.expect("BridgeReady"))["resume_token"])
            path = f"/api/v1/conversations/{begun['conversation_id']}/messages"
            async with asyncio.timeout(10):
                while len(await items(two.http, path)) < 4:  # noqa: ASYNC110 — the store tells nobody
                    await asyncio.sleep(0.02)
            await one.kill()
        with pytest.raises(InvalidStatus) as refused:
            async with client(two.ws, token=resume):
                pass
        assert refused.value.response.status_code == 401
        again = await start(two.http, conversation_id=begun["conversation_id"])
        async with client(two.ws, token=str(again["token"])) as talker:
            await talker.settle(greeting="x")
            agent = await deepgram.session()
            told = agent.settings["agent"]
            assert isinstance(told, dict)
            assert "greeting" not in told
            known = told["context"]["messages"]
            said = [item["content"] for item in known if "content" in item]
            assert said == ["I want to learn Spanish", "Saved."]
            assert "learn Spanish" in str([item for item in known if "function_calls" in item])


async def test_two_servers_on_one_sqlite_file_find_it_out_too(tmp_path: Path) -> None:
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        pair(tmp_path, deepgram, f"sqlite:///{tmp_path}/shared.db") as (one, two),
    ):
        begun = await start(one.http)
        async with client(one.ws, token=str(begun["token"])) as before:
            await before.settle()
            await start(two.http, conversation_id=begun["conversation_id"])
            assert (await before.expect("Error"))["code"] == "BRIDGE_TAKEN_OVER"
            assert await before.expect_close() == 1000


async def test_a_token_of_a_page_is_honoured_from_that_page_only(tmp_path: Path, postgres_url: str) -> None:
    page, other = "https://app.example.com", "https://other.example.com"
    wish = {"database_url": postgres_url, "allowed_origins": (page, other)}
    async with running(tmp_path / "a", **wish) as one, running(tmp_path / "b", **wish) as two:
        async with httpx2.AsyncClient(trust_env=False) as http:
            asked = await http.post(f"{one.http}/api/v1/voice/session", headers={"Origin": page})
        offered = [Subprotocol("bearer"), Subprotocol(asked.json()["token"])]
        for wrong in (None, Origin(other)):
            for server in (one, two):
                with pytest.raises(InvalidStatus, match="401"):
                    await connect(server.ws, subprotocols=offered, origin=wrong, proxy=None)
        async with connect(two.ws, subprotocols=offered, origin=Origin(page), proxy=None):
            pass
