"""The client against the scripted Deepgram, over real sockets."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from bridge.core import events as ev
from bridge.core.commands import Answer, Hear, Speak, Steer
from bridge.core.events import AgentErred, AgentLeft, AgentReady
from bridge.core.model import Cursor, Entry, FunctionCall, Message, Role, Thing
from bridge.errors import BadConfig, PeerGone, StoreUnavailable, UpstreamFailed
from bridge.ports import Brief, Upstream
from bridge.upstreams.deepgram.socket import DeepgramUpstreams, Timeouts
from tests.support.briefs import RUN, brief
from tests.support.deepgram import DeepgramSession, FunctionAsk, Refusal, ScriptedDeepgram
from tests.support.upstreams import Reading, open_and_read

FAST = Timeouts(welcome=0.2, applied=0.4, send=0.3, keep_alive=0.1, ping=0.2, close=0.3)


@asynccontextmanager
async def opened(
    deepgram: ScriptedDeepgram,
    told: Brief | None = None,
    *,
    timeouts: Timeouts | None = None,
    key: str | None = "test-key",
) -> AsyncIterator[tuple[Reading, DeepgramSession]]:
    """An open upstream that is being read, and the agent's end of it."""
    upstreams = DeepgramUpstreams(deepgram.url, key, timeouts=timeouts)
    async with open_and_read(upstreams, told or brief()) as reading:
        yield reading, await deepgram.session()


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


# ── trouble while it is opened ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "retry"),
    [
        *((400, False), (401, False), (402, False), (403, False), (404, False)),
        *((408, True), (429, True), (500, True), (502, True), (503, True)),
    ],
)
async def test_a_refused_handshake_says_whether_to_try_again(status: int, *, retry: bool) -> None:
    async with ScriptedDeepgram() as deepgram:
        deepgram.refusal = Refusal(status, "SOME_ERROR")
        with pytest.raises(UpstreamFailed) as failed:
            await DeepgramUpstreams(deepgram.url, "test-key").open(brief())
        assert failed.value.retry is retry
        assert deepgram.attempts == 1


async def test_a_wrong_key_is_not_tried_again() -> None:
    async with ScriptedDeepgram() as deepgram:
        with pytest.raises(UpstreamFailed) as failed:
            await DeepgramUpstreams(deepgram.url, "wrong").open(brief())
        assert failed.value.retry is False


async def test_nobody_there_may_be_tried_again() -> None:
    async with ScriptedDeepgram() as deepgram:
        url = deepgram.url
    with pytest.raises(UpstreamFailed) as failed:
        await DeepgramUpstreams(url, "test-key").open(brief())
    assert failed.value.retry is True


async def test_a_handshake_without_answer_ends_in_time() -> None:
    async with ScriptedDeepgram() as deepgram:
        deepgram.hangs = True
        with pytest.raises(UpstreamFailed) as failed:
            await DeepgramUpstreams(deepgram.url, "test-key", timeouts=Timeouts(open=0.2)).open(brief())
        assert failed.value.retry is True


def test_an_address_that_is_none_is_a_mistake_of_the_configuration() -> None:
    with pytest.raises(BadConfig):
        DeepgramUpstreams("https://agent.example.com", "key")


async def test_refused_settings_are_not_tried_again() -> None:
    async with ScriptedDeepgram(applies=False) as deepgram, opened(deepgram) as (reading, agent):
        await agent.error("INVALID_SETTINGS", "no such model", close=1011)
        left = await reading.until(AgentLeft)
    assert reading.events[0] == AgentErred("INVALID_SETTINGS", "no such model", fatal=True, retry=False)
    assert left == AgentLeft(1011, "", retry=False)


async def test_an_agent_that_never_gets_ready_is_given_up() -> None:
    async with ScriptedDeepgram(applies=False) as deepgram, opened(deepgram, timeouts=FAST) as (reading, _):
        left = await reading.until(AgentLeft)
    assert left == AgentLeft(1006, "no SettingsApplied", retry=True)


# ── trouble later ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("code", "retry"),
    [(1000, True), (1001, True), (1011, True), (1012, True), (4410, True), (4401, False), (4403, False)],
)
async def test_a_close_is_reported_with_its_code(code: int, *, retry: bool) -> None:
    async with ScriptedDeepgram() as deepgram, opened(deepgram) as (reading, agent):
        await reading.until(AgentReady)
        await agent.close(code, "because")
        assert await reading.until(AgentLeft) == AgentLeft(code, "because", retry=retry)


