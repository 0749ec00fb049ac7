"""PCM16: 16-bit signed samples, little-endian, mono, as bytes. Its numbers, its loudness."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

FLOOR_DBFS: Final = -96.0
"""The level of digital silence: the quietest 16 bits can say, in dB below full scale."""
_FULL_SCALE: Final = 32_768.0


def samples(pcm: bytes) -> NDArray[np.float32]:
    """PCM16, 2n bytes → (n,) float32 in −1…1."""
    scaled: NDArray[np.float32] = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(_FULL_SCALE)
    return scaled


def from_samples(values: NDArray[np.floating]) -> bytes:
    """(n,) floats in −1…1 → PCM16, 2n bytes; what lies outside is clipped."""
    whole: NDArray[np.float32] = np.rint(values * np.float32(_FULL_SCALE)).clip(-32_768, 32_767)
    return whole.astype("<i2").tobytes()


def level(pcm: bytes) -> float:
    """Loudness of PCM16 as its root mean square, in dBFS: 0 is a full-scale square wave, −96 is silence."""
    if not pcm:
        return FLOOR_DBFS
    wave = samples(pcm)
    power = float(np.dot(wave, wave)) / len(wave)
    return max(FLOOR_DBFS, 10 * float(np.log10(power))) if power > 0 else FLOOR_DBFS


def amplify(pcm: bytes, gain_db: float) -> bytes:
    """PCM16 made louder (or softer, below 0) by `gain_db`; clipped at full scale."""
    return from_samples(samples(pcm) * np.float32(10 ** (gain_db / 20)))


class Leveller:
    """Brings a stream of speech to one loudness while it runs: follows its peaks, moves the gain slowly.

    The gain rises only while something is louder than `gate`, so that a pause does not blow up its noise.
    """

    def __init__(self, target: float = -20.0, *, gate: float = -55.0, most: float = 24.0) -> None:
        """`target` and `gate` in dBFS, `most` in dB either way."""
        self._target = target
        self._gate = gate
        self._most = most
        self.gain = 0.0
        """What is added now, in dB."""

    def feed(self, pcm: bytes) -> bytes:
        """PCM16 of any length (20 ms is usual) → as many bytes, levelled."""
        now = level(pcm)
        if now > self._gate:
            wanted = float(np.clip(self._target - now, -self._most, self._most))
            self.gain += (wanted - self.gain) * (0.5 if wanted < self.gain else 0.05)
        return amplify(pcm, self.gain) if abs(self.gain) > 0.5 else pcm
