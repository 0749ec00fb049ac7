"""A goal is deleted once the user was asked and has answered, spoken or typed, with either agent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.bridge import Running, running
from tests.support.client import Client, client, items, start
from tests.support.deepgram import ScriptedDeepgram
from tests.support.deepgram_session import DeepgramSession

DELETE = "submit_delete_goal_intent"


@dataclass(frozen=True, slots=True)
class Talk:
    """A client whose agent is scripted; there is a goal "learn Spanish"."""

    server: Running
    client: Client
    agent: DeepgramSession
    deepgram: ScriptedDeepgram

    async def delete(self, **arguments: object) -> str:
        """The agent calls; what it is answered."""
        call = await self.agent.call(DELETE, **(arguments or {"goal_id": "Spanish"}))
        return await self.agent.expect_answer(call)

    async def ask(self) -> None:
        """The user wants it, and is asked."""
        await self.agent.hear("delete my goal Spanish")
        assert "Shall I really delete the goal “learn Spanish”?" in await self.delete()
        await self.agent.say("Shall I really delete it?")
        await self.client.expect_text("assistant", "really")

    async def goals(self) -> int:
        return len(await items(self.server.http, "/api/v1/goals"))


@asynccontextmanager
async def talking(folder: Path) -> AsyncIterator[Talk]:
    async with ScriptedDeepgram() as deepgram:
        given = {"upstream": "deepgram", "deepgram_agent_url": deepgram.url, "deepgram_api_key": "test-key"}
        async with running(folder, **given) as server:
            begun = await start(server.http)
            async with client(server.ws, token=str(begun["token"])) as talker:
                await talker.settle()
                talk = Talk(server, talker, await deepgram.session(), deepgram)
                await talk.agent.hear("I want to learn Spanish")
                call = await talk.agent.call("submit_goal_intent", goal_statement="learn Spanish")
                await talk.agent.expect_answer(call)
                yield talk


async def test_a_spoken_yes_deletes_it(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.ask()
        asked = await talk.client.expect("FunctionCallResponse", lambda frame: frame["name"] == DELETE)
        assert asked["status"] == "unconfirmed"
        assert await talk.goals() == 1
        await talk.agent.hear("yes")
        assert await talk.delete() == "Deleted the goal: learn Spanish."
        assert await talk.goals() == 0


async def test_a_typed_yes_deletes_it(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.ask()
        await talk.client.send(type="InjectUserMessage", content="yes, do it")
        await talk.agent.expect("InjectUserMessage")
        await talk.agent.user_text("yes, do it")
        assert await talk.delete() == "Deleted the goal: learn Spanish."


async def test_an_agent_that_calls_again_by_itself_deletes_nothing(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.ask()
        for _ in range(3):
            assert "really" in await talk.delete()
            await talk.agent.say("I'll do it anyway.")
        await talk.client.send(type="InjectAgentMessage", message="yes")
        await talk.client.send(type="FunctionCallResponse", id="made-up", name=DELETE, content="yes")
        assert "really" in await talk.delete()
        assert await talk.goals() == 1


async def test_other_arguments_are_another_question(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.ask()
        await talk.agent.hear("yes")
        assert "really" in await talk.delete(goal_id="my goal to learn Spanish")
        assert await talk.goals() == 1


async def test_a_question_and_its_answer_outlive_a_lost_agent(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.ask()
        talk.agent.reset()
        again = await talk.deepgram.session()
        other = Talk(talk.server, talk.client, again, talk.deepgram)
        await talk.client.expect("Warning", lambda frame: frame["code"] == "BRIDGE_UPSTREAM_RESUMED")
        assert "really" in await other.delete()
        await again.say("Shall I really?")
        await again.hear("yes")
        assert await other.delete() == "Deleted the goal: learn Spanish."


async def test_in_another_session_the_question_is_asked_anew(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.ask()
        await talk.client.socket.close()
        [conversation] = await items(talk.server.http, "/api/v1/conversations")
        begun = await start(talk.server.http, conversation_id=conversation["id"])
        async with client(talk.server.ws, token=str(begun["token"])) as talker:
            await talker.settle()
            other = Talk(talk.server, talker, await talk.deepgram.session(), talk.deepgram)
            await other.agent.hear("yes")
            assert "really" in await other.delete()
            assert await other.goals() == 1


@pytest.mark.parametrize(("answer", "left"), [("yes please", 0), ("no", 1)])
async def test_with_the_local_agent_in_writing(tmp_path: Path, answer: str, left: int) -> None:
    async with running(tmp_path, upstream="local") as server:
        begun = await start(server.http)
        async with client(server.ws, token=str(begun["token"])) as talker:
            await talker.settle()
            await talker.send(type="InjectUserMessage", content="I want to learn Spanish")
            await talker.expect_text("assistant", "Goal saved")
            await talker.send(type="InjectUserMessage", content="delete my goal Spanish")
            await talker.expect_text("assistant", "Shall I really delete the goal “learn Spanish”?")
            assert len(await items(server.http, "/api/v1/goals")) == 1
            talker.forget()
            await talker.send(type="InjectUserMessage", content=answer)
            await talker.expect("ConversationText", lambda frame: frame["role"] == "assistant")
            if left == 0:
                await talker.expect_text("assistant", "Deleted the goal: learn Spanish.")
            assert len(await items(server.http, "/api/v1/goals")) == left
