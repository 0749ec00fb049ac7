"""The function calls of a session: which are open, in which state, and what the ended ones came to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from bridge.core.model import Call, Cursor, Outcome, Result, Status

MAX_RESULT = 8000
"""Characters of what a function of ours tells the agent."""


class CallState(Enum):
    """Where an open call stands."""

    SAVING = "saving"
    """Its entry is on the way to the journal."""
    HELD = "held"
    """It would write, and the user's turn is not confirmed yet."""
    RUNNING = "running"
    WITH_CLIENT = "with_client"
    ENDING = "ending"
    """Its result is on the way to the journal."""


@dataclass(slots=True)
class OpenCall:
    """A call without a durable result."""

    call: Call
    cursor: Cursor
    state: CallState = CallState.SAVING
    cancelled: bool = False
    too_many: str = ""
    """Why it is not run, for the agent; empty: it is within the limits."""


Key = tuple[str, str]
"""(upstream request, call id)"""


@dataclass(slots=True)
class Calls:
    """All calls of a session by their key."""

    open: dict[Key, OpenCall] = field(default_factory=dict)
    ended: dict[Key, tuple[str, Result]] = field(default_factory=dict)
    """Arguments and result."""

    def add(self, call: Call, cursor: Cursor, too_many: str) -> None:
        """It was asked for."""
        self.open[call.request, call.function.id] = OpenCall(call, cursor, too_many=too_many)

    def end(self, result: Result) -> OpenCall | None:
        """Its result is durable."""
        key = result.request, result.call_id
        opened = self.open.pop(key, None)
        if opened:
            self.ended[key] = opened.call.function.arguments, result
        return opened

    def held(self) -> list[OpenCall]:
        """Those that wait for the user's turn to be confirmed."""
        return [opened for opened in self.open.values() if opened.state is CallState.HELD]

    def running(self) -> list[OpenCall]:
        """Those whose end is awaited from the executor."""
        return [opened for opened in self.open.values() if opened.state is CallState.RUNNING]


def result_of(opened: OpenCall, outcome: Outcome) -> Result:
    """The entry that ends a call. What a function of ours says too much is cut off."""
    function = opened.call.function
    if opened.call.ours:
        outcome = replace(outcome, content=_bounded(outcome.content), note=_bounded(outcome.note))
    return Result(
        request=opened.call.request,
        call_id=function.id,
        name=function.name,
        outcome=outcome,
        ours=opened.call.ours,
        of=opened.cursor,
    )


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_RESULT else f"{text[: MAX_RESULT - 1]}…"


CANCELLED = Outcome(status=Status.CANCELLED, content="Withdrawn before it was done.")
NO_CLIENT = Outcome(status=Status.FAILED, content="The app that does this is not connected any more.")
UNSAVED = "I can't save anything right now, so that was not done."
REUSED_ID = "That call id was used before with other arguments; nothing was done."
