"""The agent that needs no key, with its real parts: a spoken wish, a cut, typed text, missing wheels."""

import asyncio
import importlib.util
import json
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Final

import numpy as np
import psutil
import pytest

from bridge.audio.mulaw import pcm_to_mulaw
from bridge.audio.resample import Resampler
from bridge.core.commands import Hear, Steer
from bridge.core.events import (
    AgentAudioDone,
    AgentErred,
    AgentLeft,
    LatencyReported,
    TextArrived,
    TurnEnded,
    UserStartedSpeaking,
)
from bridge.core.model import AudioFormat, Role
from bridge.errors import PeerGone
from bridge.ports import Brief
from bridge.upstreams.cascade.local import WHEELS, LocalUpstreams, missing
from bridge.upstreams.cascade.pipeline import Pipeline
from tests.bridge.upstreams.cascade.sessions import Reader, flux, reading
from tests.bridge.upstreams.cascade.thinking.talks import NOW, ROOT, grammar

WISH: Final = Path(__file__).parent / "voices/learn_spanish.wav"
WORKER: Final = "bridge.upstreams.cascade.hearing.worker"
LONG: Final = (
    "This is a long sentence that goes on and on about nothing at all, so that there is time to cut it."
)


def local(agents: Path = ROOT / "config/agents") -> LocalUpstreams:
    """The local agent at the fixed time."""
    return LocalUpstreams(grammar, agents=agents, processes=1, now=lambda: NOW)


@asynccontextmanager
async def session(given: Brief, upstreams: LocalUpstreams | None = None) -> AsyncIterator[Reader]:
    """A session with the real parts; all of them are gone afterwards."""
    upstreams = upstreams or local()
    await upstreams.warm("flux")
    try:
        pipeline = await upstreams.open(given)
        assert isinstance(pipeline, Pipeline)
        async with reading(pipeline) as reader:
            yield reader
    finally:
        await upstreams.aclose()


