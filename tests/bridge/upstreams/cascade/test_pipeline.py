"""One session of the agent made of parts: the order of what comes out, calls, cuts, failures."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from bridge.core.commands import Answer, Hear, Speak, Steer
from bridge.core.events import (
    AgentAudioDone,
    AgentErred,
    AgentLeft,
    AgentReady,
    AgentSaidOther,
    AgentWarned,
    CallsCancelled,
    CallsRequested,
    LatencyReported,
    PeerEvent,
    TextArrived,
    UserStartedSpeaking,
)
from bridge.core.model import AudioFormat, Modality, Role
from bridge.errors import PeerGone, UpstreamFailed
from bridge.upstreams.cascade.parts import Answer as Told
from bridge.upstreams.cascade.parts import Fit, Say, Thought, Turn
from bridge.upstreams.cascade.pipeline import Pipeline, SessionParts
from tests.bridge.upstreams.cascade.sessions import Tones, flux, humming, running, silent

WISH = "I want to learn Spanish in three months"


async def test_it_is_ready_first_and_greets() -> None:
    async with running(humming(), flux(greeting="Hey there!")) as reader:
        await reader.done()
        assert reader.items[0] == AgentReady("request-1")
        assert reader.kinds() == ["AgentReady", "text assistant", "sound", "AgentAudioDone"]
        assert reader.said() == ["Hey there!"]


async def test_without_a_greeting_it_waits() -> None:
    async with running(humming(), flux()) as reader:
        await reader.event(AgentReady)
        await asyncio.sleep(0)
        assert reader.kinds() == ["AgentReady"]


async def test_typed_text_is_echoed_called_for_answered_and_spoken() -> None:
    async with running(humming(), flux()) as reader:
        await reader.pipeline.send(Hear(WISH))
        request = await reader.answer("Goal saved: learn Spanish.", note="goal_id: 3")
        await reader.done()
        assert reader.kinds() == [
            *("AgentReady", "text user", "TurnEnded", "CallsRequested"),
            *("text assistant", "sound", "LatencyReported", "sound"),
            *("AgentAudioDone",),
        ]
        assert request.functions[0].name == "submit_goal_intent"
        assert (
            request.functions[0].arguments
            == '{"goal_statement": "learn Spanish", "timeline": "in three months"}'
        )
        assert reader.said()[0] == "Goal saved: learn Spanish."
        assert "goal_id" not in " ".join(reader.said())
        echo = next(item for item in reader.items if isinstance(item, TextArrived))
        assert (echo.message.role, echo.message.modality) == (Role.USER, Modality.TEXT)


async def test_a_session_without_a_voice_answers_in_text() -> None:
    async with running(silent(), flux()) as reader:
        await reader.pipeline.send(Hear("remind me to call mom"))
        await reader.done()
        assert reader.kinds() == ["AgentReady", "text user", "TurnEnded", "text assistant", "AgentAudioDone"]


async def test_the_latency_of_a_turn_is_reported_once_in_seconds() -> None:
    async with running(humming(), flux()) as reader:
        await reader.pipeline.send(Hear(WISH))
        await reader.answer("Goal saved.")
        await reader.done()
        reports = [item.extra for item in reader.items if isinstance(item, LatencyReported)]
        assert len(reports) == 1
        assert set(reports[0]) == {"ttt_text_latency", "ttt_tool_latency", "tts_latency", "total_latency"}
        assert all(isinstance(figure, float) and 0 <= figure < 5 for figure in reports[0].values())


@pytest.mark.parametrize(
    ("audio", "bytes_per_second"),
    [
        (AudioFormat("linear16", 24_000), 48_000),
        (AudioFormat("linear16", 16_000), 32_000),
        (AudioFormat("mulaw", 8_000), 8_000),
        (AudioFormat("alaw", 8_000), 8_000),
    ],
)
async def test_sound_goes_out_in_the_format_that_was_asked_for(
    audio: AudioFormat, bytes_per_second: int
) -> None:
    sentence = "x" * 50
    async with running(humming(), flux(greeting=sentence, audio_out=audio)) as reader:
        await reader.done()
        assert len(reader.sound()) / bytes_per_second == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("audio", [AudioFormat("opus", 48_000), AudioFormat("linear16", 0)])
async def test_a_format_it_cannot_handle_is_refused(audio: AudioFormat) -> None:
    with pytest.raises(UpstreamFailed):
        Pipeline(flux(audio_in=audio), silent(), request="request-1")


# ── cuts ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_typing_while_it_speaks_cuts_the_reply() -> None:
    tones = Tones()
    async with running(humming(tones), flux(greeting="x" * 400)) as reader:
        await reader.until(lambda item: isinstance(item, bytes))
        await reader.pipeline.send(Hear("hello"))
        cut, _ = await reader.event(UserStartedSpeaking)
        await reader.done(after=await reader.done(after=cut) + 1)
        after = [type(item) for item in reader.items[cut : cut + 2]]
        assert after == [UserStartedSpeaking, AgentAudioDone]
        assert len(reader.said()) == 2
        assert len(b"".join(i for i in reader.items[:cut] if isinstance(i, bytes))) < 48_000 * 0.4
        assert tones.open == 0


async def test_calls_that_are_not_answered_are_withdrawn_when_the_person_goes_on() -> None:
    async with running(humming(), flux()) as reader:
        await reader.pipeline.send(Hear(WISH))
        index, request = await reader.event(CallsRequested)
        await reader.pipeline.send(Hear("no, I meant French"))
        _, cancelled = await reader.event(CallsCancelled)
        assert cancelled.call_ids == (request.functions[0].id,)
        await reader.pipeline.send(Answer(request.functions[0].id, "submit_goal_intent", "Too late."))
        again = await reader.answer("Goal saved: learn French.", after=index + 1)
        await reader.done(after=await reader.until(lambda i: isinstance(i, CallsRequested), after=index + 1))
        assert "learn French" in again.functions[0].arguments
        assert "Too late." not in reader.said()


async def test_two_messages_in_a_row_are_both_heard() -> None:
    async with running(silent(), flux()) as reader:
        await reader.pipeline.send(Hear("remind me to call mom"))
        await reader.pipeline.send(Hear("tomorrow at five pm"))
        request = await reader.answer("Task created.")
        assert "call mom" in request.functions[0].arguments
        assert reader.said(Role.USER) == ["remind me to call mom", "tomorrow at five pm"]


# ── injected sentences, steering ─────────────────────────────────────────────────────────────────────


async def test_an_injected_message_is_spoken_when_nobody_speaks() -> None:
    async with running(humming(), flux()) as reader:
        await reader.pipeline.send(Speak("Are you still there?"))
        await reader.done()
        assert reader.kinds() == ["AgentReady", "text assistant", "sound", "AgentAudioDone"]


async def test_a_queued_message_waits_for_the_reply() -> None:
    async with running(humming(), flux(greeting="x" * 60)) as reader:
        await reader.until(lambda item: isinstance(item, bytes))
        await reader.pipeline.send(Speak("And this.", "queue"))
        await reader.done(after=await reader.done() + 1)
        assert reader.said() == ["x" * 60, "And this."]


async def test_a_message_in_the_middle_of_a_reply_is_refused_by_default() -> None:
    async with running(humming(), flux(greeting="x" * 60)) as reader:
        await reader.until(lambda item: isinstance(item, bytes))
        await reader.pipeline.send(Speak("Not now.", "default"))
        _, refused = await reader.event(AgentSaidOther)
        await reader.done()
        assert refused.raw["type"] == "InjectionRefused"
        assert reader.said() == ["x" * 60]


async def test_an_interrupting_message_replaces_the_reply() -> None:
    async with running(humming(), flux(greeting="x" * 400)) as reader:
        await reader.until(lambda item: isinstance(item, bytes))
        await reader.pipeline.send(Speak("Stop.", "interrupt"))
        await reader.done(after=await reader.done() + 1)
        assert reader.said() == ["x" * 400, "Stop."]
        assert len(reader.sound()) < 48_000


@pytest.mark.parametrize(
    ("raw", "acknowledged"),
    [
        ({"type": "UpdatePrompt", "prompt": "Be brief."}, "PromptUpdated"),
        ({"type": "UpdateThink", "think": {"provider": {}}}, "ThinkUpdated"),
        ({"type": "UpdateSpeak", "speak": {"provider": {}}}, "SpeakUpdated"),
        ({"type": "UpdateListen", "listen": {"provider": {}}}, "ListenUpdated"),
        ({"type": "UpdateThink_Live", "think_live": {"provider": {}}}, "ThinkLiveUpdated"),
    ],
)
async def test_updates_are_acknowledged(raw: dict[str, object], acknowledged: str) -> None:
    async with running(silent(), flux()) as reader:
        await reader.pipeline.send(Steer(raw))
        _, said = await reader.event(AgentSaidOther)
        assert said.raw == {"type": acknowledged}


@pytest.mark.parametrize("raw", [{"type": "UpdatePrompt"}, {"type": "Nonsense"}, {}, {"type": 3}])
async def test_a_message_that_cannot_be_read_is_answered_and_nothing_ends(raw: dict[str, object]) -> None:
    async with running(silent(), flux()) as reader:
        await reader.pipeline.send(Steer(raw))
        _, erred = await reader.event(AgentErred)
        assert (erred.code, erred.fatal) == ("UNPARSABLE_CLIENT_MESSAGE", False)
        await reader.pipeline.send(Hear("hello"))
        await reader.done()


async def test_a_client_injects_a_sentence_of_its_own() -> None:
    async with running(humming(), flux()) as reader:
        await reader.pipeline.send(Steer({"type": "InjectAgentMessage", "message": "Lunch is ready."}))
        await reader.done()
        assert reader.said() == ["Lunch is ready."]


async def test_a_turn_that_is_not_there_cannot_be_ended() -> None:
    async with running(silent(), flux()) as reader:
        await reader.pipeline.send(Steer({"type": "ForceEndTurn"}))
        _, warned = await reader.event(AgentWarned)
        assert warned.code == "FORCE_END_TURN_UNSUPPORTED"


# ── a client's own functions ─────────────────────────────────────────────────────────────────────────

LIGHTS = {
    "name": "switch_light",
    "description": "Switches a light.",
    "parameters": {
        "type": "object",
        "properties": {"room": {"type": "string"}, "state": {"type": "string", "enum": ["on", "off"]}},
        "required": ["room", "state"],
        "x-bridge": {"examples": ["turn {state} the light in the {room}"]},
    },
}


async def test_a_clients_own_functions_take_the_place_of_the_agents() -> None:
    block = {"think": {"provider": {"type": "open_ai"}, "functions": [LIGHTS]}}
    async with running(silent(), flux(client_agent=block)) as reader:
        await reader.pipeline.send(Hear("turn on the light in the kitchen"))
        request = await reader.answer('{"message": "The kitchen is lit."}')
        await reader.done()
        assert request.functions[0].name == "switch_light"
        assert request.functions[0].arguments == '{"room": "kitchen", "state": "on"}'
        assert reader.said()[0] == "The kitchen is lit."


async def test_functions_can_be_changed_on_the_way() -> None:
    async with running(silent(), flux(client_agent={"think": {"functions": []}})) as reader:
        await reader.pipeline.send(Steer({"type": "UpdateThink", "think": {"functions": [LIGHTS]}}))
        await reader.pipeline.send(Hear("turn off the light in the hall"))
        request = await reader.answer("Done.")
        assert request.functions[0].arguments == '{"room": "hall", "state": "off"}'


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────


async def test_after_the_end_nothing_is_taken_and_no_task_is_left() -> None:
    tones = Tones()
    before = asyncio.all_tasks()
    pipeline = Pipeline(flux(greeting="x" * 400), humming(tones), request="request-1")
    await pipeline.start()
    assert asyncio.all_tasks() != before
    await pipeline.close()
    await pipeline.close()
    assert asyncio.all_tasks() == before
    assert tones.closed
    items: list[bytes | PeerEvent] = []
    await pipeline.read(items.append)
    assert items[-1] == AgentLeft(1000, "closed")
    with pytest.raises(PeerGone):
        await pipeline.send(Hear("hello"))


class Broken:
    """A part that fails when it is used."""

    sample_rate = 16_000

    async def speak(self, sentence: str) -> AsyncIterator[bytes]:
        """Fail after the first sound."""
        yield b"\0\0" * 1600
        raise OSError("the voice is gone")

    async def reply(self, turn: Turn) -> AsyncIterator[Thought]:
        """Fail after the first sentence."""
        yield Say("One moment.")
        raise ValueError("the mind is gone")

    async def answered(self, answers: Sequence[Told]) -> AsyncIterator[Thought]:
        """Never asked."""
        yield Say("")

    def fits(self, partial: str) -> Fit:
        """Never finished."""
        return Fit.OPEN

    def choose(self, heard: Sequence[str]) -> str:
        """The likeliest."""
        return heard[0]

    async def aclose(self) -> None:
        """Fail here too."""
        raise OSError("nothing to close")


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        (SessionParts(make_mind=lambda _: Broken(), speech=Tones()), "FAILED_TO_THINK"),
        (SessionParts(make_mind=humming().make_mind, speech=Broken()), "FAILED_TO_SPEAK"),
    ],
)
async def test_a_part_that_fails_ends_the_session_and_says_which(parts: SessionParts, code: str) -> None:
    async with running(parts, flux()) as reader:
        await reader.pipeline.send(Hear("hello"))
        _, erred = await reader.event(AgentErred)
        _, left = await reader.event(AgentLeft)
        assert (erred.code, erred.fatal, left.retry) == (code, True, True)
        assert reader.items[-1] is left
        with pytest.raises(PeerGone):
            await reader.pipeline.send(Hear("hello"))
