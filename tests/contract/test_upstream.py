"""What every upstream owes a session: each implementation passes these, with the same briefs."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from bridge.app import spoken_time
from bridge.core.commands import Answer, Hear, Speak, Steer
from bridge.core.events import (
    AgentAudioDone,
    AgentReady,
    CallsCancelled,
    CallsRequested,
    PeerEvent,
    TextArrived,
)
from bridge.core.model import Role
from bridge.errors import PeerGone
from bridge.ports import Upstreams
from bridge.upstreams.cascade.local import LocalUpstreams
from bridge.upstreams.deepgram import on_picows, on_websockets
from bridge.upstreams.deepgram.dialling import Dial
from bridge.upstreams.deepgram.socket import DeepgramUpstreams
from tests.support.briefs import brief
from tests.support.deepgram import FunctionAsk, ScriptedDeepgram
from tests.support.deepgram_echo import Echo
from tests.support.upstreams import open_and_read

AGENTS = Path(__file__).parents[2] / "config" / "agents"
WISH = "I want to learn Spanish in three months"
"""Each agent must ask for `submit_goal_intent` when it reads this."""


@asynccontextmanager
async def deepgram(dial: Dial) -> AsyncIterator[Upstreams]:
    goal = FunctionAsk(
        "submit_goal_intent", {"goal_statement": "learn Spanish", "timeline": "in three months"}
    )
    async with ScriptedDeepgram(script=Echo(calls={"spanish": goal})) as server:
        yield DeepgramUpstreams(server.url, "test-key", dial=dial)


@asynccontextmanager
async def local() -> AsyncIterator[Upstreams]:
    yield LocalUpstreams(spoken_time, agents=AGENTS)


MAKERS: dict[str, Callable[[], AbstractAsyncContextManager[Upstreams]]] = {
    "deepgram, picows": partial(deepgram, on_picows.dial),
    "deepgram, plain": partial(deepgram, on_websockets.dial),
    "local": local,
}


@pytest.fixture(params=sorted(MAKERS))
async def upstreams(request: pytest.FixtureRequest) -> AsyncIterator[Upstreams]:
    async with MAKERS[request.param]() as made:
        yield made
        await made.aclose()


def test_it_has_a_name(upstreams: Upstreams) -> None:
    assert upstreams.name.isidentifier()


async def test_ready_comes_first_and_every_session_has_its_own_id(upstreams: Upstreams) -> None:
    async with (
        open_and_read(upstreams, brief(greeting="Hey!")) as one,
        open_and_read(upstreams, brief()) as other,
    ):
        ids = {(await one.until(AgentReady)).request, (await other.until(AgentReady)).request}
        await one.until(TextArrived)
    assert len(ids) == 2
    assert "" not in ids
    assert isinstance(one.got[0], AgentReady)


async def test_typed_text_comes_back_and_is_answered_in_text_and_sound(upstreams: Upstreams) -> None:
    async with open_and_read(upstreams, brief()) as reading:
        await reading.until(AgentReady)
        await reading.upstream.send(Hear("hello there"))
        await reading.until(AgentAudioDone)
    first, *answers = reading.of(TextArrived)
    assert (first.message.role, first.message.content) == (Role.USER, "hello there")
    assert answers
    assert {answer.message.role for answer in answers} == {Role.ASSISTANT}
    assert len(reading.sound) > 1000


async def test_the_greeting_is_spoken_when_there_is_one(upstreams: Upstreams) -> None:
    async with open_and_read(upstreams, brief(greeting="Hey! What can I do?")) as reading:
        await reading.until(AgentAudioDone)
    assert " ".join(reading.said(Role.ASSISTANT)) == "Hey! What can I do?"
    assert len(reading.sound) > 1000


async def test_a_wish_becomes_a_call_and_its_answer_is_spoken(upstreams: Upstreams) -> None:
    async with open_and_read(upstreams, brief()) as reading:
        await reading.until(AgentReady)
        await reading.upstream.send(Hear(WISH))
        call = (await reading.until(CallsRequested)).functions[0]
        assert call.name == "submit_goal_intent"
        assert call.client_side
        assert "spanish" in json.loads(call.arguments)["goal_statement"].lower()
        before = len(reading.said(Role.ASSISTANT))
        await reading.upstream.send(Answer(call.id, call.name, "Goal saved: learn Spanish."))
        await reading.holds(lambda: len(reading.said(Role.ASSISTANT)) > before, "the agent's word on it")


async def test_a_new_turn_withdraws_open_calls_and_a_late_answer_does_no_harm(upstreams: Upstreams) -> None:
    async with open_and_read(upstreams, brief()) as reading:
        await reading.until(AgentReady)
        await reading.upstream.send(Hear(WISH))
        call = (await reading.until(CallsRequested)).functions[0]
        await reading.upstream.send(Hear("never mind"))
        assert (await reading.until(CallsCancelled)).call_ids == (call.id,)
        await reading.upstream.send(Answer(call.id, call.name, "Goal saved."))
        await reading.upstream.send(Hear("hello again"))
        await reading.holds(lambda: "hello again" in reading.said(Role.USER), "the next turn")


async def test_it_says_what_it_is_told_to_say(upstreams: Upstreams) -> None:
    async with open_and_read(upstreams, brief()) as reading:
        await reading.until(AgentReady)
        await reading.upstream.send(Speak("Are you still there?"))
        await reading.until(AgentAudioDone)
    assert reading.said(Role.ASSISTANT) == ["Are you still there?"]


async def test_being_steered_does_not_end_it(upstreams: Upstreams) -> None:
    async with open_and_read(upstreams, brief()) as reading:
        await reading.until(AgentReady)
        await reading.upstream.send(Steer({"type": "UpdatePrompt", "prompt": "Be brief."}))
        await reading.upstream.send(Hear("hello"))
        await reading.until(AgentAudioDone)


async def test_silence_and_empty_frames_are_no_turn(upstreams: Upstreams) -> None:
    async with open_and_read(upstreams, brief()) as reading:
        await reading.until(AgentReady)
        await reading.upstream.send(b"")
        for _ in range(100):
            await reading.upstream.send(bytes(640))
        await reading.upstream.send(Hear("hello"))
        await reading.until(AgentAudioDone)
    assert reading.said(Role.USER) == ["hello"]


async def test_after_closing_it_is_gone(upstreams: Upstreams) -> None:
    async with open_and_read(upstreams, brief()) as reading:
        await reading.until(AgentReady)
        async with asyncio.timeout(5):
            await reading.upstream.close()
            await reading.upstream.close()
        with pytest.raises(PeerGone):
            await reading.upstream.send(b"\x00\x00" * 320)
        with pytest.raises(PeerGone):
            await reading.upstream.send(Hear("anybody?"))


async def test_a_fault_of_ours_comes_out_of_reading_and_closing_does_not_raise(upstreams: Upstreams) -> None:
    def broken(_: bytes | PeerEvent) -> None:
        raise ZeroDivisionError

    upstream = await upstreams.open(brief())
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(upstream.read(broken), 5)
    await asyncio.wait_for(upstream.close(), 5)
    await upstream.close()
