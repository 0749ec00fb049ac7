"""Rules about the end: nobody comes back, nobody speaks, time is up, or somebody on our side ends it."""

from __future__ import annotations

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core import timers as due
from bridge.core.events import Moment
from bridge.core.far import open_agent
from bridge.core.near import settle_cut
from bridge.core.state import Commands, Link, Phase, State

PAUSE_SECONDS = 0.25
"""Seconds between two looks for a pause in the talk."""
RENEWAL_PATIENCE = 480.0
"""Seconds after which the agent is renewed in the middle of a turn, before it ends by itself."""


def linger_over(s: State, event: due.LingerOver, now: Moment) -> Commands:
    yield from settle_cut(s, now)
    s.link = Link.ABSENT
    yield do.CloseAgent()


def rejoin_over(s: State, event: due.RejoinOver, now: Moment) -> Commands:
    yield from settle_cut(s, now)
    yield from s.close("client_left")


def idle_reached(s: State, event: due.IdleReached, now: Moment) -> Commands:
    grace = s.agent.limits.idle_grace_seconds
    if s.link is Link.READY:
        yield do.AskAgent(do.Speak(s.agent.still_there))
    yield from s.tell(do.Warned("BRIDGE_IDLE", f"Nothing was said for long; this ends in {grace:.0f} s."))
    yield do.Schedule(grace, due.IdleOver())


def idle_over(s: State, event: due.IdleOver, now: Moment) -> Commands:
    yield from s.tell(do.Failed("BRIDGE_IDLE", "Ended, because nothing was said for long."))
    yield from s.close("idle")


def length_reached(s: State, event: due.LengthReached, now: Moment) -> Commands:
    yield from s.tell(do.Failed("BRIDGE_SESSION_LIMIT", "This session has lasted as long as it may."))
    yield from settle_cut(s, now)
    yield from s.close("session_limit")


def end_requested(s: State, event: ev.EndRequested, now: Moment) -> Commands:
    if event.patience > 0 and not _between_turns(s, now):
        leave_by = now.clock + event.patience
        s.leave_by = leave_by if s.leaving is None else min(leave_by, s.leave_by)
        s.leaving = event
        yield do.Schedule(PAUSE_SECONDS, due.PauseDue())
    else:
        yield from _end(s, event, now)


def _between_turns(s: State, now: Moment) -> bool:
    return s.turn.over(now) and not (s.calls.open or s.unheard or s.saving)


def renewal_due(s: State, event: due.RenewalDue, now: Moment) -> Commands:
    s.renew_by = now.clock + RENEWAL_PATIENCE
    yield do.Schedule(PAUSE_SECONDS, due.PauseDue())


def pause_due(s: State, event: due.PauseDue, now: Moment) -> Commands:
    pause = _between_turns(s, now)
    if s.leaving and (pause or now.clock >= s.leave_by):
        yield from _end(s, s.leaving, now)
    elif s.renew_by and s.phase is Phase.LIVE and (pause or now.clock >= s.renew_by):
        s.renew_by = None
        yield do.CloseAgent()
        yield from open_agent(s)
    elif s.leaving or s.renew_by:
        yield do.Schedule(PAUSE_SECONDS, due.PauseDue())


def drained(s: State, now: Moment) -> Commands:
    """The server stops: end as soon as a turn is over."""
    if (
        s.leaving
        and s.leaving.code
        and s.phase not in {Phase.CLOSING, Phase.CLOSED}
        and _between_turns(s, now)
    ):
        yield from _end(s, s.leaving, now)


def _end(s: State, event: ev.EndRequested, now: Moment) -> Commands:
    if event.code:
        news = do.Warned if event.close_code == 1012 else do.Failed
        yield do.Tell(news(event.code, event.description))
    yield from settle_cut(s, now)
    reason = "client_left" if s.phase is Phase.LINGERING else "ended"
    yield from s.close(event.code or reason, event.close_code)


def close_overdue(s: State, event: due.CloseOverdue, now: Moment) -> Commands:
    yield from s.finish()


def nothing(s: State, event: object, now: Moment) -> Commands:
    """It can happen here and means nothing any more."""
    yield from ()