async def test_a_reset_is_reported_as_1006() -> None:
    async with ScriptedDeepgram() as deepgram, opened(deepgram) as (reading, agent):
        await reading.until(AgentReady)
        agent.reset()
        assert await reading.until(AgentLeft) == AgentLeft(1006, "", retry=True)
        with pytest.raises(PeerGone):
            await reading.upstream.send(Hear("anybody?"))


async def test_an_agent_that_hangs_is_noticed_by_its_pongs() -> None:
    async with ScriptedDeepgram() as deepgram, opened(deepgram, timeouts=FAST) as (reading, agent):
        await reading.until(AgentReady)
        agent.stall()
        assert await reading.until(AgentLeft) == AgentLeft(1006, "", retry=True)


async def test_an_agent_that_takes_nothing_is_given_up_at_the_send_deadline() -> None:
    timeouts = Timeouts(send=0.3, ping=30)
    async with ScriptedDeepgram() as deepgram, opened(deepgram, timeouts=timeouts) as (reading, agent):
        await reading.until(AgentReady)
        agent.stall()
        with pytest.raises(PeerGone):
            await _flood(reading.upstream)
        assert await reading.until(AgentLeft) == AgentLeft(1006, "", retry=True)


async def _flood(upstream: Upstream) -> None:
    async with asyncio.timeout(10):
        while True:
            await upstream.send(bytes(256 * 1024))


async def test_errors_and_rubbish_do_not_end_the_reading() -> None:
    async with ScriptedDeepgram() as deepgram, opened(deepgram) as (reading, agent):
        await reading.until(AgentReady)
        await agent.error("UNPARSABLE_CLIENT_MESSAGE")
        for text in ("not json", "[1]", '"text"', "{}", '{"type":7}', '{"type":"New","x":1}'):
            await agent.send_text(text)
        await agent.say("Still here.")
        await reading.until(ev.AgentAudioDone)
    assert reading.events[1] == AgentErred("UNPARSABLE_CLIENT_MESSAGE", "an error", fatal=False)
    assert reading.events[2:4] == [
        ev.AgentSaidOther({"type": 7}),
        ev.AgentSaidOther({"type": "New", "x": 1}),
    ]


async def test_a_cancelled_call_and_its_crossing_answer() -> None:
    async with ScriptedDeepgram() as deepgram, opened(deepgram) as (reading, agent):
        first, second = await agent.call_all(FunctionAsk("list_tasks"), FunctionAsk("list_tasks"))
        await agent.cancel(first)
        cancelled = await reading.until(ev.CallsCancelled)
        await reading.upstream.send(Answer(first, "list_tasks", "none"))
        await reading.upstream.send(Answer(second, "list_tasks", "none"))
        await agent.expect_answer(second)
        assert agent.late_answers == [first]
    assert cancelled.call_ids == (first,)


async def test_closing_is_polite_and_may_be_repeated() -> None:
    async with ScriptedDeepgram() as deepgram:
        async with opened(deepgram) as (reading, agent):
            await reading.until(AgentReady)
            await reading.upstream.close()
            await reading.upstream.close()
            assert await agent.expect_close() == 1000
        with pytest.raises(PeerGone):
            await reading.upstream.send(b"\x00\x00")


async def test_sessions_open_side_by_side() -> None:
    async with (
        ScriptedDeepgram() as deepgram,
        opened(deepgram) as (one, first),
        opened(deepgram) as (other, second),
    ):
        await first.say("one")
        await second.say("other")
        await one.until(ev.AgentAudioDone)
        await other.until(ev.AgentAudioDone)
        assert ev.TextArrived(Message(Role.ASSISTANT, "one")) in one.events
        assert ev.TextArrived(Message(Role.ASSISTANT, "other")) in other.events


async def test_the_key_is_never_logged(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "dg-secret-0123456789"
    with caplog.at_level(logging.DEBUG):
        async with ScriptedDeepgram(key=secret) as deepgram, opened(deepgram, key=secret) as (reading, _):
            await reading.until(AgentReady)
        async with ScriptedDeepgram(key="other") as deepgram:
            with pytest.raises(UpstreamFailed):
                await DeepgramUpstreams(deepgram.url, secret).open(brief())
    ours = [record for record in caplog.records if record.name != "websockets.server"]
    assert secret not in " ".join(record.getMessage() for record in ours)
    assert secret not in capsys.readouterr().out
