"""What holds after every scenario: nothing of anybody is left in the servers, and none of them is left."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from persistence import journal_file
from tests.chaos.servers import nothing_left, server, unsaved
from tests.support.bridge import process
from tests.support.client import client, start
from tests.support.deepgram import ScriptedDeepgram


async def test_a_server_that_keeps_a_session_is_found_out(tmp_path: Path) -> None:
    found = pytest.RaisesExc(AssertionError, match="is left in the server")
    with pytest.RaisesGroup(found, flatten_subgroups=True):
        # Who was dropped may come back for half a minute.
        await _talk_once(tmp_path, patience=0.5, drops=True)


async def test_a_server_whose_talks_have_ended_is_as_it_was_before(tmp_path: Path) -> None:
    await _talk_once(tmp_path, patience=15.0, drops=False)


async def _talk_once(folder: Path, *, patience: float, drops: bool) -> None:
    async with ScriptedDeepgram(key=None) as deepgram:
        variables = {"DEEPGRAM_AGENT_URL": deepgram.url}
        async with server(folder, variables, patience=patience) as running:
            begun = await start(running.http)
            async with client(running.ws, token=str(begun["token"])) as talker:
                await talker.settle()
                if drops:
                    talker.socket.transport.abort()


async def test_a_task_that_is_left_behind_is_found(tmp_path: Path) -> None:
    left = nothing_left(tmp_path)
    await left.__aenter__()
    forgotten = asyncio.create_task(asyncio.Event().wait(), name="forgotten")
    with pytest.raises(AssertionError, match=r"tasks are left: .*forgotten"):
        await left.__aexit__(None, None, None)
    forgotten.cancel()


async def test_a_server_that_is_left_behind_is_found(tmp_path: Path) -> None:
    async with process(tmp_path / "data"):
        left = nothing_left(tmp_path, patience=0.1)
        await left.__aenter__()
        with pytest.raises(AssertionError, match="processes are left"):
            await left.__aexit__(None, None, None)


def test_an_entry_that_only_a_journal_has_is_found(tmp_path: Path) -> None:
    file = journal_file.create(tmp_path, "left", "disk")
    for number in (1, 2):
        journal_file.inserting(number, "c", b"{}")(file.connection)
    file.connection.execute("UPDATE entries SET flushed_at = 1 WHERE seq = 1")
    file.release()
    assert unsaved(tmp_path) == 1


def test_all_scenarios_start_their_servers_where_that_is_looked_at() -> None:
    starts = re.compile(r"^from tests\.support\.bridge import .*\bprocess\b", re.MULTILINE)
    modules = Path(__file__).parent.glob("[!t]*.py")
    assert [module.name for module in modules if starts.search(module.read_text())] == ["servers.py"]
