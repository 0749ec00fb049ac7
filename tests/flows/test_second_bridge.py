"""A bridge before a bridge: the second one's local agent hears, thinks and speaks, the first one acts."""

from __future__ import annotations

import asyncio
import shutil
import wave
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.settings import CONFIG
from tests.support.bridge import Running, running
from tests.support.client import Client, client, get, start

VOICES = Path(__file__).parent.parent / "fixtures" / "voices"
SILENCE = bytes(16_000 * 2)
"""One second, 16 kHz."""
LOUD = 500.0
"""Root mean square of samples that somebody can hear; full scale is 32,767."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A client of A, whose agent's end is B."""

    a: Running
    b: Running
    client: Client
    begun: dict[str, object]


def second_agents(folder: Path) -> Path:
    """B's agents: Flux, which leaves prompt and functions to its client, and would say something else."""
    shutil.copytree(CONFIG / "agents" / "flux", folder / "flux")
    agent = folder / "flux" / "agent.yaml"
    text = agent.read_text(encoding="utf-8").replace("client_settings: managed", "client_settings: allow")
    assert "client_settings: allow" in text
    agent.write_text(text.replace("greeting: Hey!", "greeting: Second!"), encoding="utf-8")
    (folder / "flux" / "intents.yaml").write_text("intents: {}\n", encoding="utf-8")
    return folder


@asynccontextmanager
async def talking(folder: Path) -> AsyncIterator[Talk]:
    """The greeting is over, nothing was said."""
    agents = second_agents(folder / "agents")
    async with (
        running(folder / "b", agents_dir=agents) as b,
        running(folder / "a", upstream="auto", deepgram_agent_url=b.ws) as a,
    ):
        begun = await start(a.http, time_zone="Europe/Berlin")
        assert begun["upstream"] == "deepgram"
        async with client(a.ws, token=str(begun["token"])) as talker:
            await talker.settle()
            await talker.expect_text("assistant", "Hey! What can I help you with today?")
            await talker.expect("AgentAudioDone")
            talker.forget()
            yield Talk(a, b, talker, begun)


