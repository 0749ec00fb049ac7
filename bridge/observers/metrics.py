"""Counters and gauges of all sessions, for Prometheus. No ids in labels."""

from __future__ import annotations

from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core.events import Moment
from bridge.core.model import Message, Result
from bridge.ports import Happening, SessionFacts, SoundPassed

ENDS = ("client", "agent")


class Metrics:
    """Counts what happens. docs/operations.md lists the names."""

    kinds: Collection[type[Happening]] = (
        *(SoundPassed, ev.SoundDropped, ev.EntrySaved, ev.SaveFailed),
        *(ev.Attached, ev.ClientLeft, ev.UserStartedSpeaking, ev.AgentReady, ev.AgentLeft, do.OpenAgent),
    )

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=registry)

        self._active = Gauge(
            "bridge_sessions_active", "Sessions with a client.", ["agent"], registry=registry
        )
        self._ended = counter("bridge_sessions_ended", "Sessions that ended, by reason.", "agent", "reason")
        self._refused = counter(
            "bridge_sessions_refused", "Wishes for a session refused, by reason.", "reason"
        )
        self._messages = counter("bridge_messages", "Messages stored.", "agent", "role", "modality")
        self._calls = counter(
            "bridge_calls", "Function calls that ended, by status.", "agent", "function", "status"
        )
        self._barge_ins = counter("bridge_barge_ins", "Times somebody began to speak.", "agent")
        self._opened = counter("bridge_agent_opened", "Times an agent's end was opened.", "upstream")
        self._reopened = counter("bridge_agent_reopened", "Of those, to go on with a talk.", "upstream")
        self._lost = counter(
            "bridge_agent_lost", "Times an agent's end was lost, by close code.", "upstream", "code"
        )
        self._unsaved = counter("bridge_entries_unsaved", "Entries that could not be made durable.")
        self._dropped = counter(
            "bridge_sound_dropped_seconds", "Sound dropped, its receiver too slow.", "towards"
        )
        frames = counter("bridge_frames", "Sound frames relayed.", "towards")
        size = counter("bridge_sound_bytes", "Bytes of sound relayed.", "towards")
        self._frames = {towards: frames.labels(towards) for towards in ENDS}
        self._bytes = {towards: size.labels(towards) for towards in ENDS}
        self._attached: set[str] = set()
        """Sessions that have a client."""
        self._had_agent: set[str] = set()
        """Sessions whose agent was ready once."""

    def saw(self, facts: SessionFacts, what: Happening, now: Moment) -> None:
        match what:
            case SoundPassed(towards, frames, size):
                self._frames[towards].inc(frames)
                self._bytes[towards].inc(size)
            case ev.EntrySaved(entry):
                self._count_entry(facts, entry.what)
            case ev.Attached():
                self._attached.add(facts.session_id)
                self._active.labels(facts.agent).inc()
            case ev.ClientLeft():
                self._count_left(facts)
            case ev.UserStartedSpeaking():
                self._barge_ins.labels(facts.agent).inc()
            case ev.AgentReady():
                self._had_agent.add(facts.session_id)
            case ev.AgentLeft(code):
                self._lost.labels(facts.upstream, str(code)).inc()
            case ev.SaveFailed():
                self._unsaved.inc()
            case ev.SoundDropped(towards, milliseconds):
                self._dropped.labels(towards).inc(milliseconds / 1000)
            case do.OpenAgent():
                self._opened.labels(facts.upstream).inc()
                self._reopened.labels(facts.upstream).inc(facts.session_id in self._had_agent)
            case _:
                pass

    def _count_entry(self, facts: SessionFacts, what: object) -> None:
        match what:
            case Message(role, _, modality):
                self._messages.labels(facts.agent, role.value, modality.value).inc()
            case Result(name=name, outcome=outcome):
                known = name if outcome.route else "unknown"
                self._calls.labels(facts.agent, known, outcome.status.value).inc()
            case _:
                pass

    def refused(self, reason: str) -> None:
        """Somebody who wanted a session did not get one."""
        self._refused.labels(reason).inc()

    def ended(self, facts: SessionFacts, reason: str, now: Moment) -> None:
        self._count_left(facts)
        self._had_agent.discard(facts.session_id)
        self._ended.labels(facts.agent, reason).inc()

    def _count_left(self, facts: SessionFacts) -> None:
        """Its client is gone, or it is over: whichever comes first."""
        if facts.session_id in self._attached:
            self._attached.remove(facts.session_id)
            self._active.labels(facts.agent).dec()
