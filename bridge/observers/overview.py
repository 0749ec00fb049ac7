"""What an operator sees of one process: the state of each live session, and what failed in the last hour."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.core import events as ev
from bridge.core.events import Moment
from bridge.core.model import Message, Result, Role, Status
from bridge.ports import Happening, SessionFacts
from bridge.ports.console import Failure, LiveSession

HOUR = timedelta(hours=1)
MAX_FAILURES = 5000
"""That are remembered; the oldest go first."""
BROKEN = {Status.FAILED, Status.TIMED_OUT}


STATES: Mapping[type[Happening], str] = {
    ev.Attached: "connecting",
    ev.AgentReady: "listening",
    ev.UserStartedSpeaking: "listening",
    ev.AgentAudioDone: "listening",
    ev.TurnEnded: "thinking",
    ev.AgentThought: "thinking",
    ev.AgentStartedSpeaking: "speaking",
    ev.AgentLeft: "reconnecting",
    ev.ClientLeft: "client away",
    ev.EndRequested: "ending",
}
"""Where a session stands after it."""


@dataclass(slots=True)
class _Seen:
    """What is known of a session; see LiveSession."""

    facts: SessionFacts
    since: datetime
    state: str = "connecting"
    messages: int = 0
    latency_ms: int | None = None
    error: str = ""
    asked: float | None = None
    """Clock at which its user said what is not answered yet."""

    def asks(self, clock: float) -> None:
        """The user's turn is over."""
        if self.asked is None:
            self.asked = clock

    def said(self, role: Role, clock: float) -> None:
        """A line of the talk: what the user said, or what the agent says about it."""
        if role is Role.USER:
            self.state = "thinking"
            self.asks(clock)
            return
        self.state = "speaking"
        if self.asked is not None:
            self.latency_ms, self.asked = round((clock - self.asked) * 1000), None

    def shown(self) -> LiveSession:
        """As it is now."""
        return LiveSession(
            facts=self.facts,
            since=self.since,
            state=self.state,
            messages=self.messages,
            latency_ms=self.latency_ms,
            error=self.error,
        )


class Overview:
    """An observer that remembers."""

    kinds: Collection[type[Happening]] = (
        *STATES,
        *(ev.TextArrived, ev.EntrySaved, ev.SaveFailed, ev.AgentErred, ev.ClientErred),
    )

    def __init__(self) -> None:
        self._live: dict[str, _Seen] = {}
        self._failures: deque[tuple[datetime, str]] = deque(maxlen=MAX_FAILURES)

    def sessions(self) -> Sequence[LiveSession]:
        """Those that began first come first."""
        return [seen.shown() for seen in self._live.values()]

    def failures(self, now: datetime) -> Sequence[Failure]:
        """The most frequent first."""
        found: dict[str, Failure] = {}
        for at, cause in self._failures:
            if now - at <= HOUR:
                before = found.get(cause)
                count = before.count + 1 if before else 1
                found[cause] = Failure(cause=cause, count=count, last=at)
        return sorted(found.values(), key=lambda failure: -failure.count)

    def saw(self, facts: SessionFacts, what: Happening, now: Moment) -> None:
        if (seen := self._live.get(facts.session_id)) is None:
            seen = self._live[facts.session_id] = _Seen(facts, now.at)
        match what:
            case ev.EntrySaved():
                seen.messages += isinstance(what.entry.what, Message)
                self._failed(seen, _failed_call(what.entry.what), now)
            case ev.TextArrived():
                seen.said(what.message.role, now.clock)
            case ev.TurnEnded():
                seen.asks(now.clock)
            case _:
                self._failed(seen, _cause(what), now)
        seen.state = STATES.get(type(what), seen.state)

    def ended(self, facts: SessionFacts, reason: str, now: Moment) -> None:
        if reason == "fault":
            self._failures.append((now.at, "session ended by a fault"))
        self._live.pop(facts.session_id, None)

    def _failed(self, seen: _Seen, cause: str, now: Moment) -> None:
        """`cause`: empty when nothing did."""
        if cause:
            self._failures.append((now.at, cause))
            seen.error = cause


def _cause(what: Happening) -> str:
    """What failed, in words that are the same each time; empty: nothing did."""
    match what:
        case ev.AgentLeft(code):
            return f"agent lost, close code {code}"
        case ev.AgentErred(code=code):
            return f"agent error {code[:60]}"
        case ev.SaveFailed(code=code):
            return f"entry not saved, {code}"
        case ev.ClientErred(code):
            return f"client's message refused, {code}"
        case _:
            return ""


def _failed_call(what: object) -> str:
    """The same, of an entry."""
    if isinstance(what, Result) and what.outcome.status in BROKEN:
        name = what.name if what.outcome.route else "unknown"
        return f"function {name} {what.outcome.status.value.replace('_', ' ')}"
    return ""
