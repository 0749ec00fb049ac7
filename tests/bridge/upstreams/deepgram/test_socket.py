"""The client against the scripted Deepgram, over real sockets."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from bridge.core import events as ev
from bridge.core.commands import Answer, Hear, Speak, Steer
from bridge.core.events import AgentReady
from bridge.core.model import Cursor, Entry, FunctionCall, Message, Role, Thing
from bridge.errors import StoreUnavailable
from bridge.upstreams.deepgram import on_websockets
from bridge.upstreams.deepgram.dialling import Timeouts
from bridge.upstreams.deepgram.on_websockets import FRAMES_IN_A_ROW
from tests.bridge.upstreams.deepgram.opening import opened
from tests.chaos.corpus import BINARY, framed
from tests.support.briefs import RUN, brief
from tests.support.deepgram import ScriptedDeepgram


async def test_a_turn_with_a_call_goes_through() -> None:
    async with ScriptedDeepgram() as deepgram, opened(deepgram) as (reading, agent):
        await reading.until(AgentReady)
        await reading.upstream.send(b"\x01\x02" * 320)
        await agent.expect_audio(640)
        await agent.hear("I want to learn Spanish", end_of_turn=True)
        call = await agent.call("submit_goal_intent", goal_statement="learn Spanish")
        asked = await reading.until(ev.CallsRequested)
        await reading.upstream.send(Answer(call, "submit_goal_intent", "Goal saved.", "goal_id: 3"))
        assert await agent.expect_answer(call) == "Goal saved. (goal_id: 3)"
        sound = await agent.audio_out(200)
        await agent.audio_done()
        await reading.until(ev.AgentAudioDone)
    arguments = '{"goal_statement": "learn Spanish"}'
    assert asked == ev.CallsRequested((FunctionCall(call, "submit_goal_intent", arguments),))
    assert [type(event).__name__ for event in reading.events] == [
        *("AgentReady", "UserStartedSpeaking", "TextArrived", "TurnEnded", "CallsRequested"),
        *("AgentAudioDone", "AgentLeft"),
    ]
    assert reading.sound == sound
    assert agent.audio == b"\x01\x02" * 320


async def test_agent_ready_carries_the_id_of_welcome() -> None:
    async with ScriptedDeepgram() as deepgram, opened(deepgram) as (reading, agent):
        assert await reading.until(AgentReady) == AgentReady(agent.request_id)


async def test_asks_reach_deepgram_in_its_words() -> None:
    async with ScriptedDeepgram() as deepgram, opened(deepgram) as (reading, agent):
        await reading.upstream.send(Hear("hello"))
        await reading.upstream.send(Speak("Are you still there?"))
        await reading.upstream.send(Steer({"type": "UpdatePrompt", "prompt": "Be brief."}))
        await agent.expect("UpdatePrompt")
        assert agent.messages()[1:] == [
            {"type": "InjectUserMessage", "content": "hello"},
            {"type": "InjectAgentMessage", "message": "Are you still there?", "behavior": "queue"},
            {"type": "UpdatePrompt", "prompt": "Be brief."},
        ]


async def test_what_the_agent_says_before_settings_applied_comes_after_agent_ready() -> None:
    async with ScriptedDeepgram(applies=False) as deepgram, opened(deepgram) as (reading, agent):
        await agent.agent_text("Hey!")
        sound = await agent.audio_out(80)
        await agent.apply()
        await agent.audio_done()
        await reading.until(ev.AgentAudioDone)
    assert isinstance(reading.got[0], AgentReady)
    assert reading.got[1] == ev.TextArrived(Message(Role.ASSISTANT, "Hey!"))
    assert reading.got[2] == sound


async def test_keep_alive_is_sent_while_no_sound_is() -> None:
    async with (
        ScriptedDeepgram(idle_seconds=0.4) as deepgram,
        opened(deepgram, timeouts=Timeouts(keep_alive=0.1)) as (_, agent),
    ):
        for _ in range(8):
            await agent.expect("KeepAlive")
    assert len(agent.messages("KeepAlive")) >= 8


async def test_no_keep_alive_while_sound_flows() -> None:
    async with (
        ScriptedDeepgram(idle_seconds=1.5) as deepgram,
        opened(deepgram, timeouts=Timeouts(keep_alive=0.6)) as (reading, agent),
    ):
        await reading.until(AgentReady)
        for _ in range(40):
            await reading.upstream.send(bytes(640))
            await asyncio.sleep(0.02)
        await agent.expect_audio(40 * 640)
        assert agent.messages("KeepAlive") == []
        await agent.expect("KeepAlive", within=1.5)


async def test_empty_frames_are_ignored_both_ways() -> None:
    async with ScriptedDeepgram() as deepgram, opened(deepgram) as (reading, agent):
        await reading.until(AgentReady)
        await reading.upstream.send(b"")
        await reading.upstream.send(b"\x00\x00")
        await agent.expect_audio(2)
        await agent.send_audio(b"")
        await agent.audio_done()
        await reading.until(ev.AgentAudioDone)
    assert b"" not in reading.got


async def test_settings_are_sent_without_welcome_when_it_does_not_come() -> None:
    async with (
        ScriptedDeepgram(welcomes=False) as deepgram,
        opened(deepgram, timeouts=Timeouts(welcome=0.1)) as (reading, _),
    ):
        ready = await reading.until(AgentReady)
        assert len(ready.request) > 8


async def test_another_bridge_gets_hints_and_the_users_things() -> None:
    async def things(kind: str) -> Sequence[Thing]:
        assert kind == "task"
        return [RUN]

    async with (
        ScriptedDeepgram(bridge=True, key=None) as deepgram,
        opened(deepgram, brief(references=things), key=None) as (_, agent),
    ):
        assert "Authorization" not in agent.headers
        assert agent.settings["bridge"] == {
            "context": {
                "time_zone": "Europe/Lisbon",
                "user_name": "Ada",
                "things": {"task": [{"id": "7", "title": "morning run", "at": "2026-11-21T07:00:00Z"}]},
            }
        }
        assert "x-bridge" in str(agent.settings["agent"])


async def test_things_that_cannot_be_read_are_left_out() -> None:
    async def away(kind: str) -> Sequence[Thing]:
        raise StoreUnavailable("away")

    async with (
        ScriptedDeepgram(bridge=True) as deepgram,
        opened(deepgram, brief(references=away)) as (_, agent),
    ):
        assert "'things': {}" in str(agent.settings["bridge"])


async def test_deepgram_gets_no_hints() -> None:
    async with ScriptedDeepgram() as deepgram, opened(deepgram) as (_, agent):
        assert "bridge" not in agent.settings
        assert "x-bridge" not in str(agent.settings)


async def test_the_history_is_told() -> None:
    said = Entry(
        conversation_id="c",
        user_id="u",
        cursor=Cursor(1, 0),
        at=datetime(2026, 11, 21, tzinfo=UTC),
        what=Message(Role.USER, "hello"),
    )
    async with ScriptedDeepgram() as deepgram, opened(deepgram, brief(history=[said])) as (_, agent):
        told = agent.settings["agent"]
        assert isinstance(told, dict)
        assert told["context"] == {"messages": [{"type": "History", "role": "user", "content": "hello"}]}


async def test_what_comes_before_welcome_is_not_lost() -> None:
    async def speak_early(deepgram: ScriptedDeepgram) -> None:
        agent = await deepgram.connection()
        await agent.warn("EARLY")
        await agent.welcome()

    async with ScriptedDeepgram(welcomes=False) as deepgram, asyncio.TaskGroup() as group:
        group.create_task(speak_early(deepgram), name="speak early")
        async with opened(deepgram) as (reading, agent):
            assert await reading.until(ev.AgentWarned) == ev.AgentWarned("EARLY", "a warning")
            assert reading.events[0] == AgentReady(agent.request_id)


async def test_nothing_stands_between_no_proxy_and_no_compression(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with ScriptedDeepgram() as deepgram, opened(deepgram) as (_, agent):
        assert "Sec-WebSocket-Extensions" not in agent.headers
        assert agent.headers["Authorization"] == "Token test-key"


async def test_others_have_their_turn_while_an_agent_floods() -> None:
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with ScriptedDeepgram() as deepgram, opened(deepgram, dial=on_websockets.dial) as (reading, agent):
        await reading.until(AgentReady)
        agent.write_raw(framed(BINARY, b"\1\2", masked=False) * 5000)
        await agent.audio_done()
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            others = group.create_task(take_turns())
            await reading.until(ev.AgentAudioDone)
            others.cancel()
    assert len(reading.sound) == 10_000
    assert turns > 5000 / FRAMES_IN_A_ROW
