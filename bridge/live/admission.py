"""Whether one more session may begin: not when it would cost those that run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from bridge.errors import Unavailable

log = structlog.get_logger(__name__)

RETRY_SECONDS = 5.0
"""When somebody who was refused is to try again."""


@dataclass(slots=True, kw_only=True)
class Strain:
    """Something there is only so much of. Refused at one figure it is accepted again at a lower one."""

    reason: str
    """In metrics and logs."""
    told: str
    """For clients and operators."""
    read: Callable[[], float]
    """How much of it is used."""
    refuse_at: float
    accept_at: float
    refusing: bool = False

    def is_too_much(self) -> bool:
        """Look now. One line when that changes."""
        used = self.read()
        before, self.refusing = self.refusing, used >= (self.accept_at if self.refusing else self.refuse_at)
        if self.refusing and not before:
            log.warning("admission_closed", reason=self.reason, used=round(used, 3), limit=self.refuse_at)
        elif before and not self.refusing:
            log.warning("admission_opened", reason=self.reason, used=round(used, 3), limit=self.accept_at)
        return self.refusing


class Admission:
    """Looks at everything that can run short, whenever somebody wants to begin."""

    def __init__(self, strains: Sequence[Strain] = ()) -> None:
        self._strains = strains

    def strain(self) -> Strain | None:
        """What there is too little of now; None: there is room."""
        found = [strain for strain in self._strains if strain.is_too_much()]
        return found[0] if found else None

    def check(self) -> None:
        """Raises Unavailable, whose `reason` is that of the strain."""
        if strain := self.strain():
            raise Unavailable(strain.told, reason=strain.reason, retry_after=RETRY_SECONDS)


def loop_is_late(lag: Callable[[], float], most: float) -> Strain:
    """`lag`: by how many seconds the event loop was late of late; `most`: seconds."""
    told = "The server is too busy for one more talk."
    return Strain(reason="loop_late", told=told, read=lag, refuse_at=most, accept_at=most / 2)


def journal_is_full(used: Callable[[], float]) -> Strain:
    """`used`: the share of its quota."""
    told = "The journal is nearly full: the store has been away for long."
    return Strain(reason="journal_full", told=told, read=used, refuse_at=0.9, accept_at=0.7)


def descriptors_run_out(used: Callable[[], float]) -> Strain:
    """`used`: the share of those the process may have."""
    told = "The server has no sockets left for one more talk."
    return Strain(reason="descriptors", told=told, read=used, refuse_at=0.9, accept_at=0.8)


def agent_is_taken(sessions: Callable[[], float], room: int) -> Strain:
    """`sessions`: that there are; `room`: for those that talk and those that wait for the agent."""
    told = "The agent has no room for one more talk, and enough wait for it."
    return Strain(reason="agent_full", told=told, read=sessions, refuse_at=room, accept_at=room)
