"""`voice-bridge serve` with something wrong from the start: a message with file and line, or a wait."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest
from websockets.exceptions import InvalidStatus

from bridge.settings import CONFIG
from tests.support.bridge import Process, process
from tests.support.client import client, get, start
from tests.support.deepgram import ScriptedDeepgram
from tests.support.deepgram_echo import Echo
from tests.support.postgres import PostgresServer, empty_postgres_url, postgres_server

__all__ = ["empty_postgres_url", "postgres_server"]

START_SECONDS = 30.0
INTENTS = """\
intents:
  fly:
    route: FLY
    description: Flies.
    handler: {handler}
"""


async def refused(folder: Path, **variables: str) -> str:
    """What the server says when it does not start; nothing else but that, and exit status 2."""
    ours = {"BRIDGE_DATA_DIR": str(folder / "data")} | ({} if "BRIDGE_CONFIG" in variables else {"PORT": "0"})
    ignored = ("BRIDGE_", "DEEPGRAM_", "PORT", "DATABASE_URL")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ignored)}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "serve"),
        env={**clean, **ours, **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            out, err = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    assert child.returncode == 2, (out, err)
    assert b"server_ready" not in out
    assert b"Traceback" not in out + err
    said = err.decode()
    assert said.startswith("voice-bridge: ")
    return said.removeprefix("voice-bridge: ").strip()


def agents(folder: Path, files: Mapping[str, str | None]) -> Path:
    """A folder of agents with Flux in it, some of its files written anew; None: the file is not there."""
    copy = folder / "agents"
    shutil.copytree(CONFIG / "agents" / "flux", copy / "flux")
    for name, content in files.items():
        if content is None:
            (copy / "flux" / name).unlink()
        else:
            (copy / "flux" / name).write_text(content, encoding="utf-8")
    return copy


@pytest.mark.parametrize(
    ("file", "content", "line", "says"),
    [
        ("agent.yaml", "title: Flux\ngreeting: [Hey\nlanguage: en\n", 3, "not valid YAML"),
        ("agent.yaml", "title: Flux\nlimits:\n  idle_minutes: 5\n", 3, "idle_minutes: there is no such key"),
        ("intents.yaml", INTENTS.format(handler="planner.fly"), 5, "planner.fly"),
        ("prompt.md", "  \n", 1, "is empty"),
    ],
)
async def test_an_agents_broken_file_is_named_with_its_line(
    tmp_path: Path, file: str, content: str, line: int, says: str
) -> None:
    folder = agents(tmp_path, {file: content})
    said = await refused(tmp_path, BRIDGE_AGENTS_DIR=str(folder))
    assert said.startswith(f"{folder / 'flux' / file}:{line}: ")
    assert says in said


async def test_a_prompt_that_is_not_there_is_named(tmp_path: Path) -> None:
    folder = agents(tmp_path, {"prompt.md": None})
    said = await refused(tmp_path, BRIDGE_AGENTS_DIR=str(folder))
    assert said == f"{folder / 'flux' / 'prompt.md'}: cannot be read: No such file or directory"


async def test_a_service_that_may_not_be_called_is_named(tmp_path: Path) -> None:
    intents = INTENTS.format(handler="http:https://planner.example.com/goals") + "    effect: external\n"
    folder = agents(tmp_path, {"intents.yaml": intents})
    said = await refused(tmp_path, BRIDGE_AGENTS_DIR=str(folder), BRIDGE_HTTP_SECRET="secret")
    assert "fly" in said
    assert "planner.example.com" in said


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        ("agent: flux\nport: eighty\n", 2, "port"),
        ("agent: flux\n\ncolour: blue\n", 3, "colour"),
    ],
)
async def test_a_broken_settings_file_is_named_with_its_line(
    tmp_path: Path, content: str, line: int, says: str
) -> None:
    file = tmp_path / "bridge.yaml"
    file.write_text(content, encoding="utf-8")
    said = await refused(tmp_path, BRIDGE_CONFIG=str(file))
    assert said.startswith(f"{file}:{line}: ")
    assert says in said


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("BRIDGE_COLOUR", "blue", "BRIDGE_COLOUR is not a setting"),
        ("PORT", "eighty", "PORT: "),
        ("BRIDGE_AGENT", "nobody", "BRIDGE_AGENT: "),
        ("BRIDGE_DATA_DIR", "/dev/null/data", "BRIDGE_DATA_DIR: "),
        ("DATABASE_URL", "mysql://host/database", "DATABASE_URL"),
        ("DEEPGRAM_AGENT_URL", "https://agent.example.com", "ws://"),
        ("BRIDGE_UPSTREAM", "deepgram", "BRIDGE_UPSTREAM: deepgram needs DEEPGRAM_API_KEY"),
        ("BRIDGE_ALLOWED_ORIGINS", "https://app.example.com", "BRIDGE_ALLOWED_ORIGINS: this is not JSON"),
    ],
)
async def test_a_wrong_variable_is_named(tmp_path: Path, name: str, value: str, says: str) -> None:
    said = await refused(tmp_path, **{name: value})
    assert says in said
    assert "\n" not in said


async def test_nobody_serves_other_machines_without_credentials_by_accident(tmp_path: Path) -> None:
    said = await refused(tmp_path, HOST="0.0.0.0")
    assert said.startswith("BRIDGE_AUTH: with none, whoever reaches 0.0.0.0:0 reads and says everything")
    async with process(tmp_path / "meant", HOST="0.0.0.0", BRIDGE_ALLOW_ANYBODY="true") as server:
        assert await get(f"http://127.0.0.1:{server.address.rpartition(':')[2]}", "/ready") == {
            "status": "ok"
        }
        await server.logged("anybody_may_come")


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = await refused(tmp_path, PORT=port)
    assert said == f"cannot listen on 127.0.0.1:{port}: Address already in use"


# ── a store that is away ──────────────────────────────────────────────────────────────────────


async def test_a_store_that_is_down_at_start_is_waited_for(
    tmp_path: Path, postgres_server: PostgresServer, empty_postgres_url: str
) -> None:
    """Until it is there, no session is started and everybody is told; then, without a restart, all works."""
    postgres_server.stop()
    try:
        async with ScriptedDeepgram(script=Echo()) as deepgram:
            variables = {"DEEPGRAM_AGENT_URL": deepgram.url, "DEEPGRAM_API_KEY": "test-key"}
            async with process(tmp_path, DATABASE_URL=empty_postgres_url, **variables) as server:
                await is_away(server)
                postgres_server.start()
                await is_back(server)
                await talks(server)
                assert await server.terminate() == 0
                told = [line["event"] for line in server.lines if str(line["event"]).startswith("store_")]
                assert told == ["store_away", "store_back"]
    finally:
        postgres_server.stop()
        postgres_server.start()


async def is_away(server: Process) -> None:
    async with httpx2.AsyncClient(base_url=server.http, trust_env=False) as rest:
        assert (await rest.get("/live")).status_code == 200
        ready = await rest.get("/ready")
        assert ready.status_code == 503
        assert ready.json()["reason"]
        assert int(ready.headers["Retry-After"]) >= 1
        wish = await rest.post("/api/v1/voice/session", json={})
        assert (wish.status_code, wish.json()["error"]["code"]) == (503, "BRIDGE_STORE_UNAVAILABLE")
        assert int(wish.headers["Retry-After"]) >= 1
        assert (await rest.get("/api/v1/goals")).status_code == 503
    with pytest.raises(InvalidStatus) as turned_away:
        async with client(server.ws):
            pass
    assert turned_away.value.response.status_code == 503
    assert int(turned_away.value.response.headers["Retry-After"]) >= 1


async def is_back(server: Process) -> None:
    async with asyncio.timeout(30), httpx2.AsyncClient(base_url=server.http, trust_env=False) as rest:
        while (await rest.get("/ready")).status_code != 200:  # noqa: ASYNC110 — that is how one asks
            await asyncio.sleep(0.1)


async def talks(server: Process) -> None:
    begun = await start(server.http)
    async with client(server.ws, token=str(begun["token"])) as talker:
        await talker.settle(bridge=False)
        await talker.send(type="InjectUserMessage", content="hello")
        await talker.expect_text("assistant", "You said: hello")
    async with asyncio.timeout(15):
        while len(await entries(server, str(begun["conversation_id"]))) < 2:  # noqa: ASYNC110 — flushed soon
            await asyncio.sleep(0.05)
    assert await entries(server, str(begun["conversation_id"])) == ["hello", "You said: hello"]


async def entries(server: Process, conversation_id: str) -> list[str]:
    items = (await get(server.http, f"/api/v1/conversations/{conversation_id}/messages"))["items"]
    assert isinstance(items, list)
    return [str(item["content"]) for item in items]
