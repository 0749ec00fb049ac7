"""The silence before a sentence goes, all but a little; nothing that can be heard does."""

from __future__ import annotations

import numpy as np
import pytest

from bridge.upstreams.cascade.speaking.lead_in import KEPT_MS, LeadIn

RATE = 16000
KEPT = RATE * KEPT_MS // 1000


def pcm(*stretches: tuple[int, int]) -> bytes:
    """(samples, value) one after the other."""
    return np.concatenate([np.full(length, value, "<i2") for length, value in stretches]).tobytes()


@pytest.mark.parametrize("step", [320, 7000, 1 << 20])
def test_silence_before_the_first_word_goes_and_later_silence_stays(step: int) -> None:
    sound = pcm((4000, 20), (1000, 9000), (2000, 0), (500, -9000))
    lead_in = LeadIn(RATE)
    out = b"".join(lead_in.feed(sound[start : start + step]) for start in range(0, len(sound), step))
    assert out == sound[(4000 - KEPT) * 2 :]


def test_a_sentence_that_begins_at_once_is_whole() -> None:
    sound = pcm((10, 0), (100, -32768))
    assert LeadIn(RATE).feed(sound) == sound


def test_a_sentence_that_says_nothing_has_no_sound() -> None:
    assert LeadIn(RATE).feed(pcm((8000, 100))) == b""
