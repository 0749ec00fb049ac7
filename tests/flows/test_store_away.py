"""The store is away: the talk goes on, what was asked is noted, and is done once when the store is back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2

from tests.flows.test_deepgram import GOAL
from tests.support.bridge import Process, process, running
from tests.support.client import Client, Frame, client, items, start
from tests.support.deepgram import DeepgramSession, ScriptedDeepgram
from tests.support.postgres import PostgresServer
from tests.support.proxy import proxy

ANSWER_SECONDS = 2.0
"""The aim is 1.5 s; a loaded machine gets a little more."""
SLOW_SECONDS = 0.15
"""Each way; a call asks the store a dozen times."""


@asynccontextmanager
async def talking(
    folder: Path, deepgram: ScriptedDeepgram, url: str, **variables: str
) -> AsyncIterator[tuple[Process, Client, DeepgramSession, str]]:
    """A server on that PostgreSQL, with a talk under way: also the conversation's id."""
    variables = {"DEEPGRAM_AGENT_URL": deepgram.url, "DATABASE_URL": url, **variables}
    async with process(folder, **variables) as server:
        begun = await start(server.http)
        async with client(server.ws, token=str(begun["token"])) as talker:
            await talker.settle()
            yield server, talker, await deepgram.session(), str(begun["conversation_id"])


async def ask(agent: DeepgramSession, talker: Client, statement: str) -> dict[str, Any]:
    """Have a goal made; what the client is shown of it."""
    await agent.hear(f"I want to {statement}")
    began = time.monotonic()
    call = await agent.call("submit_goal_intent", **{**GOAL, "goal_statement": statement})
    assert await agent.expect_answer(call)
    assert time.monotonic() - began < ANSWER_SECONDS
    return dict(await talker.expect("FunctionCallResponse", lambda x: x["id"] == call))


async def expect_done(talker: Client, call: object) -> Frame:
    """The news that a noted call was run."""
    return await talker.expect("FunctionCallResponse", lambda x: x["id"] == call and x["status"] == "done")


async def until(done: Callable[[], Awaitable[bool]], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not await done():  # noqa: ASYNC110 — another process tells nobody
            await asyncio.sleep(0.05)


async def statements(server: Process) -> list[str]:
    return sorted(str(goal["statement"]) for goal in await items(server.http, "/api/v1/goals"))


async def results(server: Process, conversation: str) -> list[tuple[object, object]]:
    """Status and sentence of each result, as the store has it."""
    entries = await items(server.http, f"/api/v1/conversations/{conversation}/messages?limit=200")
    return [(entry["status"], entry["content"]) for entry in entries if entry["kind"] == "result"]


async def test_what_is_asked_meanwhile_is_noted_and_done_once(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        talking(tmp_path, deepgram, postgres_url) as (server, talker, agent, conversation),
    ):
        assert (await ask(agent, talker, "swim"))["status"] == "done"
        await asyncio.to_thread(postgres_server.stop)
        try:
            shown = [await ask(agent, talker, wish) for wish in ("sing", "ski")]
            assert [one["status"] for one in shown] == ["noted", "noted"]
            assert shown[0]["content"] == "I've noted that, and I'll save it in a moment."
        finally:
            postgres_server.start()  # not in a thread: it ends with the thread that started it
        for one in shown:
            again = await expect_done(talker, one["id"])
            assert again["cursor"] == one["cursor"]
        assert await statements(server) == ["sing", "ski", "swim"]
        assert [status for status, _ in await results(server, conversation)] == ["done"] * 3


async def test_what_was_noted_is_done_though_the_server_is_killed_before_the_store_is_back(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with ScriptedDeepgram(key=None) as deepgram:
        async with talking(tmp_path, deepgram, postgres_url) as (server, talker, agent, _):
            await asyncio.to_thread(postgres_server.stop)
            try:
                assert (await ask(agent, talker, "sing"))["status"] == "noted"
                await server.kill()
            finally:
                postgres_server.start()  # not in a thread: it ends with the thread that started it
            await talker.expect_close()
        variables = {"DEEPGRAM_AGENT_URL": deepgram.url, "DATABASE_URL": postgres_url}
        async with process(tmp_path, **variables) as server:

            async def sung() -> bool:
                return await statements(server) == ["sing"]

            await until(sung)


async def test_a_store_that_hangs_is_as_good_as_away(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        talking(tmp_path, deepgram, postgres_url) as (server, talker, agent, _),
    ):
        assert (await ask(agent, talker, "swim"))["status"] == "done"
        with postgres_server.frozen():
            assert (await ask(agent, talker, "sing"))["status"] == "noted"
            assert (await ask(agent, talker, "sing"))["status"] == "noted"

        async def both() -> bool:
            return await statements(server) == ["sing", "swim"]

        await until(both)
        await talker.expect("FunctionCallResponse", lambda x: x["status"] == "done" and "sing" in str(x))
        assert await statements(server) == ["sing", "swim"]


async def test_a_store_that_is_slow_holds_up_no_answer_no_line_and_no_sound(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with ScriptedDeepgram(key=None) as deepgram, proxy(postgres_server.port) as way:
        slow = postgres_url.replace(f"127.0.0.1:{postgres_server.port}", way.address)
        async with talking(tmp_path, deepgram, slow) as (server, talker, agent, conversation):
            way.slow_down(SLOW_SECONDS)
            shown = [await ask(agent, talker, wish) for wish in ("sing", "ski")]
            assert [one["status"] for one in shown] == ["noted", "noted"]
            began = time.monotonic()
            await agent.agent_text("and so on")
            await talker.expect_text("assistant", "and so on")
            await agent.audio_out(200)
            await talker.expect_sound(1000)
            assert time.monotonic() - began < 4 * SLOW_SECONDS  # one question to the store takes half of it
            way.slow_down(0)
            for one in shown:
                await expect_done(talker, one["id"])
            assert await statements(server) == ["sing", "ski"]
            assert [status for status, _ in await results(server, conversation)] == ["done"] * 2


async def test_a_table_that_somebody_locks_is_waited_for_by_nobody(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        talking(tmp_path, deepgram, postgres_url) as (server, talker, agent, conversation),
    ):
        other = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
        async with other.transaction():
            await other.execute("LOCK TABLE goals IN ACCESS EXCLUSIVE MODE")
            shown = await ask(agent, talker, "sing")
            assert shown["status"] == "noted"
        await other.close()
        await expect_done(talker, shown["id"])
        assert await statements(server) == ["sing"]
        assert [status for status, _ in await results(server, conversation)] == ["done"]


async def test_a_session_that_ends_while_tables_are_missing_leaves_the_server_as_it_is(
    tmp_path: Path, postgres_url: str
) -> None:
    async with running(tmp_path, database_url=postgres_url) as server, httpx2.AsyncClient() as http:
        begun = await start(server.http)
        async with without_table(postgres_url, "leases"):
            ended = await http.delete(f"{server.http}/api/v1/voice/session/{begun['session_id']}")
            assert ended.status_code == 200
        assert (await start(server.http))["session_id"]


@asynccontextmanager
async def without_table(url: str, name: str) -> AsyncIterator[None]:
    """As while a backup is restored."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"ALTER TABLE {name} RENAME TO {name}_away")
        yield
    finally:
        await connection.execute(f"ALTER TABLE {name}_away RENAME TO {name}")
        await connection.close()
