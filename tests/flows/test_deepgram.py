"""The whole server between a page-like client and a scripted Deepgram: real sockets, real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest
from websockets.exceptions import InvalidStatus

from bridge.core.model import Entry
from bridge.ports import Journal
from tests.support.bridge import Running, running
from tests.support.client import Client, client, get, items, start
from tests.support.deepgram import DeepgramSession, FunctionAsk, ScriptedDeepgram

GOAL = {"goal_statement": "learn Spanish", "timeline": "in three months"}


@dataclass(frozen=True, slots=True)
class Talk:
    """A client, our server and the scripted agent, in the middle of a talk."""

    server: Running
    client: Client
    agent: DeepgramSession
    deepgram: ScriptedDeepgram
    started: dict[str, object]

    async def entries(self) -> list[dict[str, object]]:
        """What the store has of the conversation, the journal flushed."""
        path = f"/api/v1/conversations/{self.started['conversation_id']}/messages?limit=200"
        return await items(self.server.http, path)

    async def stored(self, count: int) -> None:
        """That many entries are in the store."""
        async with asyncio.timeout(15):
            while len(await self.entries()) < count:  # noqa: ASYNC110 — the store tells nobody
                await asyncio.sleep(0.02)

    async def goals(self) -> list[dict[str, object]]:
        return await items(self.server.http, "/api/v1/goals")


class SlowJournal:
    """A journal whose writes wait until a test lets them go, and take 200 ms then."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.journal: Journal | None = None
        """The real one behind it."""

    def append(self, entry: Entry) -> asyncio.Future[None]:
        return asyncio.ensure_future(self._write(entry))

    async def _write(self, entry: Entry) -> None:
        await self.go.wait()
        await asyncio.sleep(0.2)
        assert self.journal
        await self.journal.append(entry)


@asynccontextmanager
async def talking(folder: Path, journal: SlowJournal | None = None) -> AsyncIterator[Talk]:
    """Start a session as the page does."""
    async with ScriptedDeepgram() as deepgram:
        given = {"upstream": "deepgram", "deepgram_agent_url": deepgram.url, "deepgram_api_key": "test-key"}
        async with running(folder, **given) as server:
            if journal:
                parts = server.app.sessions.parts
                journal.journal, server.app.sessions.parts = parts.journal, replace(parts, journal=journal)
            begun = await start(server.http)
            async with client(server.ws, token=str(begun["token"])) as talker:
                await talker.settle()
                yield Talk(server, talker, await deepgram.session(), deepgram, begun)


