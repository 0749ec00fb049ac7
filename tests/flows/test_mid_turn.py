"""An agent lost, silent or busy in the middle of a turn: the user says nothing twice, nothing runs twice."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from bridge.core import timers as due
from bridge.settings import CONFIG
from tests.flows.test_deepgram import GOAL, Talk, talking
from tests.support.bridge import running
from tests.support.client import client, start
from tests.support.deepgram import DeepgramSession, Refusal, ScriptedDeepgram

CODES = [1000, 1001, 1006, 1011, 1012, 4000]


async def cut(agent: DeepgramSession, code: int) -> None:
    """End the agent's socket: with that close code, or without any."""
    if code == 1006:
        agent.reset()
    else:
        await agent.close(code)


async def next_agent(talk: Talk) -> DeepgramSession:
    """The session that is opened in place of the one before."""
    agent = await talk.deepgram.session()
    await talk.client.expect("Warning", lambda x: x["code"] == "BRIDGE_UPSTREAM_RESUMED")
    return agent


@pytest.mark.parametrize("code", CODES)
async def test_what_it_did_not_answer_is_asked_again_and_stored_once(tmp_path: Path, code: int) -> None:
    async with talking(tmp_path) as talk:
        await talk.agent.hear("what is on today")
        await talk.client.expect_text("user", "what is on today")
        await cut(talk.agent, code)
        second = await next_agent(talk)
        asked = await second.expect("InjectUserMessage")
        assert asked["content"] == "what is on today"
        await second.user_text("what is on today")
        await second.say("Nothing today.")
        await talk.client.expect_text("assistant", "Nothing today.")
        await talk.stored(2)
        assert [entry["content"] for entry in await talk.entries()] == ["what is on today", "Nothing today."]


@pytest.mark.parametrize("code", CODES)
async def test_what_was_done_is_told_and_not_done_again(tmp_path: Path, code: int) -> None:
    async with talking(tmp_path) as talk:
        await talk.agent.hear("I want to learn Spanish in three months")
        await talk.agent.expect_answer(await talk.agent.call("submit_goal_intent", **GOAL))
        await cut(talk.agent, code)
        second = await next_agent(talk)
        told = await second.expect("InjectAgentMessage")
        assert "learn Spanish" in str(told["message"])
        assert not second.messages("InjectUserMessage")
        assert len(await talk.goals()) == 1


@pytest.mark.parametrize("code", CODES)
async def test_what_the_user_was_saying_is_heard_by_the_next(tmp_path: Path, code: int) -> None:
    async with talking(tmp_path) as talk:
        before, begun, rest = (bytes([n, n]) * 320 * 50 for n in (1, 2, 3))
        await talk.client.speak(before, real_time=False)
        await talk.agent.expect_audio(len(before))
        await talk.agent.user_starts()
        await talk.client.expect("UserStartedSpeaking")
        await talk.client.speak(begun, real_time=False)
        await talk.agent.expect_audio(len(before + begun))
        await cut(talk.agent, code)
        await talk.client.expect("Warning", lambda x: x["code"] == "BRIDGE_UPSTREAM_LOST")
        await talk.client.speak(rest, real_time=False)
        second = await next_agent(talk)
        half = before[: len(before) // 2]
        assert await second.expect_audio(len(half + begun + rest)) == half + begun + rest


async def test_a_busy_deepgram_is_queued_for(tmp_path: Path) -> None:
    async with ScriptedDeepgram() as deepgram:
        deepgram.refusal = Refusal(429)
        given = {"deepgram_agent_url": deepgram.url, "deepgram_api_key": "test-key", "upstream": "deepgram"}
        async with running(tmp_path, **given) as server:
            begun = await start(server.http)
            async with client(server.ws, token=str(begun["token"])) as talker:
                await talker.send(type="Settings", audio={}, agent={})
                warning = await talker.expect("Warning")
                assert warning["code"] == "BRIDGE_UPSTREAM_BUSY"
                deepgram.refusal = None
                await talker.expect("SettingsApplied")


async def test_an_answer_that_is_late_is_bridged_over(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.agent.hear("what is on today")
        told = await talk.agent.expect("InjectAgentMessage", within=6)
        assert told == {"type": "InjectAgentMessage", "message": "One moment, please.", "behavior": "queue"}


def pass_time(talk: Talk, event: due.Timer) -> None:
    """The session's clock has come to that."""
    talk.server.app.sessions._live[str(talk.started["session_id"])].runner.step(event)


async def test_an_agent_as_old_as_it_gets_is_renewed_between_turns_unheard(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.agent.hear("what is on today")
        await talk.client.expect_text("user", "what is on today")
        pass_time(talk, due.RenewalDue())
        await talk.agent.say("Nothing at all.")  # in its turn it stays
        await talk.client.expect_text("assistant", "Nothing at all.")
        second = await talk.deepgram.session()
        before = json.dumps(second.settings)
        await second.hear("and tomorrow")
        await second.say("A run at seven.")
        await talk.client.expect_text("assistant", "A run at seven.")

        assert "what is on today" in before
        assert "Nothing at all." in before
        assert "greeting" not in before
        assert not {"Warning", "Error"} & set(talk.client.types())


async def test_an_agent_that_stays_silent_is_replaced_and_asked_again(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.agent.hear("what is on today")
        await talk.client.expect_text("user", "what is on today")
        pass_time(talk, due.AnswerOverdue())
        second = await next_agent(talk)
        assert (await second.expect("InjectUserMessage"))["content"] == "what is on today"
        await second.say("Nothing at all.")
        await talk.client.expect_text("assistant", "Nothing at all.")


async def test_an_agent_that_takes_nothing_any_more_is_replaced(tmp_path: Path) -> None:
    agents = tmp_path / "agents"
    shutil.copytree(CONFIG / "agents", agents)
    settings = agents / "flux" / "agent.yaml"
    settings.write_text(settings.read_text().replace("client_settings: managed", "client_settings: allow"))
    async with ScriptedDeepgram() as deepgram:
        given = {"upstream": "deepgram", "deepgram_agent_url": deepgram.url, "deepgram_api_key": "test-key"}
        async with running(tmp_path, agents_dir=agents, **given) as server:
            begun = await start(server.http)
            async with client(server.ws, token=str(begun["token"])) as talker:
                await talker.settle()
                (await deepgram.session()).stall()
                for _ in range(400):
                    await talker.send(type="UpdatePrompt", prompt="x" * 30_000)
                    if "Warning" in talker.types():
                        break
                    await asyncio.sleep(0.011)  # at most 100 messages a second are taken
                warning = await talker.expect("Warning")
                assert warning["code"] == "BRIDGE_UPSTREAM_LOST"
                await deepgram.session()
                await talker.expect("Warning", lambda x: x["code"] == "BRIDGE_UPSTREAM_RESUMED")
