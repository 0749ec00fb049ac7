"""Between the wire's sound and the parts': μ-law, A-law, any rate ↔ PCM16 in frames or at the wire's rate."""

from typing import Final

from bridge.audio.framing import FrameSplitter, WholeSamples
from bridge.audio.mulaw import alaw_to_pcm, mulaw_to_pcm, pcm_to_alaw, pcm_to_mulaw
from bridge.audio.resample import Resampler
from bridge.core.model import AudioFormat
from bridge.errors import UpstreamFailed
from bridge.upstreams.cascade.parts import FRAME_BYTES, FRAME_RATE

ENCODINGS: Final = frozenset({"linear16", "mulaw", "alaw"})


def check(audio: AudioFormat) -> None:
    """Raises UpstreamFailed for sound that this agent cannot read or make."""
    if audio.encoding not in ENCODINGS or not 8000 <= audio.sample_rate <= 48_000:
        known = ", ".join(sorted(ENCODINGS))
        raise UpstreamFailed(f"The sound must be {known}, at 8,000 to 48,000 Hz.", retry=False)


class Decoder:
    """Sound as it comes in → PCM16, 16 kHz, in frames of 20 ms. One per stream."""

    def __init__(self, audio: AudioFormat) -> None:
        self._encoding = audio.encoding
        self._resampler = Resampler(audio.sample_rate, FRAME_RATE)
        self._frames = FrameSplitter(FRAME_BYTES)

    def feed(self, sound: bytes) -> list[bytes]:
        """Take sound of any length; return the frames that are complete now."""
        match self._encoding:
            case "mulaw":
                sound = mulaw_to_pcm(sound)
            case "alaw":
                sound = alaw_to_pcm(sound)
        return self._frames.feed(self._resampler.feed(sound))


class Encoder:
    """PCM16 of a voice → sound as it goes out, in pieces of one length. One per sentence."""

    def __init__(self, sample_rate: int, audio: AudioFormat, piece_ms: int) -> None:
        """`sample_rate`: of the PCM16 that is fed, in Hz."""
        self._encoding = audio.encoding
        self._resampler = Resampler(sample_rate, audio.sample_rate)
        self._whole = WholeSamples()
        self._pieces = FrameSplitter(audio.sample_rate * piece_ms // 1000 * 2)

    def feed(self, pcm: bytes) -> list[bytes]:
        """Take PCM16 of any length; return the pieces that are complete now."""
        return [self._encode(piece) for piece in self._pieces.feed(self._resampler.feed(pcm))]

    def flush(self) -> list[bytes]:
        """End of the sentence: return what is left."""
        pieces = self._pieces.feed(self._resampler.flush())
        last = self._whole.feed(self._pieces.flush())
        return [self._encode(piece) for piece in [*pieces, last] if piece]

    def _encode(self, pcm: bytes) -> bytes:
        match self._encoding:
            case "mulaw":
                return pcm_to_mulaw(pcm)
            case "alaw":
                return pcm_to_alaw(pcm)
            case _:
                return pcm