async def speak(talker: Client, name: str) -> None:
    """Say a sentence in real time, with the quiet of a microphone around it."""
    with wave.open(str(VOICES / f"{name}.wav")) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (16_000, 2, 1)
        pcm = file.readframes(file.getnframes())
    await talker.speak(SILENCE[: len(SILENCE) // 2] + pcm + SILENCE)


def loudness(pcm: bytes | bytearray) -> float:
    samples = np.frombuffer(bytes(pcm), "<i2").astype(np.float64)
    return float(np.sqrt(np.mean(samples**2))) if samples.size else 0.0


async def items(server: Running, path: str) -> list[dict[str, object]]:
    listed = (await get(server.http, path))["items"]
    assert isinstance(listed, list)
    return listed


def told(second: Running) -> Mapping[str, Any]:
    """The `agent` block that B was sent."""
    [live] = second.app.sessions._live.values()
    settings = live.runner.session.settings
    assert settings
    assert settings.agent
    return settings.agent


@asynccontextmanager
async def microphone(talker: Client) -> AsyncIterator[None]:
    """Silence goes on in real time while the block runs, as it does from a real microphone."""

    async def quiet() -> None:
        while True:
            await talker.speak(SILENCE)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(quiet(), name="microphone")
        yield
        task.cancel()


@pytest.mark.parametrize("voice", ["goal_slt", "goal_rms"])
async def test_a_spoken_goal_is_heard_by_b_made_by_a_and_confirmed_aloud(tmp_path: Path, voice: str) -> None:
    async with talking(tmp_path) as talk:
        await speak(talk.client, voice)
        async with microphone(talk.client):
            await talk.client.expect("UserStartedSpeaking")
            await talk.client.expect_text("user", "spanish")
            response = await talk.client.expect("FunctionCallResponse")
            assert (response["name"], response["status"]) == ("submit_goal_intent", "done")
            await talk.client.expect_text("assistant", "learn spanish")
            await talk.client.expect("AgentAudioDone")
        assert len(talk.client.sound) > 24_000 * 2
        assert loudness(talk.client.sound) > LOUD
        request = await talk.client.expect("FunctionCallRequest")
        assert isinstance(request["functions"], list)
        assert request["functions"][0]["client_side"] is False
        [goal] = await items(talk.a, "/api/v1/goals")
        assert str(goal["statement"]).lower() == "learn spanish"
        assert goal["timeline"] == "in three months"
        assert await items(talk.b, "/api/v1/goals") == []


async def test_a_goal_is_deleted_by_voice_once_the_user_said_yes(tmp_path: Path) -> None:
    """B asks what A's executor answered, and no second time."""
    async with talking(tmp_path) as talk:
        await talk.client.send(type="InjectUserMessage", content="I want to learn Spanish")
        await talk.client.expect("FunctionCallResponse")
        await talk.client.expect("AgentAudioDone")
        talk.client.forget()
        await speak(talk.client, "delete_slt")
        async with microphone(talk.client):
            response = await talk.client.expect("FunctionCallResponse")
            assert (response["name"], response["status"]) == ("submit_delete_goal_intent", "unconfirmed")
            await talk.client.expect_text("assistant", "Shall I really delete the goal “learn Spanish”?")
            assert len(await items(talk.a, "/api/v1/goals")) == 1
            await talk.client.expect("AgentAudioDone")
        talk.client.forget()
        await speak(talk.client, "yes_slt")
        async with microphone(talk.client):
            await talk.client.expect_text("assistant", "Deleted the goal: learn Spanish.")
        assert await items(talk.a, "/api/v1/goals") == []


async def test_both_bridges_keep_their_own_record_of_the_talk(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.client.send(type="InjectUserMessage", content="I want to learn Spanish in three months")
        await talk.client.expect("FunctionCallResponse")
        await talk.client.expect("AgentAudioDone")
        await talk.client.socket.close()
        [theirs] = await items(talk.b, "/api/v1/conversations")
        path = f"/api/v1/conversations/{talk.begun['conversation_id']}/messages"
        own = await items(talk.a, path)
        second = await items(talk.b, f"/api/v1/conversations/{theirs['id']}/messages")
    assert [entry["kind"] for entry in own[:4]] == ["message", "message", "call", "result"]
    said = [(entry["role"], entry["content"]) for entry in own if entry["kind"] == "message"]
    assert said == [(entry["role"], entry["content"]) for entry in second if entry["kind"] == "message"]
    assert [entry["modality"] for entry in own if entry.get("role") == "user"] == ["text"]


async def test_typed_text_fills_a_task_step_by_step_in_the_users_zone(tmp_path: Path) -> None:
    """A's functions and their questions are used; the zone comes from A's user."""
    async with talking(tmp_path) as talk:
        agent = told(talk.b)
        assert "You are Flux" in agent["think"]["prompt"]
        assert "- Time zone: Europe/Berlin" in agent["think"]["prompt"]
        assert len(agent["think"]["functions"]) == 5
        await talk.client.send(type="InjectUserMessage", content="remind me to call mom")
        await talk.client.expect_text("assistant", "?")
        await talk.client.expect("AgentAudioDone")
        talk.client.forget()
        await talk.client.send(type="InjectUserMessage", content="tomorrow at five pm")
        response = await talk.client.expect("FunctionCallResponse")
        assert (response["name"], response["status"]) == ("submit_new_task_intent", "done")
        [task] = await items(talk.a, "/api/v1/tasks")
        assert task["title"] == "call mom"
        assert str(task["scheduled_at"])[11:16] in {"15:00", "16:00"}
        assert await items(talk.b, "/api/v1/tasks") == []


async def test_a_sentence_spoken_over_the_agent_stops_it(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.client.send(type="InjectUserMessage", content="what can you do for me")
        await talk.client.expect_text("assistant", "")
        await talk.client.expect_sound(4_800)
        talk.client.forget()
        await speak(talk.client, "goal_slt")
        async with microphone(talk.client):
            await talk.client.expect("UserStartedSpeaking")
            types = talk.client.types()
            assert "AgentAudioDone" not in types[: types.index("UserStartedSpeaking")]
            await talk.client.expect("FunctionCallResponse", lambda frame: frame["status"] == "done")
        assert len(await items(talk.a, "/api/v1/goals")) == 1


async def test_when_b_is_lost_the_talk_goes_on_with_what_was_said(tmp_path: Path) -> None:
    """B ends its session; A calls it again, tells it the past, and the same goal is not made twice."""
    async with talking(tmp_path) as talk:
        await talk.client.send(type="InjectUserMessage", content="I want to learn Spanish in three months")
        await talk.client.expect("FunctionCallResponse")
        await talk.client.expect("AgentAudioDone")
        [live] = talk.b.app.sessions._live.values()
        live.end("BRIDGE_GOING_AWAY", "Maintenance.", close_code=1012)
        await talk.client.expect("Warning", lambda frame: frame["code"] == "BRIDGE_UPSTREAM_LOST")
        await talk.client.expect("Warning", lambda frame: frame["code"] == "BRIDGE_UPSTREAM_RESUMED")
        talk.client.forget()
        await talk.client.send(type="InjectUserMessage", content="remind me to call mom tomorrow at five pm")
        await talk.client.expect("FunctionCallResponse", lambda frame: frame["status"] == "done")
        assert len(await items(talk.a, "/api/v1/goals")) == 1
        assert len(await items(talk.a, "/api/v1/tasks")) == 1
