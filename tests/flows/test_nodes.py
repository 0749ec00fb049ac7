"""Several servers on one database: a conversation goes on at any of them, and has one owner."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.bridge import Process, process
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