def recording(audio: AudioFormat, *, before: float = 0.5, after: float = 1.5) -> bytes:
    """The spoken wish with some silence around it, as that format."""
    with wave.open(str(WISH)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        rate, pcm = file.getframerate(), file.readframes(file.getnframes())
    noise = (np.random.default_rng(1).normal(0, 12, int(rate * (before + after)))).astype("<i2").tobytes()
    cut = int(rate * before) * 2
    resampler = Resampler(rate, audio.sample_rate)
    sound = resampler.feed(noise[:cut] + pcm + noise[cut:]) + resampler.flush()
    return pcm_to_mulaw(sound) if audio.encoding == "mulaw" else sound


async def play(pipeline: Pipeline, sound: bytes, audio: AudioFormat, *, speed: float = 1.0) -> None:
    """Send sound in pieces of 20 ms, in real time or so much faster."""
    loop = asyncio.get_running_loop()
    size, due = audio.bytes_per_second // 50, loop.time()
    for at in range(0, len(sound), size):
        await pipeline.send(sound[at : at + size])
        due += 0.02 / speed
        await asyncio.sleep(due - loop.time())


@pytest.mark.parametrize("audio", [AudioFormat("linear16", 16_000), AudioFormat("mulaw", 16_000)])
async def test_a_spoken_wish_is_heard_called_for_answered_and_spoken(audio: AudioFormat) -> None:
    async with session(flux(audio_in=audio)) as reader, asyncio.TaskGroup() as group:
        group.create_task(play(reader.pipeline, recording(audio), audio, speed=4), name="microphone")
        request = await reader.answer("Goal saved: learn Spanish, by February 18.", note="goal_id: 4")
        await reader.done()
        arguments = json.loads(request.functions[0].arguments)
        assert request.functions[0].name == "submit_goal_intent"
        assert arguments == {"goal_statement": "learn Spanish", "timeline": "in three months"}
        assert reader.said(Role.USER) == ["I want to learn Spanish in three months"]
        assert reader.said()[0] == "Goal saved: learn Spanish, by February 18."
        names = [name for name in reader.kinds() if name != "LatencyReported"]
        assert names[:6] == [
            *("AgentReady", "UserStartedSpeaking", "text user"),
            *("TurnEnded", "CallsRequested", "text assistant"),
        ]
        assert names[6] == "sound"
        assert names[-1] == "AgentAudioDone"
        assert len(reader.sound()) / 48_000 > 1.0
        latency = next(item.extra for item in reader.items if isinstance(item, LatencyReported))
        assert {"stt_latency", "ttt_text_latency", "tts_latency", "total_latency"} <= set(latency)


async def test_speaking_over_the_agent_cuts_it() -> None:
    audio = AudioFormat("linear16", 16_000)
    async with session(flux(greeting=f"{LONG} {LONG}")) as reader, asyncio.TaskGroup() as group:
        await reader.until(lambda item: isinstance(item, bytes))
        group.create_task(play(reader.pipeline, recording(audio), audio), name="microphone")
        cut, _ = await reader.event(UserStartedSpeaking)
        assert not [item for item in reader.items if isinstance(item, AgentAudioDone)][1:]
        assert await reader.done(after=cut) == cut + 1
        sent_before = len(reader.sound())
        _, _ended = await reader.event(TurnEnded, after=cut)
        assert len(reader.sound()) == sent_before
        request = await reader.answer("Goal saved.", after=cut)
        assert request.functions[0].name == "submit_goal_intent"
        await reader.done(after=cut + 2)


async def test_a_turn_can_be_ended_by_hand() -> None:
    audio = AudioFormat("linear16", 16_000)
    async with session(flux()) as reader:
        await play(reader.pipeline, recording(audio, after=0.0), audio, speed=4)
        await reader.pipeline.send(Steer({"type": "ForceEndTurn"}))
        await play(reader.pipeline, b"\0\0" * 320, audio)
        _, ended = await reader.event(TurnEnded)
        assert ended.trigger == "manual"
        assert reader.said(Role.USER) == ["I want to learn Spanish in three months"]


async def test_typed_text_is_answered_with_the_real_voice() -> None:
    async with session(flux(greeting="Hey! What can I help you with today?")) as reader:
        greeted = await reader.done()
        await reader.pipeline.send(Hear("remind me to call mom"))
        await reader.done(after=greeted + 1)
        assert reader.said()[-1].endswith("at a certain place?")
        assert len(reader.sound()) / 48_000 > 2.0


async def test_without_a_language_model_typed_text_is_served(tmp_path: Path) -> None:
    async with session(flux(), local(tmp_path)) as reader:
        await reader.pipeline.send(b"\0" * 64_000)
        await reader.pipeline.send(Hear("what can you do"))
        await reader.done()
        assert "learn Spanish" in " ".join(reader.said())


async def test_without_any_wheel_it_answers_in_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def absent(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name in WHEELS else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", absent)
    assert missing() == list(WHEELS.values())
    upstreams = LocalUpstreams(grammar, agents=ROOT / "config/agents", voice="espeak", now=lambda: NOW)
    async with session(flux(), upstreams) as reader:
        await reader.pipeline.send(Hear("hello"))
        await reader.done()
        assert reader.kinds() == ["AgentReady", "text user", "TurnEnded", "text assistant", "AgentAudioDone"]


def test_here_nothing_is_missing() -> None:
    assert missing() == []


async def test_an_ear_that_dies_ends_the_session_and_says_so() -> None:
    audio = AudioFormat("linear16", 16_000)
    async with session(flux()) as reader:
        await play(reader.pipeline, recording(audio, after=0.0), audio, speed=4)
        await reader.event(UserStartedSpeaking)
        for process in psutil.Process().children():
            if WORKER in process.cmdline():
                process.kill()
        with suppress(PeerGone):
            await play(reader.pipeline, b"\0\0" * 32_000, audio)
        _, erred = await reader.event(AgentErred)
        await reader.event(AgentLeft)
        assert (erred.code, erred.fatal) == ("ASR_CONNECTION_CLOSED", True)


async def test_a_user_text_is_never_spoken_back_as_the_agents() -> None:
    async with session(flux()) as reader:
        await reader.pipeline.send(Hear("hello"))
        await reader.done()
        roles = [item.message.role for item in reader.items if isinstance(item, TextArrived)]
        assert roles == [Role.USER, Role.ASSISTANT]
