"""Takes the silence off the beginning of a spoken sentence: voices may begin with a quarter of a second."""

from __future__ import annotations

from typing import Final

import numpy as np

LOUD: Final = 328
"""Sample value from which there is something to hear: 1 % of full scale."""
KEPT_MS: Final = 30
"""Milliseconds of the silence that stay, so that no consonant is clipped."""


class LeadIn:
    """One sentence's beginning."""

    def __init__(self, sample_rate: int) -> None:
        self._kept = sample_rate * KEPT_MS // 1000 * 2
        self._quiet: bytes | None = b""
        """The newest bytes while nothing was heard yet; None = the sentence has begun."""

    def feed(self, pcm: bytes) -> bytes:
        """The next PCM16 sound, whole samples, without the silence before the first word; perhaps empty."""
        if self._quiet is None:
            return pcm
        held = self._quiet + pcm
        loud = np.flatnonzero(np.abs(np.frombuffer(held, "<i2").astype(np.int32)) >= LOUD)
        if not loud.size:
            self._quiet = held[-self._kept :]
            return b""
        self._quiet = None
        return held[max(0, int(loud[0]) * 2 - self._kept) :]
