"""How long each stage of one turn took. Deepgram: `LatencyReport`, all in seconds."""

from collections.abc import Callable
from dataclasses import dataclass

from bridge.core.events import LatencyReported


@dataclass(slots=True)
class Latency:
    """A turn's stopwatch. Set as the stages pass; `report` once, at the first sound of the reply."""

    clock: Callable[[], float]
    """Seconds that never go back."""
    ended: float
    """When the person stopped: the end of speech, or when the typed text came."""
    stt: float | None = None
    """From the end of the turn to its text; None when it was typed."""
    asked: float = 0.0
    """When the mind got the text."""
    text: float | None = None
    """From there to its first sentence, the time functions took left out."""
    tool: float | None = None
    """What functions took."""

    def thinking(self) -> None:
        """The mind has the text, or goes on with a function's answer."""
        self.asked = self.clock()

    def said(self) -> None:
        """The mind has said its first sentence."""
        if self.text is None:
            self.text = self.clock() - self.asked

    def answered(self, seconds: float) -> None:
        """Functions took that long, before anything was said."""
        if self.text is None:
            self.tool = (self.tool or 0.0) + seconds

    def report(self, tts: float) -> LatencyReported:
        """The report, `tts` seconds after the sentence was given to the voice."""
        figures = {
            "stt_latency": self.stt,
            "ttt_text_latency": self.text,
            "ttt_tool_latency": self.tool,
            "tts_latency": tts,
            "total_latency": self.clock() - self.ended,
        }
        return LatencyReported({name: round(s, 4) for name, s in figures.items() if s is not None})
