"""How long the person waits: from the end of their turn to the agent's first sound, and each stage of it."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Histogram

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core.events import Event, Moment, PeerEvent
from bridge.core.model import Message, Role
from bridge.ports import SessionFacts

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

    def __init__(self, registry: CollectorRegistry) -> None:
        self._stages = Histogram(
            "bridge_stage_seconds", "Time of a stage of a turn, as the agent reports it.",
            ["upstream", "stage"], buckets=BUCKETS, registry=registry,
        )  # fmt: skip
        self._journal = Histogram(
            "bridge_text_delay_seconds", "From an entry's parse to its being durable and told.",
            ["kind"], buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5), registry=registry,
        )  # fmt: skip
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

    def stepped(
        self, facts: SessionFacts, event: Event | PeerEvent, commands: Sequence[do.Command], now: Moment
    ) -> None:
        match event:
            case ev.LatencyReported(extra):
                for key, stage in STAGES.items():
                    seconds = extra.get(key)
                    if isinstance(seconds, int | float):
                        self._stages.labels(facts.upstream, stage).observe(seconds)
            case ev.EntrySaved(entry):
                kind = type(entry.what).__name__.lower()
                self._journal.labels(kind).observe((now.at - entry.at).total_seconds())
            case ev.TurnEnded() | ev.TextArrived(Message(Role.USER)):
                self._asked.setdefault(facts.session_id, now.clock)
                self._unheard.setdefault(facts.session_id, now.clock)
            case ev.UserStartedSpeaking():
                self._unheard.pop(facts.session_id, None)
            case ev.TextArrived(Message(Role.ASSISTANT)):
                if asked := self._asked.pop(facts.session_id, None):
                    self._answers.labels(facts.agent).observe(now.clock - asked)
            case _:
                pass
        if now.reply_began > (asked := self._unheard.get(facts.session_id, now.clock)):
            del self._unheard[facts.session_id]
            self._first_sound.labels(facts.agent).observe(now.reply_began - asked)

    def sounded(self, facts: SessionFacts, towards: str, frames: int, size: int) -> None:
        """Sound has no latency of its own here."""

    def ended(self, facts: SessionFacts, reason: str, now: Moment) -> None:
        self._asked.pop(facts.session_id, None)
        self._unheard.pop(facts.session_id, None)
