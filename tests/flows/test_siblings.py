"""Two servers on one data folder: what a killed one has not flushed, the other flushes within seconds."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tests.flows.test_store_away import talking
from tests.persistence.build import until
from tests.support.bridge import process
from tests.support.client import items
from tests.support.deepgram import ScriptedDeepgram
from tests.support.postgres import PostgresServer

SECONDS = 5.0


async def test_a_living_server_flushes_what_a_killed_one_left(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        process(tmp_path, DEEPGRAM_AGENT_URL=deepgram.url, DATABASE_URL=postgres_url) as living,
        talking(tmp_path, deepgram, postgres_url) as (dying, talker, agent, conversation),
    ):
        await asyncio.to_thread(postgres_server.stop)
        try:
            for number in range(30):
                await agent.agent_text(f"line {number}.")
            await talker.expect_text("assistant", "line 29.")
            await dying.kill()
        finally:
            postgres_server.start()  # not in a thread: it ends with the thread that started it
        began = time.monotonic()
        await until(lambda: "journal_adopted" in {line["event"] for line in living.lines}, seconds=SECONDS)
        stored = await items(living.http, f"/api/v1/conversations/{conversation}/messages")
        assert time.monotonic() - began < SECONDS
        assert [entry["content"] for entry in stored] == [f"line {number}." for number in range(30)]
