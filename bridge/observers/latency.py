"""How long the person waits: from the end of their turn to the agent's first sound, and each stage of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import get_args

from prometheus_client import CollectorRegistry, Histogram

from bridge.core import events as ev
from bridge.core.events import Moment
from bridge.core.model import Role, What
from bridge.ports import Happening, SessionFacts

BUCKETS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
STAGES = {
    "stt_latency": "hear",
    "ttt_text_latency": "think",
    "tts_latency": "speak",
    "total_latency": "total",
}
"""Key of Deepgram's `LatencyReport` → our name of the stage."""


class Latency:
    """Histograms of what agents report in `LatencyReport`, and of text towards the client."""

    kinds: Collection[type[Happening]] = (
        *(ev.EntrySaved, ev.TextArrived, ev.TurnEnded, ev.LatencyReported),
        *(ev.UserStartedSpeaking, ev.AgentAudioDone),
    )

    def __init__(self, registry: CollectorRegistry) -> None:
        self._stages = Histogram(
            "bridge_stage_seconds", "Time of a stage of a turn, as the agent reports it.",
            ["upstream", "stage"], buckets=BUCKETS, registry=registry,
        )  # fmt: skip
        saved = Histogram(
            "bridge_text_delay_seconds", "From an entry's parse to its being durable and told.",
            ["kind"], buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5), registry=registry,
        )  # fmt: skip
        self._saved = {kind: saved.labels(kind.__name__.lower()) for kind in get_args(What)}
        self._answers = Histogram(
            "bridge_answer_seconds", "From the end of the user's turn to the text of the answer.",
            ["agent"], buckets=BUCKETS, registry=registry,
        )  # fmt: skip
        self._first_sound = Histogram(
            "bridge_first_sound_seconds", "From the end of the user's turn to the first sound of the answer.",
            ["agent"], buckets=BUCKETS, registry=registry,
        )  # fmt: skip
        self._asked: dict[str, float] = {}
        """Session → clock at which its user's turn ended that is not answered yet."""
        self._unheard: dict[str, float] = {}
        """The same for an answer that is to be heard."""

    def saw(self, facts: SessionFacts, what: Happening, now: Moment) -> None:
        self._note_sound(facts, now)
        match what:
            case ev.EntrySaved(entry):
                self._saved[type(entry.what)].observe((now.at - entry.at).total_seconds())
            case ev.LatencyReported(extra):
                for key, stage in STAGES.items():
                    seconds = extra.get(key)
                    if isinstance(seconds, int | float):
                        self._stages.labels(facts.upstream, stage).observe(seconds)
            case ev.TextArrived(message):
                self._said(facts, message.role, now.clock)
            case ev.TurnEnded():
                self._ask(facts, now.clock)
            case ev.UserStartedSpeaking():
                self._unheard.pop(facts.session_id, None)
            case _:
                pass

    def _ask(self, facts: SessionFacts, clock: float) -> None:
        """The user's turn is over."""
        self._asked.setdefault(facts.session_id, clock)
        self._unheard.setdefault(facts.session_id, clock)

    def _said(self, facts: SessionFacts, role: Role, clock: float) -> None:
        """A line of the talk: what the user said, or the answer."""
        if role is Role.USER:
            self._ask(facts, clock)
        elif (asked := self._asked.pop(facts.session_id, None)) is not None:
            self._answers.labels(facts.agent).observe(clock - asked)

    def _note_sound(self, facts: SessionFacts, now: Moment) -> None:
        """The answer may have been heard since the last time."""
        asked = self._unheard.get(facts.session_id)
        if asked is not None and now.reply_began > asked:
            del self._unheard[facts.session_id]
            self._first_sound.labels(facts.agent).observe(now.reply_began - asked)

    def ended(self, facts: SessionFacts, reason: str, now: Moment) -> None:
        self._note_sound(facts, now)
        self._asked.pop(facts.session_id, None)
        self._unheard.pop(facts.session_id, None)
