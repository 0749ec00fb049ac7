"""Deepgram's JavaScript SDK, in Node and in a browser, with only its base URL changed."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from tests.support.bridge import Running, running
from tests.support.client import items
from tests.support.serving import serving
from tests.web.browser import chromium, needs_chromium

HERE = Path(__file__).parent
MODULES = HERE.parents[1] / ".venv" / "js"
"""Where `make test` installs the SDK."""
SDK = MODULES / "node_modules" / "@deepgram" / "sdk"
NODE = shutil.which("node")
WISH = "I want to learn Spanish in three months"
LINES = [WISH, "remind me to buy a dictionary tomorrow at five pm", "thank you"]

needs_sdk = pytest.mark.skipif(not SDK.exists(), reason="no npm; sudo apt-get install nodejs npm")


async def _check(server: Running, found: dict[str, Any]) -> None:
    assert found["errors"] == []
    assert found["bytes"] > 48_000  # a second of speech
    kinds = [message["type"] for message in found["messages"]]
    assert kinds[0] == "Welcome"
    calls = [kind for kind in kinds if kind.startswith("FunctionCall")]
    assert calls == 2 * ["FunctionCallRequest", "FunctionCallResponse"]
    assert kinds.count("AgentAudioDone") == 4
    lines = [(m["role"], m["content"]) for m in found["messages"] if m["type"] == "ConversationText"]
    assert lines[0] == ("assistant", "Hey! What can I help you with today?")
    assert lines[1] == ("user", WISH)
    assert "learn Spanish" in lines[2][1]
    assert [content for role, content in lines if role == "user"] == LINES
    assert [goal["statement"] for goal in await items(server.http, "/api/v1/goals")] == ["learn Spanish"]
    [task] = await items(server.http, "/api/v1/tasks")
    assert "dictionary" in str(task["title"])


@needs_sdk
async def test_in_node_it_holds_a_conversation_with_a_function_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with running(tmp_path) as server:
        node = await asyncio.create_subprocess_exec(
            *(str(NODE), str(HERE / "node.mjs"), str(MODULES), server.address, *LINES),
            stdout=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(30):
            printed, _ = await node.communicate()
        assert node.returncode == 0
        await _check(server, json.loads(printed))


@needs_sdk
@needs_chromium
async def test_in_a_browser_it_holds_a_conversation_with_a_function_call(tmp_path: Path) -> None:
    async with (
        serving(PlainTextResponse("", media_type="text/html")) as app,
        running(tmp_path, allowed_origins=(f"http://{app}",)) as server,
        chromium() as context,
    ):
        page = await context.new_page()
        await page.goto(f"http://{app}/")
        await page.add_script_tag(path=SDK / "dist" / "browser" / "index.global.js")
        stock = (HERE / "stock.mjs").read_text()
        await page.add_script_tag(
            content=stock.replace("export async function", "globalThis.talk = async function")
        )
        found = await page.evaluate(
            "([address, lines]) => talk(Deepgram.DeepgramClient, address, lines)", [server.address, LINES]
        )
        await _check(server, found)
