"""`voice-bridge check` and `voice-bridge conversations`, run as an operator runs them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from bridge.commands.check import sound
from bridge.core.model import Message, Role
from bridge.sockets import straight
from persistence.record import open_record
from tests.bridge.routes.front import Front
from tests.support.bridge import environment_for
from tests.support.deepgram import ScriptedDeepgram
from tests.support.postgres import empty_postgres_url, postgres_server, postgres_url

__all__ = ["empty_postgres_url", "postgres_server", "postgres_url"]

KEY = "a-secret-key-of-ours"


async def run(folder: Path, *command: str, **variables: str) -> tuple[int | None, str, str]:
    """Exit status, output, errors."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", *command),
        env=environment_for(folder, variables),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await child.communicate()
    return child.returncode, out.decode(), err.decode()


async def check(folder: Path, **variables: str) -> tuple[int | None, dict[str, Any]]:
    """Exit status, and what was found, by name."""
    status, out, err = await run(folder, "check", "--json", **variables)
    assert err == ""
    assert KEY not in out
    told = json.loads(out)
    assert told["ok"] is (status == 0)
    return status, {one["name"]: one for one in told["checks"]}


async def test_all_is_well_and_nothing_is_changed(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with ScriptedDeepgram(key=KEY) as deepgram:
        given = {"DEEPGRAM_API_KEY": KEY, "DEEPGRAM_AGENT_URL": deepgram.url}
        status, found = await check(folder, **given)
    assert status == 0
    assert set(found) == {"settings", "agents", "data folder", "sound", "database", "agent"}
    assert found["agents"]["found"] == "flux, pantry"
    compiled = not straight.__file__.endswith(".py")
    assert found["sound"]["found"].startswith("compiled" if compiled else "passes through Python")
    assert "will be made at the start" in found["database"]["found"]
    assert found["agent"]["found"] == "127.0.0.1 answers"
    assert not folder.exists()


def test_what_was_compiled_of_older_source_is_a_fault(tmp_path: Path) -> None:
    made, written = tmp_path / "straight.cpython-311.so", tmp_path / "straight.py"
    made.touch()
    written.touch()
    os.utime(made, (2, 2))
    os.utime(written, (1, 1))
    assert (sound([made]).ok, sound([made]).found) == (True, "compiled")
    os.utime(written, (3, 3))
    assert (sound([made]).ok, sound([made]).advice) == (False, "make compile")


async def test_it_says_of_each_fault_what_to_do(tmp_path: Path) -> None:
    async with ScriptedDeepgram(key="another") as deepgram:
        given = {"DEEPGRAM_API_KEY": KEY, "DEEPGRAM_AGENT_URL": deepgram.url, "BRIDGE_AGENT": "nobody"}
        status, found = await check(tmp_path, **given, DATABASE_URL="postgresql://u:p@127.0.0.1:1/none")
    assert status == 1
    wrong = {name for name, one in found.items() if not one["ok"]}
    assert wrong == {"agents", "database", "agent"}
    assert all(found[name]["advice"] for name in wrong)
    assert "HTTP 401" in found["agent"]["found"]
    assert "flux, pantry" in found["agents"]["advice"]


async def test_settings_that_cannot_be_read_have_a_status_of_their_own(tmp_path: Path) -> None:
    status, out, _ = await run(tmp_path, "check", PORT="many")
    assert status == 2
    assert out.startswith("FAULT settings: environment: PORT: ")
    assert "→" in out


async def test_tables_are_looked_at_and_left_alone(
    tmp_path: Path, postgres_url: str, empty_postgres_url: str
) -> None:
    agent = {"BRIDGE_UPSTREAM": "local"}
    _, found = await check(tmp_path, DATABASE_URL=postgres_url, **agent)
    assert found["database"]["found"].startswith("PostgreSQL, tables as of ")
    for _ in range(2):
        _, found = await check(tmp_path, DATABASE_URL=empty_postgres_url, **agent)
        assert found["database"]["found"] == "PostgreSQL, no tables: brought up to date at the start"


async def test_a_folder_nobody_can_write_to_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, found = await check(tmp_path / "file", BRIDGE_UPSTREAM="local")
    assert (status, found["data folder"]["ok"]) == (1, False)


async def remembered(folder: Path, users: dict[str, list[str]]) -> list[str]:
    """Ids of conversations that are in the database of that folder, a user's line each."""
    ids = []
    folder.mkdir(exist_ok=True)
    async with open_record(f"sqlite:///{folder}/bridge.db", folder) as record:
        bridge = Front("", None, None, record)  # type: ignore[arg-type]
        for user, lines in users.items():
            for line in lines:
                claim = await bridge.remember(Message(Role.USER, line), user_id=user)
                ids.append(claim.conversation.id)
                await record.flusher.settle(claim.conversation.id)
    return ids


async def test_conversations_are_listed_in_parts_and_by_user(tmp_path: Path) -> None:
    ids = await remembered(tmp_path, {"user-ada": ["one", "two", "three"], "user-bob": ["four"]})
    listed: list[str] = []
    more: list[str] = []
    while True:
        status, out, _ = await run(tmp_path, "conversations", "ls", "--json", "--limit", "3", *more)
        assert status == 0
        part = json.loads(out)
        listed += [one["id"] for one in part["items"]]
        if part["next"] is None:
            break
        more = ["--after", part["next"]]
    assert listed == ids[::-1]
    _, out, err = await run(tmp_path, "conversations", "ls", "--user", "user-bob")
    assert [line.split()[0] for line in out.splitlines()] == ids[3:]
    assert err == ""
    _, out, err = await run(tmp_path, "conversations", "ls", "--limit", "1")
    assert (len(out.splitlines()), err.startswith("more: --after ")) == (1, True)


async def test_one_is_shown_and_exported(tmp_path: Path) -> None:
    [one] = await remembered(tmp_path, {"user-ada": ["I want to learn Spanish"]})
    status, out, _ = await run(tmp_path, "conversations", "show", one)
    assert status == 0
    assert "> I want to learn Spanish" in out
    file = tmp_path / "one.json"
    status, out, _ = await run(tmp_path, "conversations", "export", one, "--output", str(file))
    assert (status, out) == (0, "")
    assert json.loads(file.read_text())["messages"][0]["content"] == "I want to learn Spanish"
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("command", [["show", "nothing"], ["export", "nothing"], ["ls", "--after", "x"]])
async def test_what_is_not_there_is_said_in_a_line(tmp_path: Path, command: list[str]) -> None:
    await remembered(tmp_path, {"user-ada": ["one"]})
    status, out, err = await run(tmp_path, "conversations", *command)
    assert (status, out) == (1, "")
    assert err.startswith("voice-bridge: ")
    assert len(err.splitlines()) == 1


async def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    status, _, err = await run(tmp_path, "conversations", "ls")
    assert status == 2
    assert "there is no file" in err
    assert list(tmp_path.iterdir()) == []
