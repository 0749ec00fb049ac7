"""Somebody's app on Deepgram's Python SDK: only the base URL is ours."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from deepgram import AsyncDeepgramClient, DeepgramClient
from deepgram.agent.v1.types import (
    AgentV1InjectUserMessage,
    AgentV1SendFunctionCallResponse,
    AgentV1Settings,
    AgentV1SettingsAgent,
    AgentV1SettingsAudio,
    AgentV1SettingsAudioInput,
    AgentV1SettingsAudioOutput,
)
from deepgram.core.events import EventType
from deepgram.environment import DeepgramClientEnvironment

from tests.support.bridge import Running

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
    answer: str = ""
    """What it answers to calls of its own functions."""
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
            case "FunctionCallRequest":
                return [self._answer(function) for function in message.functions if function.client_side]
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

    def _answer(self, function: Any) -> Step:
        response = AgentV1SendFunctionCallResponse(id=function.id, name=function.name, content=self.answer)
        return "send_function_call_response", response

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
