"""Clients that know nothing of us, only their base URL changed: Deepgram's SDK, the starters' front ends."""

from __future__ import annotations

import asyncio
import json
import shutil
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from bridge.core.model import AudioFormat
from tests.clients.stock import App, talk_async, talk_sync
from tests.support.bridge import Running, running
from tests.support.client import Client, get, items
from tests.support.deepgram import FunctionAsk, ScriptedDeepgram, tone
from tests.support.deepgram_echo import Echo

pytestmark = [
    # The SDK still imports the old client of `websockets`, inside its `connect`.
    pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:websockets.exceptions.InvalidStatusCode is deprecated"),
]

CONFIG = Path(__file__).parents[2] / "config"
VOICES = Path(__file__).parents[1] / "fixtures" / "voices"
REMINDER = "remind me to buy a dictionary tomorrow at five pm"
WISH = "I want to learn Spanish in three months"
GOAL = FunctionAsk("submit_goal_intent", {"goal_statement": "learn Spanish", "timeline": "in three months"})
SPOKEN = tone(300, AudioFormat(sample_rate=16000)) + bytes(600 * 32)
"""One turn for the ears of the echo: 300 ms loud, 600 ms quiet."""
MINIMAL: dict[str, Any] = {
    "type": "Settings",
    "audio": {
        "input": {"encoding": "linear16", "sample_rate": 24000},
        "output": {"encoding": "linear16", "sample_rate": 24000, "container": "none"},
    },
    "agent": {
        "listen": {"provider": {"type": "deepgram", "model": "nova-3"}},
        "think": {"provider": {"type": "open_ai", "model": "gpt-4o-mini"}},
        "speak": {"provider": {"type": "deepgram", "model": "aura-2-thalia-en"}},
    },
}
"""As the starters' conformance test sends it."""
WATERING = {
    "name": "water_plants",
    "description": "Water the plants in a room",
    "parameters": {
        "type": "object",
        "properties": {"room": {"type": "string", "description": "The room"}},
        "required": ["room"],
    },
}
"""A function of the app's own."""

SDKS = pytest.mark.parametrize("talk", [talk_async, talk_sync], ids=["async", "sync"])
Talk = Callable[[Running, App], Awaitable[None]]


@asynccontextmanager
async def before_deepgram(folder: Path) -> AsyncIterator[tuple[Running, ScriptedDeepgram]]:
    """Our server before an agent that repeats what it hears and makes goals of Spanish."""
    echo = Echo(spoken=[WISH], calls={"spanish": GOAL})
    async with ScriptedDeepgram(script=echo) as deepgram:
        given = {"upstream": "deepgram", "deepgram_agent_url": deepgram.url, "deepgram_api_key": "test-key"}
        async with running(folder, **given) as server:
            yield server, deepgram


@SDKS
async def test_the_sdk_talks_types_and_has_a_function_run(tmp_path: Path, talk: Talk) -> None:
    """Settings before `Welcome`, sound before `SettingsApplied`, and 1000 at the end."""
    app = App(typed=["thank you"], spoken=SPOKEN)
    async with before_deepgram(tmp_path) as (server, deepgram):
        await talk(server, app)
        goals = await get(server.http, "/api/v1/goals")
    first = [k for k in app.kinds() if k in {"Welcome", "SettingsApplied", "UserStartedSpeaking"}]
    assert first == ["Welcome", "SettingsApplied", "UserStartedSpeaking"]
    [request] = app.one("FunctionCallRequest").functions
    assert (request.name, request.client_side) == ("submit_goal_intent", False)
    response = app.one("FunctionCallResponse")
    assert response.id == request.id
    user, confirmed, typed, repeated = app.lines()
    assert user == ("user", WISH)
    assert confirmed[0] == "assistant"
    assert confirmed[1].startswith(response.content)
    assert (typed, repeated) == (("user", "thank you"), ("assistant", "You said: thank you"))
    assert len(app.sound) == 2 * 160 * 48
    assert [goal["statement"] for goal in goals["items"]] == ["learn Spanish"]  # type: ignore[attr-defined]
    assert (app.errors, app.closed) == ([], 1)
    assert [session.unanswered for session in deepgram.sessions] == [[]]


@SDKS
async def test_the_sdk_types_to_the_local_agent(tmp_path: Path, talk: Talk) -> None:
    app = App(typed=[WISH], agent={"greeting": "Hello"})
    async with running(tmp_path) as server:
        await talk(server, app)
        goals = await get(server.http, "/api/v1/goals")
    assert app.kinds()[0] == "Welcome"
    greeting, user, *confirmed = app.lines()
    assert greeting == ("assistant", "Hey! What can I help you with today?")
    assert user == ("user", WISH)
    assert any("learn Spanish" in content for role, content in confirmed if role == "assistant")
    [request] = app.one("FunctionCallRequest").functions
    assert (request.name, request.client_side) == ("submit_goal_intent", False)
    assert [goal["statement"] for goal in goals["items"]] == ["learn Spanish"]  # type: ignore[attr-defined]
    assert (app.errors, app.closed) == ([], 1)


