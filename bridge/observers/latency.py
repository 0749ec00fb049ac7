"""How long the person waits: from the end of their turn to the agent's first sound, and each stage of it."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from prometheus_client import CollectorRegistry

from bridge.core import events as ev
from bridge.core.events import Moment
from bridge.core.model import Role
from bridge.observers.counts import Histogram
from bridge.ports import Happening, SessionFacts

BUCKETS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
SAVED_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5)
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
        turns = partial(Histogram, bounds=BUCKETS, registry=registry)
        self._stages = turns(
            "bridge_stage_seconds", "Time of a stage of a turn, as the agent reports it.", "upstream", "stage"
        )
        self._answers = turns(
            "bridge_answer_seconds", "From the end of the user's turn to the text of the answer.", "agent"
        )
        self._first_sound = turns(
            "bridge_first_sound_seconds", "From the end of the user's turn to the first sound of the answer.",
            "agent",
        )  # fmt: skip
        self._saved = Histogram(
            "bridge_text_delay_seconds", "From an entry's parse to its being durable and told.", "kind",
            bounds=SAVED_BUCKETS, registry=registry,
        )  # fmt: skip
        self._asked: dict[str, float] = {}
        """Session → clock at which its user's turn ended that is not answered yet."""
        self._unheard: dict[str, float] = {}
        """The same for an answer that is to be heard."""

    def saw(self, facts: SessionFacts, what: Happening, now: Moment) -> None:
        self._note_sound(facts, now)
        match what:
            case ev.EntrySaved():
                kind = type(what.entry.what).__name__.lower()
                self._saved.add((now.at - what.entry.at).total_seconds(), kind)
            case ev.TextArrived():
                self._said(facts, what.message.role, now.clock)
            case ev.LatencyReported(extra):
                for key, stage in STAGES.items():
                    seconds = extra.get(key)
                    if isinstance(seconds, int | float):
                        self._stages.add(seconds, facts.upstream, stage)
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
            self._answers.add(clock - asked, facts.agent)

    def _note_sound(self, facts: SessionFacts, now: Moment) -> None:
        """The answer may have been heard since the last time."""
        asked = self._unheard.get(facts.session_id)
        if asked is not None and now.reply_began > asked:
            del self._unheard[facts.session_id]
            self._first_sound.add(now.reply_began - asked, facts.agent)

    def ended(self, facts: SessionFacts, reason: str, now: Moment) -> None:
        self._note_sound(facts, now)
        self._asked.pop(facts.session_id, None)
        self._unheard.pop(facts.session_id, None)
