"""PCM16 helpers: numbers, loudness."""

import numpy as np
import pytest

from bridge.audio.pcm import Leveller, amplify, from_samples, level, samples


def tone(amplitude: float, seconds: float = 0.2, rate: int = 16_000, hertz: float = 440) -> bytes:
    time = np.arange(int(seconds * rate)) / rate
    return from_samples(amplitude * np.sin(2 * np.pi * hertz * time))


def test_a_full_scale_sine_is_three_decibels_below_full_scale() -> None:
    assert level(tone(1.0)) == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize("quiet", [b"", bytes(640)])
def test_silence_has_the_lowest_level(quiet: bytes) -> None:
    assert level(quiet) == -96.0


def test_samples_survive_a_round_trip() -> None:
    pcm = np.arange(-32_768, 32_768, dtype="<i2").tobytes()
    assert from_samples(samples(pcm)) == pcm


def test_what_is_too_loud_is_clipped_and_does_not_wrap() -> None:
    assert samples(amplify(tone(0.9), 20)).min() == -1.0
    assert samples(amplify(tone(0.9), 20)).max() == pytest.approx(1.0, abs=1e-4)


def test_the_leveller_lifts_quiet_speech_but_not_its_pauses() -> None:
    leveller = Leveller(target=-20)
    for _ in range(100):
        spoken = leveller.feed(tone(0.01, seconds=0.02))
    assert level(spoken) == pytest.approx(-20, abs=1.5)
    gain = leveller.gain
    for _ in range(100):
        leveller.feed(tone(0.0005, seconds=0.02))
    assert leveller.gain == gain
