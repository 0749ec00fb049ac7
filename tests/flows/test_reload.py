"""Agents changed while a real server runs: new sessions get the new one, broken files change nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

from bridge.settings import CONFIG
from tests.support.bridge import Process, process
from tests.support.client import client, start
from tests.support.deepgram import DeepgramSession, ScriptedDeepgram

TOKEN = "a-token-nobody-guesses"


@asynccontextmanager
async def server(folder: Path, deepgram: ScriptedDeepgram) -> AsyncIterator[Process]:
    """A server whose agents are in `folder`/agents."""
    shutil.copytree(CONFIG / "agents", folder / "agents")
    given = {
        "DEEPGRAM_AGENT_URL": deepgram.url,
        "BRIDGE_AGENTS_DIR": str(folder / "agents"),
        "BRIDGE_ADMIN_TOKEN": TOKEN,
        "BRIDGE_SESSIONS_PER_USER": "10",
    }
    async with process(folder / "data", **given) as running:
        yield running


async def talk(running: Process, deepgram: ScriptedDeepgram) -> DeepgramSession:
    """The agent's end of a new session, whose client has left."""
    begun = await start(running.http)
    async with client(running.ws, token=str(begun["token"])) as talker:
        await talker.settle()
        return await deepgram.session()


async def test_new_sessions_use_what_has_changed_and_running_ones_do_not(tmp_path: Path) -> None:
    async with ScriptedDeepgram(key=None) as deepgram, server(tmp_path, deepgram) as running:
        begun = await start(running.http)
        async with client(running.ws, token=str(begun["token"])) as talker:
            await talker.settle()
            first = await deepgram.session()
            (tmp_path / "agents" / "flux" / "prompt.md").write_text("You are a pirate.")
            shutil.copytree(tmp_path / "agents" / "pantry", tmp_path / "agents" / "larder")
            assert (await running.logged("agents_reloaded"))["agents"] == ["flux", "larder", "pantry"]
            await first.close(1011)
            again = await deepgram.session()
            assert "pirate" not in prompt(again)
        assert "You are a pirate." in prompt(await talk(running, deepgram))
        assert (await start(running.http, agent="larder"))["agent"]["name"] == "larder"  # type: ignore[index]


async def test_broken_files_change_nothing_and_are_told(tmp_path: Path) -> None:
    async with ScriptedDeepgram(key=None) as deepgram, server(tmp_path, deepgram) as running:
        intents = tmp_path / "agents" / "flux" / "intents.yaml"
        good = intents.read_text()
        (tmp_path / "agents" / "flux" / "prompt.md").write_text("You are a pirate.")
        intents.write_text("intents: [")
        line = await running.logged("agents_not_reloaded")
        assert line["level"] == "error"
        assert f"{intents}:" in str(line["problem"])
        assert "pirate" not in prompt(await talk(running, deepgram))
        assert await told(running) == line["problem"]
        intents.write_text(good)
        await running.logged("agents_reloaded")
        assert await told(running) == ""
        assert "pirate" in prompt(await talk(running, deepgram))


def prompt(agent: DeepgramSession) -> str:
    """What the agent's end was told to be."""
    settings = json.loads(json.dumps(agent.settings))
    return str(settings["agent"]["think"]["prompt"])


async def told(running: Process) -> str:
    """What the console says of the agents' files."""
    async with httpx2.AsyncClient(trust_env=False) as http:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = await http.get(f"{running.http}/console/sessions", headers=headers)
    return str(answer.json()["agents_problem"])
