"""A voice detector without a model: louder than the room has been, with its power where voices have it.

Good enough for a quiet room; keys, music and a slammed door fool it. It needs nothing but numpy.
"""

from collections import deque
from typing import Final

import numpy as np

from bridge.audio.framing import FrameSplitter
from bridge.audio.pcm import samples
from bridge.upstreams.cascade.parts import FRAME_RATE

WINDOW: Final = 512
"""Samples of one look at the sound: 32 ms."""
_ROOM: Final = 94
"""Windows the room's own loudness is taken from: the last 3 s."""
_QUIETEST_DB: Final = -58.0
"""Below that (dB below full scale, voice band) nobody speaks, however quiet the room."""
_MIDDLE_DB: Final = 11.0
"""So much louder than the room is as likely speech as not."""
_STEEP_DB: Final = 2.0
"""How many dB more make speech about e times as likely."""


class EnergyDetector:
    """A `VoiceDetector`."""

    def __init__(self) -> None:
        self._windows = FrameSplitter(WINDOW * 2)
        self._shape = np.hanning(WINDOW).astype(np.float32)
        pitch = np.fft.rfftfreq(WINDOW, 1 / FRAME_RATE)
        self._voice_band = (pitch > 150) & (pitch < 4_000)
        self._room: deque[float] = deque([_QUIETEST_DB], maxlen=_ROOM)
        self._speech = 0.0

    def feed(self, frame: bytes) -> float:
        """PCM16 of any length, 20 ms usually → likelihood of speech (0–1) in the newest whole 32 ms."""
        for window in self._windows.feed(frame):
            self._look(window)
        return self._speech

    def _look(self, window: bytes) -> None:
        power = np.abs(np.fft.rfft(samples(window) * self._shape)) ** 2
        voiced = float(power[self._voice_band].sum())
        loud = 10 * float(np.log10(voiced * 4 / WINDOW**2 + 1e-12))
        share = voiced / (float(power.sum()) + 1e-12)
        above = loud - max(float(np.percentile(self._room, 15)), _QUIETEST_DB)
        self._room.append(loud)
        likely = share / (1 + float(np.exp((_MIDDLE_DB - above) / _STEEP_DB)))
        self._speech += (likely - self._speech) * (0.7 if likely > self._speech else 0.3)
