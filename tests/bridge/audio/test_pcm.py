"""PCM16 helpers: levels, loudness, frames."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.pcm import (
    FrameSplitter,
    Leveller,
    WholeSamples,
    amplify,
    from_samples,
    level,
    normalise,
    samples,
)


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


def test_a_quiet_recording_is_brought_to_the_target() -> None:
    assert level(normalise(tone(0.01), target=-20)) == pytest.approx(-20, abs=0.2)


def test_silence_is_not_amplified() -> None:
    assert normalise(bytes(640)) == bytes(640)


def test_a_very_quiet_recording_is_amplified_no_more_than_allowed() -> None:
    quiet = tone(0.002)
    assert level(normalise(quiet, target=-20, most=12)) == pytest.approx(level(quiet) + 12, abs=0.3)


def test_the_leveller_lifts_quiet_speech_but_not_its_pauses() -> None:
    leveller = Leveller(target=-20)
    for _ in range(100):
        spoken = leveller.feed(tone(0.01, seconds=0.02))
    assert level(spoken) == pytest.approx(-20, abs=1.5)
    gain = leveller.gain
    for _ in range(100):
        leveller.feed(tone(0.0005, seconds=0.02))
    assert leveller.gain == gain


@given(st.lists(st.binary(max_size=50)), st.integers(1, 40))
def test_frames_hold_every_byte_in_order_whatever_the_pieces(pieces: list[bytes], size: int) -> None:
    splitter = FrameSplitter(size)
    frames = [frame for piece in pieces for frame in splitter.feed(piece)]
    assert {len(frame) for frame in frames} <= {size}
    rest = splitter.flush()
    assert len(rest) < size
    assert b"".join(frames) + rest == b"".join(pieces)


@given(st.lists(st.binary(max_size=9)))
def test_a_sample_is_never_split(pieces: list[bytes]) -> None:
    whole = WholeSamples()
    passed = [whole.feed(piece) for piece in pieces]
    assert all(len(part) % 2 == 0 for part in passed)
    together = b"".join(pieces)
    assert b"".join(passed) == together[: len(together) & ~1]


def test_a_frame_without_a_size_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        FrameSplitter(0)
