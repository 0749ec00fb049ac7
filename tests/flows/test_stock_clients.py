"""Clients that know nothing of us, only their base URL changed: Deepgram's SDK, the starters' front ends."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from deepgram import AsyncDeepgramClient, DeepgramClient
from deepgram.agent.v1.types import (
    AgentV1InjectUserMessage,
    AgentV1Settings,
    AgentV1SettingsAgent,
    AgentV1SettingsAudio,
    AgentV1SettingsAudioInput,
    AgentV1SettingsAudioOutput,
)
from deepgram.core.events import EventType
from deepgram.environment import DeepgramClientEnvironment
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from bridge.core.model import AudioFormat
from tests.support.bridge import Running, running
from tests.support.client import Client, get, items
from tests.support.deepgram import FunctionAsk, ScriptedDeepgram, tone
from tests.support.deepgram_echo import Echo

pytestmark = [
    # The SDK still imports the old client of `websockets`, inside its `connect`.
    pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:websockets.exceptions.InvalidStatusCode is deprecated"),
]

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

Step = tuple[str, Any]
"""A method of the SDK's socket client, and its argument; none when it is empty."""


@dataclass(slots=True)
class App:
    """Somebody's app: reacts to what the SDK hands it, and knows only Deepgram's messages."""

    typed: list[str]
    """What is typed, each line after the reply before it is over."""
    agent: dict[str, Any] = field(default_factory=dict)
    """The `agent` of its Settings."""
    spoken: bytes = b""
    """Sound that it sends together with its Settings, before `Welcome` and `SettingsApplied`."""
    messages: list[Any] = field(default_factory=list)
    sound: bytearray = field(default_factory=bytearray)
    errors: list[Any] = field(default_factory=list)
    closed: int = 0
    over: bool = False
    """The last reply is over; nothing is left to say."""

    def opening(self) -> list[Step]:
        """What is sent as soon as the socket is open."""
        settings = AgentV1Settings(
            audio=AgentV1SettingsAudio(
                input=AgentV1SettingsAudioInput(encoding="linear16", sample_rate=16000),
                output=AgentV1SettingsAudioOutput(encoding="linear16", sample_rate=24000, container="none"),
            ),
            agent=AgentV1SettingsAgent(**self.agent),
        )
        frames = [self.spoken[start : start + 640] for start in range(0, len(self.spoken), 640)]
        return [("send_settings", settings), *(("send_media", frame) for frame in frames)]

    def receive(self, message: Any) -> list[Step]:
        """Take what the SDK hands over; returns what to send."""
        if isinstance(message, bytes):
            self.sound += message
            return []
        self.messages.append(message)
        match kind(message):
            case "SettingsApplied":
                first = [] if self.spoken or "greeting" in self.agent else self._next()
                return [("send_keep_alive", None), *first]
            case "AgentAudioDone":
                return self._next()
            case _:
                return []

    def _next(self) -> list[Step]:
        if not self.typed:
            self.over = True
            return []
        content = self.typed.pop(0)
        return [("send_inject_user_message", AgentV1InjectUserMessage(content=content))]

    def kinds(self) -> list[str]:
        return [kind(message) for message in self.messages]

    def one(self, name: str) -> Any:
        """The first message of that type."""
        return self.all(name)[0]

    def all(self, name: str) -> list[Any]:
        """Those of that type."""
        return [message for message in self.messages if kind(message) == name]

    def lines(self) -> list[tuple[str, str]]:
        return [(m.role, m.content) for m in self.messages if kind(m) == "ConversationText"]


def kind(message: Any) -> str:
    """Its type; messages the SDK does not know are plain dictionaries."""
    return str(message["type"] if isinstance(message, dict) else message.type)


def environment(address: str) -> DeepgramClientEnvironment:
    """The SDK's base URLs: the one thing that is changed."""
    http, ws = f"http://{address}", f"ws://{address}"
    return DeepgramClientEnvironment(base=http, production=ws, agent=ws, agent_rest=http)


@contextmanager
def no_proxy() -> Iterator[None]:
    """Whatever the machine's proxy is, loopback is not behind it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "127.0.0.1")
        yield


async def talk_async(server: Running, app: App) -> None:
    """The asynchronous client, with callbacks, until the server ends the session."""
    client = AsyncDeepgramClient(api_key="not-ours", environment=environment(server.address))
    with no_proxy():
        async with client.agent.v1.connect() as agent:

            async def on_message(message: Any) -> None:
                for name, argument in app.receive(message):
                    await getattr(agent, name)(*([argument] if argument else []))
                if app.over:
                    await end(server, app)

            agent.on(EventType.MESSAGE, on_message)
            agent.on(EventType.ERROR, app.errors.append)
            agent.on(EventType.CLOSE, lambda _: _count_close(app))
            for name, argument in app.opening():
                await getattr(agent, name)(argument)
            await agent.start_listening()


async def talk_sync(server: Running, app: App) -> None:
    """The synchronous client, in a thread of its own, until the server ends the session."""
    loop = asyncio.get_running_loop()

    def run() -> None:
        client = DeepgramClient(api_key="not-ours", environment=environment(server.address))
        with client.agent.v1.connect() as agent:

            def on_message(message: Any) -> None:
                for name, argument in app.receive(message):
                    getattr(agent, name)(*([argument] if argument else []))
                if app.over:
                    asyncio.run_coroutine_threadsafe(end(server, app), loop).result(15)

            agent.on(EventType.MESSAGE, on_message)
            agent.on(EventType.ERROR, app.errors.append)
            agent.on(EventType.CLOSE, lambda _: _count_close(app))
            for name, argument in app.opening():
                getattr(agent, name)(argument)
            agent.start_listening()

    with no_proxy():
        await asyncio.to_thread(run)


def _count_close(app: App) -> None:
    app.closed += 1


async def end(server: Running, app: App) -> None:
    """The owner ends the session on purpose."""
    if app.over:
        app.over = False
        async with httpx2.AsyncClient(trust_env=False) as rest:
            url = f"{server.http}/api/v1/voice/session/{app.one('BridgeReady')['session_id']}"
            assert (await rest.delete(url)).status_code == 200


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
        texts = [frame for frame in front.frames if frame["type"] == "ConversationText"]
        assert [text["role"] for text in texts] == ["user", "assistant"]
        assert texts[0]["content"] == "Hello, how are you?"
        await socket.close()
        await reading
        assert front.closed == 1000
