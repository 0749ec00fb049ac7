"""Telephone sound: μ-law and A-law (ITU-T G.711) to PCM16 and back, each by one look-up in a table.

Bytes in, bytes out: one byte of G.711 is one sample; one sample of PCM16 is two bytes, little-endian, mono.
"""

from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

Kind = TypeVar("Kind", bound=np.generic)

_BIAS: Final = 132
_CLIP: Final = 32_635


def mulaw_to_pcm(sound: bytes) -> bytes:
    """μ-law, n bytes → PCM16, 2n bytes."""
    return _MULAW_DECODE[np.frombuffer(sound, np.uint8)].tobytes()


def pcm_to_mulaw(pcm: bytes) -> bytes:
    """PCM16, 2n bytes → μ-law, n bytes. An odd number of bytes is an error of the caller: `ValueError`."""
    return _MULAW_ENCODE[_patterns(pcm)].tobytes()


def alaw_to_pcm(sound: bytes) -> bytes:
    """A-law, n bytes → PCM16, 2n bytes."""
    return _ALAW_DECODE[np.frombuffer(sound, np.uint8)].tobytes()


def pcm_to_alaw(pcm: bytes) -> bytes:
    """PCM16, 2n bytes → A-law, n bytes. An odd number of bytes is an error of the caller: `ValueError`."""
    return _ALAW_ENCODE[_patterns(pcm)].tobytes()


def _patterns(pcm: bytes) -> NDArray[np.uint16]:
    """PCM16, 2n bytes → (n,) uint16: each sample's bits."""
    return np.frombuffer(pcm, "<u2")


def _mulaw_decode_table() -> NDArray[np.int16]:
    """(256,) int16: the sample each μ-law byte stands for."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + _BIAS) << ((code & 0x70) >> 4)) - _BIAS
    return _frozen(np.where(code & 0x80, -magnitude, magnitude).astype("<i2"))


def _mulaw_encode_table() -> NDArray[np.uint8]:
    """(65536,) uint8, indexed by the sample read as unsigned."""
    sample = _every_sample()
    magnitude = np.minimum(np.abs(sample), _CLIP) + _BIAS
    segment = _bit_length(magnitude) - 8
    mantissa = (magnitude >> (segment + 3)) & 0x0F
    return _frozen((~(np.where(sample < 0, 0x80, 0) | (segment << 4) | mantissa) & 0xFF).astype(np.uint8))


def _alaw_decode_table() -> NDArray[np.int16]:
    """(256,) int16: the sample each A-law byte stands for."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment = (code & 0x70) >> 4
    mantissa = (code & 0x0F) << 4
    magnitude = np.where(segment == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(segment - 1, 0))
    return _frozen(np.where(code & 0x80, magnitude, -magnitude).astype("<i2"))


def _alaw_encode_table() -> NDArray[np.uint8]:
    """(65536,) uint8, indexed by the sample read as unsigned."""
    sample = _every_sample() >> 3
    magnitude = np.where(sample >= 0, sample, -sample - 1)
    segment = np.maximum(_bit_length(magnitude) - 5, 0)
    mantissa = (magnitude >> np.maximum(segment, 1)) & 0x0F
    return _frozen((((segment << 4) | mantissa) ^ np.where(sample >= 0, 0xD5, 0x55)).astype(np.uint8))


def _every_sample() -> NDArray[np.int32]:
    """(65536,) int32: each 16-bit pattern as the signed sample it stands for."""
    return np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)


def _bit_length(value: NDArray[np.int32]) -> NDArray[np.int32]:
    """How many bits each non-negative value needs; 0 for 0."""
    return np.frexp(value.astype(np.float64))[1].astype(np.int32)


def _frozen(table: NDArray[Kind]) -> NDArray[Kind]:
    table.flags.writeable = False
    return table


_MULAW_DECODE: Final = _mulaw_decode_table()
_MULAW_ENCODE: Final = _mulaw_encode_table()
_ALAW_DECODE: Final = _alaw_decode_table()
_ALAW_ENCODE: Final = _alaw_encode_table()
