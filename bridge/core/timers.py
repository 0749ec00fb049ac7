"""Timers: events a session schedules for itself with `Schedule`; each comes back as it was given."""

from __future__ import annotations

from bridge.core.events import Event
from bridge.core.fact import fact


@fact()
class ReopenDue(Event):
    """Time to open the agent again."""

    put_off: int = 0
    """How often that had to wait for what was being saved."""


@fact()
class TurnConfirmDue(Event):
    """The user's text did not come in time; held calls run."""


@fact()
class CutDue(Event):
    """The client's last playback report is in, or will not come."""


@fact()
class StragglersOver(Event):
    """No more frames of a cut reply are to be expected."""


@fact()
class SettingsOverdue(Event):
    """The client attached and said nothing."""


@fact()
class LingerOver(Event):
    """The agent has had its time without a client."""


@fact()
class RejoinOver(Event):
    """The client has had its time to come back."""


@fact()
class IdleReached(Event):
    """Nothing was said for long."""


@fact()
class IdleOver(Event):
    """Nobody answered "Are you still there?"."""


@fact()
class LengthReached(Event):
    """The session has lasted as long as it may."""


@fact()
class PauseDue(Event):
    """Time to look whether the turn under way is over: the session is to end, or its agent to be renewed."""


@fact()
class RenewalDue(Event):
    """The agent session is nearly as old as it may get."""


@fact()
class AnswerLate(Event):
    """The agent owes an answer and is silent: time for a word in between."""


@fact()
class AnswerOverdue(Event):
    """The agent owes an answer and is silent for so long that it is taken for lost."""


@fact()
class IntentLate(Event):
    """An intent still runs: time for a word in between."""


@fact()
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
