"""Timers: events a session schedules for itself with `Schedule`; each comes back as it was given."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.core.events import Event


@dataclass(frozen=True, slots=True)
class ReopenDue(Event):
    """Time to open the agent again."""

    put_off: int = 0
    """How often that had to wait for what was being saved."""


@dataclass(frozen=True, slots=True)
class TurnConfirmDue(Event):
    """The user's text did not come in time; held calls run."""


@dataclass(frozen=True, slots=True)
class CutDue(Event):
    """The client's last playback report is in, or will not come."""


@dataclass(frozen=True, slots=True)
class StragglersOver(Event):
    """No more frames of a cut reply are to be expected."""


@dataclass(frozen=True, slots=True)
class SettingsOverdue(Event):
    """The client attached and said nothing."""


@dataclass(frozen=True, slots=True)
class LingerOver(Event):
    """The agent has had its time without a client."""


@dataclass(frozen=True, slots=True)
class RejoinOver(Event):
    """The client has had its time to come back."""


@dataclass(frozen=True, slots=True)
class IdleReached(Event):
    """Nothing was said for long."""


@dataclass(frozen=True, slots=True)
class IdleOver(Event):
    """Nobody answered "Are you still there?"."""


@dataclass(frozen=True, slots=True)
class LengthReached(Event):
    """The session has lasted as long as it may."""


@dataclass(frozen=True, slots=True)
class PauseDue(Event):
    """Time to look whether the turn under way is over: the session is to end, or its agent to be renewed."""


@dataclass(frozen=True, slots=True)
class RenewalDue(Event):
    """The agent session is nearly as old as it may get."""


@dataclass(frozen=True, slots=True)
class AnswerLate(Event):
    """The agent owes an answer and is silent: time for a word in between."""


@dataclass(frozen=True, slots=True)
class AnswerOverdue(Event):
    """The agent owes an answer and is silent for so long that it is taken for lost."""


@dataclass(frozen=True, slots=True)
class IntentLate(Event):
    """An intent still runs: time for a word in between."""


@dataclass(frozen=True, slots=True)
class CloseOverdue(Event):
    """Saves or intents still run long after the end was asked for."""


Timer = (
    ReopenDue
    | TurnConfirmDue
    | CutDue
    | StragglersOver
    | SettingsOverdue
    | LingerOver
    | RejoinOver
    | IdleReached
    | IdleOver
    | LengthReached
    | PauseDue
    | RenewalDue
    | AnswerLate
    | AnswerOverdue
    | IntentLate
    | CloseOverdue
)
