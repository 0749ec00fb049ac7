"""What a talk leaves in the metrics: how long the answer took, what waits, what was opened again."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.flows.test_quotas import server
from tests.support.client import client, metrics

PAUSE_SECONDS = 0.3


async def test_the_first_sound_of_an_answer_is_measured_where_it_is_sent(tmp_path: Path) -> None:
    async with server(tmp_path) as (up, deepgram), client(up.ws) as talker:
        await talker.settle()
        agent = await deepgram.session()
        for _ in range(2):
            talker.forget()
            await agent.user_starts()
            await agent.hear("how are you", end_of_turn=True)
            await talker.expect_text("user", "how are you")
            await asyncio.sleep(PAUSE_SECONDS)
            await agent.audio_out(160)
            await agent.say("Fine.")
            await talker.expect("AgentAudioDone")
        figures = await metrics(up.http)
    name, agent_label = "bridge_first_sound_seconds", '{agent="flux"}'
    assert figures[f"{name}_count{agent_label}"] == 2
    assert 2 * PAUSE_SECONDS <= figures[f"{name}_sum{agent_label}"] < 2 * PAUSE_SECONDS + 1


async def test_an_agent_that_is_lost_is_counted_when_it_is_opened_again(tmp_path: Path) -> None:
    async with server(tmp_path) as (up, deepgram), client(up.ws) as talker:
        await talker.settle()
        await (await deepgram.session()).close(1011)
        await talker.expect("Warning", lambda frame: frame["code"] == "BRIDGE_UPSTREAM_RESUMED")
        figures = await metrics(up.http)
    assert figures['bridge_agent_opened_total{upstream="deepgram"}'] == 2
    assert figures['bridge_agent_reopened_total{upstream="deepgram"}'] == 1
    assert figures['bridge_agent_lost_total{code="1011",upstream="deepgram"}'] == 1


async def test_what_waits_for_the_store_has_a_number_and_an_age(tmp_path: Path) -> None:
    async with server(tmp_path) as (up, deepgram), client(up.ws) as talker:
        await talker.settle()
        agent = await deepgram.session()
        wish = {"isolation_level": None, "timeout": 10, "check_same_thread": False}
        with closing(sqlite3.connect(tmp_path / "bridge.db", **wish)) as store:  # type: ignore[call-overload]
            await asyncio.to_thread(store.execute, "BEGIN IMMEDIATE")  # the server, in this loop, may write
            for n in range(3):
                await agent.agent_text(f"line {n}")
            await talker.expect_text("assistant", "line 2")
            await asyncio.sleep(PAUSE_SECONDS)
            waiting = await metrics(up.http)
            store.execute("ROLLBACK")
        assert waiting["bridge_journal_entries"] == 3
        assert waiting["bridge_journal_age_seconds"] >= PAUSE_SECONDS
        async with asyncio.timeout(10):
            while (figures := await metrics(up.http))["bridge_journal_entries"]:  # noqa: ASYNC110 - over there
                await asyncio.sleep(0.05)
    assert figures["bridge_journal_age_seconds"] == 0
    assert figures["bridge_flush_lag_seconds"] >= PAUSE_SECONDS