async def test_a_goal_that_is_spoken_is_stored_made_and_confirmed(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.agent.hear("I want to learn Spanish in three months")
        call = await talk.agent.call("submit_goal_intent", **GOAL)
        answer = await talk.agent.expect_answer(call)
        assert "learn Spanish" in answer
        await talk.agent.say("Your goal is saved.")
        await talk.client.expect_text("assistant", "Your goal is saved.")
        await talk.client.expect("AgentAudioDone")
        request = await talk.client.expect("FunctionCallRequest")
        functions = request["functions"]
        assert isinstance(functions, list)
        assert functions[0]["client_side"] is False
        response = await talk.client.expect("FunctionCallResponse")
        assert (response["id"], response["status"]) == (call, "done")
        cursors = [str(frame["cursor"]) for frame in talk.client.frames if "cursor" in frame][1:]
        assert cursors == sorted(cursors, key=lambda cursor: int(cursor.partition(":")[2]))
        assert [goal["statement"] for goal in await talk.goals()] == ["learn Spanish"]


async def test_what_was_said_is_in_the_store_in_order(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.agent.hear("one")
        await talk.agent.say("two.", "three.")
        await talk.client.expect_text("assistant", "three.")
        await talk.client.socket.close()
        conversation = await get(talk.server.http, f"/api/v1/conversations/{talk.started['conversation_id']}")
        entries = await talk.entries()
    assert [(e["role"], e["content"], e["modality"]) for e in entries] == [
        ("user", "one", "voice"),
        ("assistant", "two.", "voice"),
        ("assistant", "three.", "voice"),
    ]
    assert conversation["title"] == "one"
    assert conversation["message_count"] == 3


async def test_sound_does_not_wait_for_the_store(tmp_path: Path) -> None:
    """A line comes first, its write takes 200 ms; the sound after it arrives before it."""
    slow = SlowJournal()
    async with talking(tmp_path, slow) as talk:
        await talk.agent.agent_text("Here it comes.")
        await talk.agent.audio_out(80)
        await talk.client.expect_sound(3840)
        assert "ConversationText" not in talk.client.types()
        slow.go.set()
        await talk.client.expect_text("assistant", "Here it comes.")


async def test_a_call_may_come_before_the_text_that_caused_it(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.agent.user_starts()
        call = await talk.agent.call("submit_goal_intent", **GOAL)
        await talk.client.expect("FunctionCallRequest")
        assert await talk.goals() == []
        await talk.agent.user_text("I want to learn Spanish in three months")
        await talk.agent.expect_answer(call)
        assert len(await talk.goals()) == 1


async def test_a_call_withdrawn_before_the_turn_is_confirmed_has_no_effect(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.agent.user_starts()
        call = await talk.agent.call("submit_goal_intent", **GOAL)
        await talk.client.expect("FunctionCallRequest")
        await talk.agent.cancel(call)
        response = await talk.client.expect("FunctionCallResponse")
        assert response["status"] == "cancelled"
        await talk.agent.user_text("actually, never mind")
        await talk.client.expect_text("user", "never mind")
        assert await talk.goals() == []
        assert talk.agent.late_answers == []


async def test_every_call_of_a_request_is_answered_each_under_its_own_id(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.agent.hear("learn Spanish, and fly")
        calls = await talk.agent.call_all(
            FunctionAsk("submit_goal_intent", GOAL),
            FunctionAsk("submit_goal_intent", {}),
            FunctionAsk("submit_new_task_intent", {"title": "x", "trigger_type": "time"}),
        )
        answers = [await talk.agent.expect_answer(call) for call in calls]
        assert "learn Spanish" in answers[0]
        assert len(set(answers)) == 3
        assert talk.agent.unanswered == []
        assert len(await talk.goals()) == 1


async def test_barge_in_drops_what_is_queued_and_what_trickles_in(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.agent.agent_text("A long story.")
        await talk.agent.audio_out(400)
        await talk.client.expect_sound(400 * 48)
        await talk.agent.user_starts()
        await talk.client.expect("UserStartedSpeaking")
        before = len(talk.client.sound)
        await talk.agent.audio_out(160)
        await talk.agent.user_text("stop")
        await talk.client.expect_text("user", "stop")
        assert len(talk.client.sound) == before
        await talk.agent.say("All right.")
        await talk.client.expect_sound(before + 160 * 48)


async def test_the_cut_message_keeps_what_was_heard(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.agent.agent_text("One two three four.")
        await talk.agent.audio_out(1000)
        await talk.client.expect_sound(48000)
        await talk.client.send(type="Playback", played_ms=400)
        await talk.agent.user_starts()
        await talk.client.expect("UserStartedSpeaking")
        await talk.client.send(type="Playback", played_ms=500)
        await talk.client.expect("BridgeCut")
        [message] = await talk.entries()
        assert (message["interrupted"], message["heard"]) == (True, "One two")


async def test_a_closed_tab_loses_neither_the_sentence_nor_the_goal(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.client.speak(bytes(640) * 10, real_time=False)
        talk.client.socket.transport.abort()
        await talk.client.expect_close()
        await talk.agent.hear("I want to learn Spanish in three months")
        await talk.agent.expect_answer(await talk.agent.call("submit_goal_intent", **GOAL))
        assert len(await talk.goals()) == 1
        assert [e["kind"] for e in await talk.entries()] == ["message", "call", "result"]


async def test_a_client_that_comes_back_gets_only_what_it_missed(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.agent.hear("one")
        seen = await talk.client.expect_text("user", "one")
        token = str((await talk.client.expect("BridgeReady"))["resume_token"])
        talk.client.socket.transport.abort()
        await talk.client.expect_close()
        await talk.agent.say("two.")
        await talk.stored(2)
        async with client(talk.server.ws, token=token) as again:
            await again.settle(cursor=str(seen["cursor"]))
            ready = await again.expect("BridgeReady")
            assert (ready["resumed"], ready["recovered"]) == (True, True)
            missed = await again.expect("BridgeEntry")
            entry = missed["entry"]
            assert isinstance(entry, dict)
            assert entry["content"] == "two."
            assert again.types().count("BridgeEntry") == 1
            assert len(talk.deepgram.sessions) == 1
            await talk.agent.say("three.")
            await again.expect_text("assistant", "three.")


async def test_an_agent_that_is_cut_comes_back_with_the_history_while_the_client_stays(
    tmp_path: Path,
) -> None:
    async with talking(tmp_path) as talk:
        await talk.agent.hear("I want to learn Spanish in three months")
        await talk.agent.expect_answer(await talk.agent.call("submit_goal_intent", **GOAL))
        await talk.client.expect("FunctionCallResponse")
        talk.agent.reset()
        warning = await talk.client.expect("Warning", lambda x: x["code"] == "BRIDGE_UPSTREAM_LOST")
        assert warning
        await talk.client.speak(bytes(640) * 25, real_time=False)
        second = await talk.deepgram.session()
        await talk.client.expect("Warning", lambda x: x["code"] == "BRIDGE_UPSTREAM_RESUMED")
        agent = second.settings["agent"]
        assert isinstance(agent, dict)
        messages = agent["context"]["messages"]
        assert messages[0]["content"] == "I want to learn Spanish in three months"
        assert messages[1]["function_calls"][0]["name"] == "submit_goal_intent"
        assert "learn Spanish" in messages[1]["function_calls"][0]["response"]
        assert "greeting" not in agent
        await second.say("Where were we?")
        await talk.client.expect_text("assistant", "Where were we?")


async def test_an_agent_that_refuses_our_key_ends_the_session_with_1000(tmp_path: Path) -> None:
    async with ScriptedDeepgram(key="another") as deepgram:
        given = {"deepgram_agent_url": deepgram.url, "deepgram_api_key": "test-key", "upstream": "deepgram"}
        async with running(tmp_path, **given) as server:
            begun = await start(server.http)
            async with client(server.ws, token=str(begun["token"])) as talker:
                await talker.send(type="Settings", audio={}, agent={})
                error = await talker.expect("Error")
                assert error["code"] == "BRIDGE_UPSTREAM_FAILED"
                assert await talker.expect_close() == 1000
        assert deepgram.attempts == 1


async def test_a_second_session_takes_the_users_place(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.agent.hear("one")
        await talk.client.expect_text("user", "one")
        again = await start(talk.server.http, conversation_id=talk.started["conversation_id"])
        error = await talk.client.expect("Error")
        assert error["code"] == "BRIDGE_TAKEN_OVER"
        assert await talk.client.expect_close() == 1000
        messages = again["messages"]
        assert isinstance(messages, list)
        assert [message["content"] for message in messages] == ["one"]
        async with client(talk.server.ws, token=str(again["token"])) as second:
            await second.settle(cursor=str(messages[-1]["cursor"]))
            agent = await talk.deepgram.session()
            await agent.say("Go on.")
            line = await second.expect_text("assistant", "Go on.")
            assert str(line["cursor"]) == "2:0"


async def test_the_token_opens_one_handshake(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        with pytest.raises(InvalidStatus) as refused:
            async with client(talk.server.ws, token=str(talk.started["token"])):
                pass
        assert refused.value.response.status_code == 401


async def test_deleting_the_session_ends_it_with_1000_and_counts_its_messages(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.agent.hear("one")
        await talk.client.expect_text("user", "one")
        async with httpx2.AsyncClient(trust_env=False) as rest:
            url = f"{talk.server.http}/api/v1/voice/session/{talk.started['session_id']}"
            answer = await rest.delete(url)
        assert answer.json() == {
            "session_id": talk.started["session_id"],
            "status": "closed",
            "message_count": 1,
        }
        assert await talk.client.expect_close() == 1000
