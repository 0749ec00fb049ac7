"""A failover loses the last transactions: what was said is there again, what was done is done again, once."""

from __future__ import annotations

from pathlib import Path

from tests.flows.test_store_away import ask, results, statements, talking, until
from tests.support.bridge import Process
from tests.support.client import items
from tests.support.deepgram import ScriptedDeepgram
from tests.support.postgres import PostgresServer


async def _lines(server: Process, path: str) -> list[tuple[object, ...]]:
    """Where each entry stands and what it says; a goal that is made again may have another number."""
    return [(x["cursor"], x["at"], x.get("content"), x.get("status")) for x in await items(server.http, path)]


async def test_what_was_said_and_done_in_the_lost_moment_is_there_again_once(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        talking(tmp_path, deepgram, postgres_url) as (server, talker, agent, conversation),
    ):
        path = f"/api/v1/conversations/{conversation}/messages?limit=200"
        assert (await ask(agent, talker, "swim"))["status"] == "done"
        assert await statements(server) == ["swim"]
        await items(server.http, path)  # all is in the store
        postgres_server.back_up()
        assert (await ask(agent, talker, "sing"))["status"] == "done"
        await agent.agent_text("Anything else?")
        await talker.expect_text("assistant", "anything else")
        said = await _lines(server, path)
        assert await statements(server) == ["sing", "swim"]

        postgres_server.lose()

        async def all_again() -> bool:
            return await statements(server) == ["sing", "swim"] and await _lines(server, path) == said

        await until(all_again)
        assert (await ask(agent, talker, "ski"))["status"] == "done"
        assert await statements(server) == ["sing", "ski", "swim"]
        assert [status for status, _ in await results(server, conversation)] == ["done"] * 3
        assert "store_lost_entries" in {line["event"] for line in server.lines}
