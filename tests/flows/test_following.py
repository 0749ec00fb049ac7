"""Conversations followed at real servers: at one that stops, and at another than where they live."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx2

from tests.flows.test_nodes import pair
from tests.support.bridge import process, running
from tests.support.client import client, start
from tests.support.deepgram import ScriptedDeepgram
from tests.support.following import following


def at(address: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=address, trust_env=False)


async def test_readers_are_let_go_when_the_server_stops(tmp_path: Path) -> None:
    async with process(tmp_path) as server, at(server.http) as http:
        begun = await start(server.http)
        async with following(http, str(begun["conversation_id"])) as reader:
            asked = asyncio.get_running_loop().time()
            server.process.terminate()
            assert await reader.next() is None
            assert await server.terminate() == 0
        assert asyncio.get_running_loop().time() - asked < 4  # uvicorn would have waited for 5 s
    assert not [line for line in server.lines if line.get("level") in ("warning", "error")]


OF_TOMORROW = """
INSERT INTO entries (conversation_id, epoch, idx, user_id, at, kind, content, interrupted, detail)
SELECT id, 1, 7, user_id, started_at, 'of tomorrow', '', FALSE, '{}' FROM conversations
"""


async def test_an_entry_that_cannot_be_read_ends_the_reader_and_nobody_else(tmp_path: Path) -> None:
    """A newer version at another node may write such."""
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        running(tmp_path, upstream="deepgram", deepgram_agent_url=deepgram.url) as server,
        at(server.http) as http,
    ):
        begun = await start(server.http)
        async with (
            client(server.ws, token=str(begun["token"])) as talker,
            following(http, str(begun["conversation_id"])) as reader,
        ):
            await talker.settle()
            agent = await deepgram.session()
            await agent.hear("one")
            assert await reader.said(1) == ["one"]
            await asyncio.to_thread(_write, tmp_path / "bridge.db", OF_TOMORROW)
            assert await reader.next() is None
            await agent.hear("two")
            await talker.expect_text("user", "two")
        assert (await http.get("/ready")).status_code == 200


def _write(database: Path, sql: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(sql)
        connection.commit()


async def test_a_conversation_is_followed_at_any_server(tmp_path: Path, postgres_url: str) -> None:
    async with ScriptedDeepgram(key=None) as deepgram, pair(tmp_path, deepgram, postgres_url) as (one, two):
        begun = await start(one.http)
        async with (
            client(one.ws, token=str(begun["token"])) as talker,
            at(two.http) as http,
            following(http, str(begun["conversation_id"])) as reader,
        ):
            await talker.settle()
            agent = await deepgram.session()
            for text in ("one", "two", "three"):
                await agent.hear(text)
                assert await reader.said(1) == [text]