@SDKS
async def test_the_sdk_speaks_to_the_local_agent_and_goes_on_in_writing(tmp_path: Path, talk: Talk) -> None:
    with wave.open(str(VOICES / "goal_mic.wav")) as voice:
        app = App(typed=[REMINDER, "thank you"], spoken=voice.readframes(voice.getnframes()))
    async with running(tmp_path) as server:
        await talk(server, app)
        goals, tasks = await items(server.http, "/api/v1/goals"), await items(server.http, "/api/v1/tasks")
    assert [request.functions[0].name for request in app.all("FunctionCallRequest")] == [
        "submit_goal_intent",
        "submit_new_task_intent",
    ]
    assert [response.status for response in app.all("FunctionCallResponse")] == ["done", "done"]
    heard, reminder, thanks = [content for role, content in app.lines() if role == "user"]
    assert "spanish" in heard.lower()
    assert (reminder, thanks) == (REMINDER, "thank you")
    assert "spanish" in str(goals[0]["statement"]).lower()
    assert ["dictionary" in str(task["title"]) for task in tasks] == [True]
    assert app.kinds().count("AgentAudioDone") == 3
    assert len(app.sound) > 3 * 48_000
    assert (app.errors, app.closed) == ([], 1)


@SDKS
async def test_the_sdk_runs_a_function_of_its_own_for_the_local_agent(tmp_path: Path, talk: Talk) -> None:
    agents = tmp_path / "agents"
    shutil.copytree(CONFIG / "agents" / "flux", agents / "flux")
    file = agents / "flux" / "agent.yaml"
    file.write_text(file.read_text("utf-8").replace("client_settings: managed", "client_settings: allow"))
    app = App(
        typed=["water the plants in the kitchen"],
        agent={**MINIMAL["agent"], "think": {**MINIMAL["agent"]["think"], "functions": [WATERING]}},
        answer="The kitchen is watered.",
    )
    async with running(tmp_path, agents_dir=agents) as server:
        await talk(server, app)
    [function] = app.one("FunctionCallRequest").functions
    assert (function.name, function.client_side) == ("water_plants", True)
    assert "kitchen" in json.loads(function.arguments)["room"]
    user, confirmed = app.lines()
    assert user == ("user", "water the plants in the kitchen")
    assert "watered" in confirmed[1]
    assert app.all("FunctionCallResponse") == []
    assert (app.errors, app.closed) == ([], 1)


@SDKS
async def test_the_sdk_is_told_that_its_prompt_is_not_used(tmp_path: Path, talk: Talk) -> None:
    app = App(typed=["hello"], agent={**MINIMAL["agent"], "greeting": "Hello"})
    async with before_deepgram(tmp_path) as (server, _):
        await talk(server, app)
    assert app.one("Warning").code == "BRIDGE_SETTINGS_MANAGED"
    assert app.lines()[0] == ("assistant", "Hey! What can I help you with today?")
    assert app.lines()[-1] == ("assistant", "You said: hello")


async def test_a_starters_front_end_finds_what_its_contract_promises(tmp_path: Path) -> None:
    """`access_token.<jwt>` at `/api/voice-agent`; without a greeting the user's line comes first."""
    token = Subprotocol("access_token.eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl")
    async with (
        before_deepgram(tmp_path) as (server, _),
        connect(f"ws://{server.address}/api/voice-agent", subprotocols=[token], proxy=None) as socket,
        asyncio.TaskGroup() as group,
    ):
        assert socket.subprotocol == token
        front = Client(socket)
        reading = group.create_task(front.read(), name="front-end")
        assert (await front.expect("Welcome"))["request_id"]
        await front.send(**{key: value for key, value in MINIMAL.items() if key != "audio"})
        assert (await front.expect("Error"))["code"] == "INVALID_SETTINGS"
        await front.send(**MINIMAL)
        await front.expect("SettingsApplied")
        await front.send(type="InjectUserMessage")
        assert await front.expect("Error", lambda error: error["code"] == "UNPARSABLE_CLIENT_MESSAGE")
        await front.send(type="InjectUserMessage", content="Hello, how are you?")
        await front.expect("AgentAudioDone")
        await front.expect_text("assistant", "")  # it waits for the disk, and may be overtaken
        texts = [frame for frame in front.frames if frame["type"] == "ConversationText"]
        assert [text["role"] for text in texts] == ["user", "assistant"]
        assert texts[0]["content"] == "Hello, how are you?"
        await socket.close()
        await reading
        assert front.closed == 1000
