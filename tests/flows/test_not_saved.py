"""What cannot be made durable is not shown and not done, and that is said; afterwards all goes on."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from bridge.core.calls import UNSAVED
from tests.flows.test_bad_start import refused
from tests.flows.test_deepgram import GOAL
from tests.flows.test_store_away import ask, statements, talking
from tests.persistence.build import until
from tests.support.client import Client, items
from tests.support.deepgram import DeepgramSession, ScriptedDeepgram
from tests.support.postgres import PostgresServer

LINE = 60_000
"""Characters; a journal of 1 MiB takes 17 such lines."""


async def _refused_call(agent: DeepgramSession) -> None:
    """A call is answered in words, and at once, that it was not done."""
    call = await agent.call("submit_goal_intent", **GOAL)
    assert await agent.expect_answer(call, within=10) == UNSAVED


async def _expect_sound(agent: DeepgramSession, talker: Client) -> None:
    talker.forget()
    await agent.audio_out(200)
    await talker.expect_sound(1000)


async def test_a_full_journal_refuses_in_words_and_recovers_when_the_store_is_back(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        talking(tmp_path, deepgram, postgres_url, BRIDGE_JOURNAL_QUOTA_MB="1") as (
            server,
            talker,
            agent,
            conversation,
        ),
    ):
        assert (await ask(agent, talker, "swim"))["status"] == "done"
        await asyncio.to_thread(postgres_server.stop)
        try:
            for line in ("x" * LINE, "y" * 1000, "y"):
                for _ in range(40):
                    await agent.agent_text(line)
            error = await talker.expect("Error")
            assert (error["code"], error["description"]) == (
                "BRIDGE_JOURNAL_FAILED",
                "What was said cannot be saved right now.",
            )
            await talker.expect("ConversationText", lambda _: _long_lines(talker) >= 15)
            await _refused_call(agent)
            await _expect_sound(agent, talker)
            await until(lambda: "store_away" in {line["event"] for line in server.lines})
        finally:
            postgres_server.start()  # not in a thread: it ends with the thread that started it
        async with asyncio.timeout(20):
            while (await _said(agent, talker))["type"] == "Error":
                pass
        assert (await ask(agent, talker, "sing"))["status"] == "done"
        assert await statements(server) == ["sing", "swim"]
        stored = await items(server.http, f"/api/v1/conversations/{conversation}/messages?limit=200")
        assert 15 <= sum(entry.get("content") == "x" * LINE for entry in stored) <= 17
        events = Counter(line["event"] for line in server.lines)
        assert {event: events[event] for event in ("journal_full", "journal_has_room", "store_away")} == {
            "journal_full": 1,
            "journal_has_room": 1,
            "store_away": 1,
        }


def _long_lines(talker: Client) -> int:
    return sum(frame.get("content") == "x" * LINE for frame in talker.frames)


async def _said(agent: DeepgramSession, talker: Client) -> dict[str, object]:
    """What the client gets when the agent says something."""
    talker.forget()
    await agent.agent_text("z" * LINE)
    async with asyncio.timeout(10):
        while not talker.frames:  # noqa: ASYNC110 — either of two kinds
            await asyncio.sleep(0.02)
    return talker.frames[0]


async def test_strict_shows_nothing_that_the_store_does_not_have(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        talking(tmp_path, deepgram, postgres_url, BRIDGE_DURABILITY="strict") as (server, talker, agent, _),
    ):
        assert (await ask(agent, talker, "swim"))["status"] == "done"
        await asyncio.to_thread(postgres_server.stop)
        try:
            await agent.agent_text("meanwhile")
            assert (await talker.expect("Error"))["code"] == "BRIDGE_JOURNAL_FAILED"
            assert "meanwhile" not in str(talker.frames)
            await _refused_call(agent)
            await _expect_sound(agent, talker)
        finally:
            postgres_server.start()  # not in a thread: it ends with the thread that started it
        talker.forget()
        await agent.agent_text("afterwards")
        await talker.expect_text("assistant", "afterwards")
        assert (await ask(agent, talker, "sing"))["status"] == "done"
        assert await statements(server) == ["sing", "swim"]


async def test_strict_on_sqlite_is_refused_at_the_start(tmp_path: Path) -> None:
    assert (await refused(tmp_path, BRIDGE_DURABILITY="strict")).startswith("BRIDGE_DURABILITY: strict needs")
