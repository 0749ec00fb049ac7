"""What a flow must not log is found when it is logged: by a server in the test, and by one of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog

from tests.support.bridge import process, running
from tests.support.client import client, start
from tests.support.deepgram import ScriptedDeepgram
from tests.support.planted import Planted, watched

SAID = 'there is a "rash" on my élbow'


async def talk(http: str, ws: str, deepgram: ScriptedDeepgram) -> str:
    begun = await start(http)
    async with client(ws, token=str(begun["token"])) as talker:
        await talker.settle()
        agent = await deepgram.session()
        await agent.hear(SAID)
        await talker.expect_text("user", "rash")
        ready = await talker.expect("BridgeReady")
    return str(ready["resume_token"])


async def test_what_is_said_and_given_in_a_test_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with watched(monkeypatch) as planted:
        async with ScriptedDeepgram() as deepgram:
            given = {"deepgram_agent_url": deepgram.url, "deepgram_api_key": "test-key"}
            async with running(tmp_path, upstream="deepgram", **given) as server:
                token = await talk(server.http, server.ws, deepgram)
        assert planted.lines
        assert planted.found() == []
        for secret in (SAID, token):
            structlog.get_logger().debug("leak", what=secret)
            assert len(planted.found()) == 1
            planted.lines.pop()


async def test_a_process_tells_all_it_can_and_is_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with watched(monkeypatch) as planted:
        async with process(tmp_path, BRIDGE_UPSTREAM="local") as server:
            await server.terminate()
        planted.words.add("server_stopped")
        assert len(planted.found()) == 1


def test_a_pin_is_not_found_in_other_digits() -> None:
    planted = Planted(words={"483920"})
    planted.lines = ['{"at":"2026-11-02T13:30:00.483920Z"}', '{"id":"a483920b"}']
    assert planted.found() == []
    planted.lines.append('{"what":"483920"}')
    assert len(planted.found()) == 1
