"""μ-law and A-law against values of ITU-T G.711 and against themselves."""

import numpy as np
import pytest

from bridge.audio.mulaw import alaw_to_pcm, mulaw_to_pcm, pcm_to_alaw, pcm_to_mulaw

EVERY_CODE = bytes(range(256))
EVERY_SAMPLE = np.arange(-32_768, 32_768, dtype="<i2")


@pytest.mark.parametrize(
    ("code", "sample"), [(0xFF, 0), (0x7F, 0), (0x80, 32_124), (0x00, -32_124), (0xF0, 120), (0x8F, 16_764)]
)
def test_a_mulaw_byte_stands_for_the_sample_of_the_standard(code: int, sample: int) -> None:
    assert np.frombuffer(mulaw_to_pcm(bytes([code])), "<i2")[0] == sample


@pytest.mark.parametrize(
    ("code", "sample"), [(0xD5, 8), (0x55, -8), (0xAA, 32_256), (0x2A, -32_256), (0xC5, 264), (0x80, 5_504)]
)
def test_an_alaw_byte_stands_for_the_sample_of_the_standard(code: int, sample: int) -> None:
    assert np.frombuffer(alaw_to_pcm(bytes([code])), "<i2")[0] == sample


def test_decoding_and_coding_again_changes_no_sample() -> None:
    pcm = mulaw_to_pcm(EVERY_CODE)
    assert mulaw_to_pcm(pcm_to_mulaw(pcm)) == pcm
    pcm = alaw_to_pcm(EVERY_CODE)
    assert pcm_to_alaw(pcm) == EVERY_CODE


def test_every_sample_comes_back_within_the_step_of_its_segment() -> None:
    loud = np.abs(EVERY_SAMPLE.astype(np.int32))
    for back in (
        mulaw_to_pcm(pcm_to_mulaw(EVERY_SAMPLE.tobytes())),
        alaw_to_pcm(pcm_to_alaw(EVERY_SAMPLE.tobytes())),
    ):
        error = np.abs(np.frombuffer(back, "<i2").astype(np.int32) - EVERY_SAMPLE)
        assert np.all(error <= loud // 32 + 12)


def test_an_odd_number_of_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple"):
        pcm_to_mulaw(b"abc")
