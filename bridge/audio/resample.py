"""From one sample rate to another, piece by piece, without clicks between the pieces."""

from math import gcd
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bridge.audio.framing import WholeSamples
from bridge.audio.pcm import from_samples, samples

Wave = NDArray[np.float32]
"""(n,) float32 in −1…1, mono."""

_TAPS: Final = 32
"""Input samples each output sample is made of, when the rate goes up."""


class Resampler:
    """PCM16 mono at `rate_in` → PCM16 mono at `rate_out` (samples a second), stateful: one per stream."""

    def __init__(self, rate_in: int, rate_out: int) -> None:
        if rate_in <= 0 or rate_out <= 0:
            raise ValueError("a sample rate is positive")
        self._same = rate_in == rate_out
        self._whole = WholeSamples()
        self._filter = _Polyphase(rate_in, rate_out)

    def feed(self, piece: bytes) -> bytes:
        """Take sound of any length, even half a sample; return what is ready (it may be nothing at first)."""
        whole = self._whole.feed(piece)
        if self._same or not whole:
            return whole
        return from_samples(self._filter.process(samples(whole)))

    def flush(self) -> bytes:
        """End of the stream: return what the filter still holds. After it the resampler begins anew."""
        self._whole.reset()
        return b"" if self._same else from_samples(self._filter.flush())


class _Polyphase:
    """A windowed-sinc filter, one short filter per phase: output m lies at input position m × down / up."""

    def __init__(self, rate_in: int, rate_out: int) -> None:
        common = gcd(rate_in, rate_out)
        self._up, self._down = rate_out // common, rate_in // common
        self._filters = _filters(self._up, self._down)
        self._half = self._filters.shape[1] // 2
        self._restart()

    def _restart(self) -> None:
        self._held: Wave = np.zeros(self._half - 1, np.float32)
        self._next = 0
        """Where the next output sample's window begins in `_held`, in 1/up samples."""

    def process(self, wave: Wave) -> Wave:
        """(n,) in → about (n × ratio,) out; half a filter's length waits for its right-hand neighbours."""
        held = np.concatenate((self._held, wave))
        ready = (len(held) - 2 * self._half + 1) * self._up
        where = np.arange(self._next, max(ready, self._next), self._down)
        if len(where) == 0:
            self._held = held
            return np.zeros(0, np.float32)
        start, phase = np.divmod(where, self._up)
        windows = np.lib.stride_tricks.sliding_window_view(held, 2 * self._half)
        made: Wave = np.einsum("mt,mt->m", windows[start], self._filters[phase]).astype(np.float32)
        used = (int(where[-1]) + self._down) // self._up
        self._next = int(where[-1]) + self._down - used * self._up
        self._held = held[used:]
        return made

    def flush(self) -> Wave:
        """The tail, and a fresh start."""
        tail = self.process(np.zeros(self._half, np.float32))
        self._restart()
        return tail


def _filters(up: int, down: int) -> NDArray[np.float32]:
    """(up, taps) float32: the filter of each phase; each sums to one, so that a constant stays as it is."""
    cutoff = min(1.0, up / down) * 0.92
    half = int(np.ceil(_TAPS / 2 / min(1.0, up / down)))
    tap = np.arange(-half + 1, half + 1)
    distance = tap[None, :] - np.arange(up)[:, None] / up
    shape = _windowed(distance, half, cutoff)
    filters: NDArray[np.float64] = shape / shape.sum(axis=1, keepdims=True)
    return filters.astype(np.float32)


def _windowed(distance: NDArray[np.float64], half: int, cutoff: float) -> NDArray[np.float64]:
    """Sinc under a Blackman window as wide as the filter."""
    place = np.pi * distance / half
    window = 0.42 + 0.5 * np.cos(place) + 0.08 * np.cos(2 * place)
    shaped: NDArray[np.float64] = np.sinc(distance * cutoff) * np.where(np.abs(distance) < half, window, 0.0)
    return shaped
