"""Resampling: the same sound whatever the pieces."""

import numpy as np
import pytest

from bridge.audio.pcm import from_samples, level, samples
from bridge.audio.resample import Resampler

RATES = [
    (22_050, 24_000),
    (16_000, 24_000),
    (24_000, 16_000),
    (48_000, 16_000),
    (8_000, 16_000),
    (16_000, 8_000),
]


def sine(rate: int, hertz: float, seconds: float = 1.0) -> bytes:
    return from_samples(0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate))


def run(rate_in: int, rate_out: int, pcm: bytes, piece: int) -> bytes:
    resampler = Resampler(rate_in, rate_out)
    made = [resampler.feed(pcm[at : at + piece]) for at in range(0, len(pcm), piece)]
    return b"".join([*made, resampler.flush()])


@pytest.mark.parametrize(("rate_in", "rate_out"), RATES)
def test_a_tone_keeps_its_pitch_loudness_and_length(rate_in: int, rate_out: int) -> None:
    made = samples(run(rate_in, rate_out, sine(rate_in, 1_000), rate_in // 25))
    assert len(made) == pytest.approx(rate_out, abs=rate_out / 200)
    middle = made[rate_out // 10 : rate_out * 8 // 10]
    time = (np.arange(len(middle)) + rate_out // 10) / rate_out
    wanted = 0.5 * np.sin(2 * np.pi * 1_000 * time)
    assert np.max(np.abs(middle - wanted)) < 0.01


def test_pieces_of_any_length_even_odd_ones_give_the_same_sound() -> None:
    pcm = sine(22_050, 700, 0.3)
    whole = run(22_050, 24_000, pcm, len(pcm))
    for piece in (1_001, 882, 7):
        pieced = run(22_050, 24_000, pcm, piece)
        length = min(len(pieced), len(whole))
        assert length > 0.95 * len(whole)
        assert np.max(np.abs(samples(pieced[:length]) - samples(whole[:length]))) < 1e-3


def test_what_the_lower_rate_cannot_carry_is_taken_out() -> None:
    assert level(run(48_000, 16_000, sine(48_000, 11_000), 1_920)) < -50


def test_after_the_flush_it_begins_anew() -> None:
    pcm = sine(16_000, 500, 0.1)
    resampler = Resampler(16_000, 24_000)
    first = resampler.feed(pcm) + resampler.flush()
    assert resampler.feed(pcm) + resampler.flush() == first


def test_equal_rates_pass_whole_samples_through() -> None:
    resampler = Resampler(16_000, 16_000)
    assert resampler.feed(b"abc") == b"ab"
    assert resampler.feed(b"d") == b"cd"
    assert resampler.flush() == b""


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        Resampler(0, 16_000)
