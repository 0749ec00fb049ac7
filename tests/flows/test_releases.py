"""The end of a session: the store learns of it, and when it was, also when it was away then."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from bridge.errors import StoreUnavailable
from bridge.live import releases
from bridge.ports import Store
from tests.persistence.build import until
from tests.support.bridge import running
from tests.support.deepgram import ScriptedDeepgram
from tests.support.postgres import PostgresServer

ENDED = """SELECT c.ended_at, c.duration_seconds, l.released = l.epoch AS released
           FROM conversations c JOIN leases l ON l.conversation_id = c.id"""


async def is_back(store: Store) -> bool:
    try:
        await store.person("u")
    except StoreUnavailable:
        await asyncio.sleep(0.05)
        return False
    return True


@pytest.mark.parametrize("restarted", [False, True])
async def test_an_end_the_store_was_away_for_is_told_when_it_is_back(
    postgres_server: PostgresServer,
    postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    restarted: bool,
) -> None:
    """`restarted`: our server ends before it looks again; it tells what is owed as it goes."""
    monkeypatch.setattr(releases, "RETRY_SECONDS", 3600 if restarted else 0.05)
    with capture_logs() as lines:
        async with (
            ScriptedDeepgram(key=None) as deepgram,
            running(tmp_path, database_url=postgres_url, deepgram_agent_url=deepgram.url) as up,
        ):
            sessions = up.app.sessions
            prepared = await sessions.prepare("u", agent=None, conversation_id=None)
            live = sessions.find("u", prepared.session_id)
            await asyncio.sleep(1.1)  # a whole second is counted
            postgres_server.stop()
            try:
                live.end("")
                await live.gone.wait()
                ended = sessions.now()
            finally:
                postgres_server.start()
            if restarted:
                while not await is_back(sessions.store):
                    pass
            else:
                await until(lambda: not len(sessions._releases))
    connection = await asyncpg.connect(postgres_url)
    try:
        [row] = await connection.fetch(ENDED)
    finally:
        await connection.close()
    assert row["released"]
    assert row["duration_seconds"] == 1
    assert 0 <= (ended - row["ended_at"]).total_seconds() < 20
    assert [line["event"] for line in lines].count("release_failed") == 1
