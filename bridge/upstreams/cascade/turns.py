"""Whose turn it is: from the probability of speech in each frame to "speech started" and "turn ended".

           speech for 0.1 s                       silence, as long as the words so far ask for
    quiet ────────────────────▶ Started ▶ talking ─────────────────────────────────────────────▶ Ended ▶ quiet
                                                   30 s of talking ────────▶ Ended ("timeout")
                                                   end() ──────────────────▶ Ended ("manual")

Pure: the time is an argument. Use the sound's own time (frames so far × 20 ms): a network that delivers in
bursts then changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from bridge.upstreams.cascade.parts import FRAME_MS, Fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When a turn begins and ends. Times in seconds, probabilities 0–1."""

    starts_at: float = 0.5
    """A frame with at least this probability counts as speech, in quiet."""
    stays_at: float = 0.35
    """The same while talking: lower, so that a soft ending still counts."""
    least_speech: float = 0.1
    """Speech that starts a turn: a click or a cough is shorter."""
    least_over_agent: float = 0.16
    """The same while the agent speaks: its echo is shorter or fainter."""
    gap: float = 0.12
    """Silence inside the speech that starts a turn; longer, and the count begins anew."""
    after_complete: float = 0.35
    """Silence that ends a turn whose words are complete."""
    after_open: float = 0.6
    """Silence that ends a turn normally."""
    after_unfinished: float = 1.0
    """Silence that ends a turn which stopped in the middle of a phrase."""
    longest: float = 30.0
    """A turn is ended after that, silence or not."""

    def silence(self, fit: Fit) -> float:
        """How much silence ends a turn whose words fit so."""
        match fit:
            case Fit.COMPLETE:
                return self.after_complete
            case Fit.OPEN:
                return self.after_open
            case Fit.UNFINISHED:
                return self.after_unfinished


@dataclass(frozen=True, slots=True)
class Started:
    """Somebody began to speak; if the agent speaks, it has been interrupted."""

    at: float
    """When the first sound of it began, in seconds: `least_speech` or more before now."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The turn is over."""

    at: float
    """When the last speech ended, in seconds: the silence that ended the turn lies between it and now."""
    trigger: Literal["model", "timeout", "manual"]
    """Why. Deepgram: `EndOfTurn.trigger`."""


RULES: Final = Rules()


class Turns:
    """One session's turns. Feed it every frame, whether anybody talks or not."""

    def __init__(self, rules: Rules = RULES) -> None:
        self._rules = rules
        self._since: float | None = None
        """When the speech (or what may become it) began."""
        self._last = 0.0
        """When speech was last heard."""
        self.talking = False
        """Between `Started` and `Ended`."""

    def hear(
        self, speech: float, now: float, fit: Callable[[], Fit], *, over_agent: bool = False
    ) -> Started | Ended | None:
        """Take one frame: its probability of speech and the time at its end, in seconds.

        `fit` is asked only in a pause, about the words so far. `over_agent`: the agent is speaking now.
        """
        if self.talking:
            return self._while_talking(speech, now, fit)
        return self._while_quiet(speech, now, over_agent)

    def end(self, now: float) -> Ended | None:
        """End the turn by hand (Deepgram: `ForceEndTurn`); None when nobody is talking."""
        return self._ended(min(self._last, now), "manual") if self.talking else None

    def _while_quiet(self, speech: float, now: float, over_agent: bool) -> Started | None:
        if speech < self._rules.starts_at:
            if now - self._last > self._rules.gap:
                self._since = None
            return None
        if self._since is None:
            self._since = now - FRAME_MS / 1000
        self._last = now
        least = self._rules.least_over_agent if over_agent else self._rules.least_speech
        if now - self._since < least - 1e-6:
            return None
        self.talking = True
        return Started(self._since)

    def _while_talking(self, speech: float, now: float, fit: Callable[[], Fit]) -> Ended | None:
        if speech >= self._rules.stays_at:
            self._last = now
        if self._since is not None and now - self._since >= self._rules.longest:
            return self._ended(self._last, "timeout")
        silence = now - self._last + 1e-6
        shortest = min(self._rules.silence(each) for each in Fit)
        if silence >= shortest and silence >= self._rules.silence(fit()):
            return self._ended(self._last, "model")
        return None

    def _ended(self, at: float, trigger: Literal["model", "timeout", "manual"]) -> Ended:
        self.talking = False
        self._since = None
        return Ended(at, trigger)
