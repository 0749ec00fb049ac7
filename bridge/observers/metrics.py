"""Counters and gauges of all sessions, for Prometheus. No ids in labels."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from prometheus_client import CollectorRegistry, Gauge

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core.events import Moment
from bridge.core.model import Message, Result
from bridge.observers.counts import Counter
from bridge.ports import Happening, SessionFacts, SoundPassed


class Metrics:
    """Counts what happens. docs/operations.md lists the names."""

    kinds: Collection[type[Happening]] = (
        *(SoundPassed, ev.SoundDropped, ev.EntrySaved, ev.SaveFailed),
        *(ev.Attached, ev.ClientLeft, ev.UserStartedSpeaking, ev.AgentReady, ev.AgentLeft, do.OpenAgent),
    )

    def __init__(self, registry: CollectorRegistry) -> None:
        counter = partial(Counter, registry=registry)
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
        self._frames = counter("bridge_frames", "Sound frames relayed.", "towards")
        self._bytes = counter("bridge_sound_bytes", "Bytes of sound relayed.", "towards")
        self._attached: set[str] = set()
        """Sessions that have a client."""
        self._had_agent: set[str] = set()
        """Sessions whose agent was ready once."""

    def saw(self, facts: SessionFacts, what: Happening, now: Moment) -> None:
        match what:
            case ev.EntrySaved():
                self._count_entry(facts, what.entry.what)
            case SoundPassed():
                self._frames.add(what.towards, by=what.frames)
                self._bytes.add(what.towards, by=what.bytes)
            case ev.Attached():
                self._attached.add(facts.session_id)
                self._active.labels(facts.agent).inc()
            case ev.ClientLeft():
                self._count_left(facts)
            case ev.UserStartedSpeaking():
                self._barge_ins.add(facts.agent)
            case ev.AgentReady():
                self._had_agent.add(facts.session_id)
            case ev.AgentLeft(code):
                self._lost.add(facts.upstream, str(code))
            case ev.SaveFailed():
                self._unsaved.add()
            case ev.SoundDropped(towards, milliseconds):
                self._dropped.add(towards, by=milliseconds / 1000)
            case do.OpenAgent():
                self._opened.add(facts.upstream)
                self._reopened.add(facts.upstream, by=facts.session_id in self._had_agent)
            case _:
                pass

    def _count_entry(self, facts: SessionFacts, what: object) -> None:
        match what:
            case Message():
                self._messages.add(facts.agent, what.role, what.modality)
            case Result(name=name, outcome=outcome):
                known = name if outcome.route else "unknown"
                self._calls.add(facts.agent, known, outcome.status)
            case _:
                pass

    def refused(self, reason: str) -> None:
        """Somebody who wanted a session did not get one."""
        self._refused.add(reason)

    def ended(self, facts: SessionFacts, reason: str, now: Moment) -> None:
        self._count_left(facts)
        self._had_agent.discard(facts.session_id)
        self._ended.add(facts.agent, reason)

    def _count_left(self, facts: SessionFacts) -> None:
        """Its client is gone, or it is over: whichever comes first."""
        if facts.session_id in self._attached:
            self._attached.remove(facts.session_id)
            self._active.labels(facts.agent).dec()
