"""One session: events in, commands out. At the foot stands the table of its rules, phase by phase.

The rules themselves are in near.py (the client), far.py (the agent's end), talk.py (lines, turns, barge-in),
acts.py (function calls, durable entries) and ending.py; what they know is in state.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bridge.core import acts, ending, far, near, owing, talk
from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core import timers as due
from bridge.core.events import Event, Moment, PeerEvent
from bridge.core.state import Commands, Link, Phase, State

__all__ = ["RULES", "Link", "Phase", "Session", "UnexpectedEvent"]


class UnexpectedEvent(AssertionError):
    """Our own shell reported something that cannot happen in that phase: a fault of ours."""


class Session(State):
    """The rules of one session, applied. No input or output, no clock: `handle` is all there is."""

    def handle(self, event: Event | PeerEvent, now: Moment) -> list[do.Command]:
        """Step the session: what to do, in order. Raises UnexpectedEvent for a fault of our own shell."""
        rule = RULES[self.phase].get(type(event))
        if rule is None:
            if isinstance(event, Event):
                raise UnexpectedEvent(f"{type(event).__name__} while {self.phase.value}")
            return []
        if not self.settled and isinstance(event, NEEDS_SETTINGS):
            return [do.Tell(do.Failed("NON_SETTINGS_MESSAGE_BEFORE_SETTINGS", "Send Settings first."))]
        commands = list(rule(self, event, now))
        if self.leaving:  # whoever speaks fast leaves pauses too short to be found by looking now and then
            commands += ending.drained(self, now)
        return commands


NEEDS_SETTINGS = (
    ev.ClientWrote,
    ev.ClientAnswered,
    ev.ClientPlayed,
    ev.ClientSteered,
    ev.ClientKeptAlive,
    ev.ClientPinged,
)

Rule = Callable[[Any, Any, Moment], Commands]
Rules = dict[type[Event] | type[PeerEvent], Rule]

CLIENT: Rules = {
    ev.Attached: near.attached,
    ev.ClientSettings: near.set_up,
    ev.ClientWrote: near.wrote,
    ev.ClientAnswered: near.answered,
    ev.ClientPlayed: near.played,
    ev.ClientSteered: near.steered,
    ev.ClientKeptAlive: near.kept_alive,
    ev.ClientPinged: near.pinged,
    ev.ClientErred: near.erred,
    ev.ClientSpokeEarly: near.spoke_early,
    ev.ClientLeft: near.left,
    due.SettingsOverdue: near.settings_overdue,
}
AGENT: Rules = {
    ev.AgentReady: far.ready,
    ev.AgentLeft: far.left,
    ev.AgentErred: far.erred,
    ev.TextArrived: talk.text_arrived,
    ev.UserStartedSpeaking: talk.started_speaking,
    ev.TurnEnded: talk.turn_ended,
    ev.AgentThought: talk.thought,
    ev.AgentStartedSpeaking: talk.thought,
    ev.AgentAudioDone: talk.audio_done,
    ev.LatencyReported: talk.passed_on,
    ev.AgentWarned: talk.passed_on,
    ev.AgentSaidOther: talk.passed_on,
    ev.CallsRequested: acts.requested,
    ev.CallsCancelled: acts.cancelled,
    ev.SoundDropped: talk.sound_dropped,
    due.CutDue: talk.cut_due,
    due.AnswerLate: owing.answer_late,
    due.AnswerOverdue: far.answer_overdue,
    due.IntentLate: owing.intent_late,
    due.RenewalDue: ending.renewal_due,
    due.PauseDue: ending.pause_due,
    due.StragglersOver: talk.stragglers_over,
    due.TurnConfirmDue: acts.confirm_due,
}
RECORD: Rules = {
    ev.EntrySaved: acts.saved,
    ev.SaveFailed: acts.save_failed,
    ev.IntentFinished: acts.finished,
    ev.NotedCallRun: acts.noted_run,
}
END: Rules = {ev.EndRequested: ending.end_requested}
LIMITS: Rules = {
    due.IdleReached: ending.idle_reached,
    due.IdleOver: ending.idle_over,
    due.LengthReached: ending.length_reached,
}
OVER: Rules = {
    ev.Attached: near.attached_late,
    ev.EndRequested: ending.nothing,
    ev.SoundDropped: ending.nothing,
}

RULES: Mapping[Phase, Rules] = {
    Phase.WAITING: CLIENT | END | {ev.NotedCallRun: acts.noted_run},
    Phase.OPENING: CLIENT | AGENT | RECORD | LIMITS | END | {due.ReopenDue: far.reopen_due},
    Phase.LIVE: CLIENT | AGENT | RECORD | LIMITS | END,
    Phase.LINGERING: AGENT
    | RECORD
    | END
    | {
        ev.Attached: near.attached,
        due.LingerOver: ending.linger_over,
        due.RejoinOver: ending.rejoin_over,
        due.LengthReached: ending.length_reached,
    },
    Phase.CLOSING: RECORD | OVER | {due.CloseOverdue: ending.close_overdue},
    Phase.CLOSED: OVER | dict.fromkeys(RECORD, ending.nothing),
}
"""Phase → event → rule. A `PeerEvent` without a rule is passed over; an `Event` without one is our fault."""
