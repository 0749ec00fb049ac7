"""What an operator sees of one process: the state of each live session, and what failed in the last hour."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core.events import Event, Moment, PeerEvent
from bridge.core.model import Message, Result, Role, Status
from bridge.ports import SessionFacts
from bridge.ports.console import Failure, LiveSession

HOUR = timedelta(hours=1)
MAX_FAILURES = 5000
"""That are remembered; the oldest go first."""
BROKEN = {Status.FAILED, Status.TIMED_OUT}


class Overview:
    """An observer that remembers."""

    def __init__(self) -> None:
        self._live: dict[str, LiveSession] = {}
        self._asked: dict[str, float] = {}
        """Clock at which the user of a session said what is not answered yet."""
        self._failures: deque[tuple[datetime, str]] = deque(maxlen=MAX_FAILURES)

    def sessions(self) -> Sequence[LiveSession]:
        """Those that began first come first."""
        return list(self._live.values())

    def failures(self, now: datetime) -> Sequence[Failure]:
        """The most frequent first."""
        found: dict[str, Failure] = {}
        for at, cause in self._failures:
            if now - at <= HOUR:
                before = found.get(cause)
                count = before.count + 1 if before else 1
                found[cause] = Failure(cause=cause, count=count, last=at)
        return sorted(found.values(), key=lambda failure: -failure.count)

    def stepped(
        self, facts: SessionFacts, event: Event | PeerEvent, commands: Sequence[do.Command], now: Moment
    ) -> None:
        seen = self._live.get(facts.session_id) or LiveSession(facts=facts, since=now.at, state="connecting")
        seen = self._measured(_counted(seen, event), event, now)
        if cause := _cause(event):
            self._failures.append((now.at, cause))
            seen = replace(seen, error=cause)
        if state := _state(event):
            seen = replace(seen, state=state)
        self._live[facts.session_id] = seen

    def sounded(self, facts: SessionFacts, towards: str, frames: int, size: int) -> None:
        """Sound is not shown."""

    def ended(self, facts: SessionFacts, reason: str, now: Moment) -> None:
        if reason == "fault":
            self._failures.append((now.at, "session ended by a fault"))
        self._live.pop(facts.session_id, None)
        self._asked.pop(facts.session_id, None)

    def _measured(self, seen: LiveSession, event: Event | PeerEvent, now: Moment) -> LiveSession:
        """The time from what the user said to what the agent says about it."""
        match event:
            case ev.TurnEnded() | ev.TextArrived(Message(Role.USER)):
                self._asked.setdefault(seen.facts.session_id, now.clock)
            case ev.TextArrived(Message(Role.ASSISTANT)):
                if asked := self._asked.pop(seen.facts.session_id, None):
                    return replace(seen, latency_ms=round((now.clock - asked) * 1000))
            case _:
                pass
        return seen


def _counted(seen: LiveSession, event: Event | PeerEvent) -> LiveSession:
    said = isinstance(event, ev.EntrySaved) and isinstance(event.entry.what, Message)
    return replace(seen, messages=seen.messages + 1) if said else seen


def _state(event: Event | PeerEvent) -> str:
    """Where the session stands after this event; empty: where it stood."""
    match event:
        case ev.Attached():
            return "connecting"
        case ev.AgentReady() | ev.UserStartedSpeaking() | ev.AgentAudioDone():
            return "listening"
        case ev.TurnEnded() | ev.AgentThought() | ev.TextArrived(Message(Role.USER)):
            return "thinking"
        case ev.AgentStartedSpeaking() | ev.TextArrived(Message(Role.ASSISTANT)):
            return "speaking"
        case ev.AgentLeft():
            return "reconnecting"
        case ev.ClientLeft():
            return "client away"
        case ev.EndRequested():
            return "ending"
        case _:
            return ""


def _cause(event: Event | PeerEvent) -> str:
    """What failed, in words that are the same each time; empty: nothing did."""
    match event:
        case ev.AgentLeft(code):
            return f"agent lost, close code {code}"
        case ev.AgentErred(code=code):
            return f"agent error {code[:60]}"
        case ev.SaveFailed(code=code):
            return f"entry not saved, {code}"
        case ev.ClientErred(code):
            return f"client's message refused, {code}"
        case ev.EntrySaved(entry):
            return _failed_call(entry.what)
        case _:
            return ""


def _failed_call(what: object) -> str:
    if isinstance(what, Result) and what.outcome.status in BROKEN:
        name = what.name if what.outcome.route else "unknown"
        return f"function {name} {what.outcome.status.value.replace('_', ' ')}"
    return ""
