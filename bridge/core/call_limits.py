"""How many function calls there were, and when there are too many: an agent can run in circles."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from bridge.core.agent import Limits

MINUTE = 60.0
TURN = "That was too much at once, so it was not done. Ask the user what to go on with."
SLOWLY = "That was too much within a minute, so it was not done. It can be tried again in a minute."
SESSION = "No more can be done in this talk. The user can start another one."


@dataclass(slots=True)
class CallLimits:
    """Counts the calls that are let through. One that is not counts for nothing."""

    limits: Limits
    turn: int = 0
    """Since the user last said something."""
    session: int = 0
    _recent: deque[float] = field(default_factory=deque)
    """Clocks of the last minute."""

    def take(self, clock: float) -> str:
        """One more call. A sentence for the agent: it is too many; empty: it may be run."""
        while self._recent and clock - self._recent[0] >= MINUTE:
            self._recent.popleft()
        if self.session >= self.limits.calls_per_session:
            return SESSION
        if self.turn >= self.limits.calls_per_turn:
            return TURN
        if len(self._recent) >= self.limits.calls_per_minute:
            return SLOWLY
        self.turn += 1
        self.session += 1
        self._recent.append(clock)
        return ""

    def user_spoke(self) -> None:
        """A new turn."""
        self.turn = 0
