"""Rules about the client: it comes, says how it talks, types, reports what it played, and goes."""

from __future__ import annotations

from bridge.core import calls as c
from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core import timers as due
from bridge.core.acts import end_call
from bridge.core.calls import CallState
from bridge.core.events import Moment
from bridge.core.far import apply, open_agent
from bridge.core.model import Cursor, Outcome, Status
from bridge.core.owing import owe
from bridge.core.state import Commands, Link, Phase, State

SETTINGS_SECONDS = 15.0
"""How long a client may be there without saying how it talks."""
LINGER_SECONDS = 10.0
"""How long the agent lives on without a client, from the last thing that happened."""
ON_PURPOSE = 1000
"""Close code of a client that has ended the talk: it is over with its turn."""
GONE = {ON_PURPOSE, 1001}
"""Close codes of a client that plays nothing any more: the talk was ended, the page was closed."""
LAST_WORDS_SECONDS = 2.0
"""How long after that the agent may take to notice that the user had begun to speak."""
CUT_SECONDS = 0.4
"""How long after a barge-in the client's last playback report may take."""
REJOIN_SECONDS = 30.0
"""How long the client may stay away and still find the same session."""
MANAGED = "BRIDGE_SETTINGS_MANAGED"
MAX_UNHEARD = 32
"""Typed messages kept until the agent has taken them,"""
MAX_UNHEARD_CHARACTERS = 60_000
"""and characters of them together, unless it is a single one."""


def attached(s: State, event: ev.Attached, now: Moment) -> Commands:
    s.settled = s.applied = False
    s.resume_token = event.resume_token
    if s.phase is Phase.LINGERING:
        s.phase = Phase.LIVE if s.link is Link.READY else Phase.OPENING
        yield do.Unschedule(due.LingerOver)
        yield do.Unschedule(due.RejoinOver)
        if s.leaving and not s.leaving.code:
            s.leaving = None
    yield do.Schedule(SETTINGS_SECONDS, due.SettingsOverdue())
    yield do.Tell(do.Welcome(event.request_id))


def attached_late(s: State, event: ev.Attached, now: Moment) -> Commands:
    yield do.CloseClient(1012, "this session has ended, start another")


def set_up(s: State, event: ev.ClientSettings, now: Moment) -> Commands:
    if s.settled:
        yield do.Tell(do.Failed("SETTINGS_ALREADY_APPLIED", "Settings were sent before."))
        return
    if s.agent.client_settings and event.agent is not None and "id" in event.agent:
        yield do.Tell(
            do.Failed("AGENT_ID_NOT_SUPPORTED", "Send the agent's settings, not the id of stored ones.")
        )
        return
    before, s.settings, s.settled = s.settings, event, True
    yield do.Unschedule(due.SettingsOverdue)
    yield from _introduce(s, event, rejoined=before is not None)
    yield from s.active()
    if before is None:
        yield do.Schedule(s.agent.limits.session_seconds, due.LengthReached())
    elif (before.audio_in, before.audio_out) == (event.audio_in, event.audio_out):
        if s.link is Link.READY:
            yield from apply(s)
            return
        if s.link is Link.OPENING:
            yield do.HoldSpeech()
            return
    elif s.link is not Link.ABSENT:
        yield do.CloseAgent()
    yield do.Unschedule(due.ReopenDue)
    yield from open_agent(s)


def _introduce(s: State, event: ev.ClientSettings, *, rejoined: bool) -> Commands:
    known = event.cursor is None or any(entry.cursor == event.cursor for entry in s.entries)
    yield do.Tell(
        do.Ready(
            session_id=s.session_id,
            conversation_id=s.conversation_id,
            agent=s.agent.name,
            cursor=s.last,
            resumed=s.resumed or rejoined,
            recovered=known,
            resume_token=s.resume_token,
            audio_in=event.audio_in,
            audio_out=event.audio_out,
        )
    )
    seen = event.cursor or (Cursor(s.epoch, -1) if rejoined else None)
    if known and seen is not None:
        for entry in s.entries:
            if entry.cursor > seen or entry.cursor in s.amended:
                yield do.Tell(do.Replayed(entry))
    s.amended.clear()
    if event.agent is not None and not s.agent.client_settings:
        yield do.Tell(
            do.Warned("BRIDGE_SETTINGS_MANAGED", "The server owns the agent's settings; yours are not used.")
        )


def left(s: State, event: ev.ClientLeft, now: Moment) -> Commands:
    if s.settings is None:
        yield from s.close("client_left")
        return
    s.phase, s.settled = Phase.LINGERING, False
    for timer in (due.SettingsOverdue, due.IdleReached, due.IdleOver, due.ReopenDue):
        yield do.Unschedule(timer)
    if event.code in GONE:
        yield from break_off(s, now)
        yield from settle_cut(s, now)
    if s.link is Link.READY:
        yield do.PlaySilence()
    yield do.Schedule(LINGER_SECONDS, due.LingerOver())
    yield do.Schedule(REJOIN_SECONDS, due.RejoinOver())
    if event.code == ON_PURPOSE and s.leaving is None:
        s.leaving, s.leave_by = ev.EndRequested("", patience=LINGER_SECONDS), now.clock + LINGER_SECONDS
        yield do.Schedule(LAST_WORDS_SECONDS, due.PauseDue())
    for opened in list(s.calls.open.values()):
        if opened.state is CallState.WITH_CLIENT:
            yield from end_call(s, opened, c.NO_CLIENT, now)


def settings_overdue(s: State, event: due.SettingsOverdue, now: Moment) -> Commands:
    yield do.Tell(do.Failed("CLIENT_MESSAGE_TIMEOUT", f"No Settings within {SETTINGS_SECONDS:.0f} s."))
    yield from s.close("no_settings")


def wrote(s: State, event: ev.ClientWrote, now: Moment) -> Commands:
    yield from s.active()
    waiting = sum(map(len, s.unheard))
    too_long = waiting > 0 and waiting + len(event.content) > MAX_UNHEARD_CHARACTERS
    if too_long or len(s.unheard) >= MAX_UNHEARD:
        yield do.Tell(do.Warned("BRIDGE_QUOTA", "Too many messages wait for the agent; not taken."))
        return
    s.unheard.append(event.content)
    s.questions.answering()
    s.turn.repeated = False
    if s.link is Link.READY:
        yield do.AskAgent(do.Hear(event.content))
        yield from owe(s, now)


def answered(s: State, event: ev.ClientAnswered, now: Moment) -> Commands:
    opened = s.calls.open.get((s.request, event.call_id))
    if opened and opened.state is CallState.WITH_CLIENT:
        yield from end_call(s, opened, Outcome(status=Status.DONE, content=event.content), now)


def played(s: State, event: ev.ClientPlayed, now: Moment) -> Commands:
    if s.broken is not None and now.reply <= s.broken.reply:
        s.broken.played_ms = event.played_ms
    else:
        s.reply.played_ms = event.played_ms
    yield from ()


def break_off(s: State, now: Moment) -> Commands:
    """The reply is over before its end; the client's last report of it may still come."""
    if s.reply.lines:
        yield from settle_cut(s, now)
        s.broken = s.reply.break_off(now)
        yield do.Schedule(CUT_SECONDS, due.CutDue())


def settle_cut(s: State, now: Moment) -> Commands:
    """Store what was heard of a reply that was broken off."""
    if s.broken is not None:
        broken, s.broken = s.broken, None
        yield do.Unschedule(due.CutDue)
        for cut in broken.cuts():
            yield do.Save(s.record(cut, now))


def steered(s: State, event: ev.ClientSteered, now: Moment) -> Commands:
    if not (s.agent.client_settings or event.type == "ForceEndTurn"):
        yield do.Tell(do.Warned(MANAGED, f"{event.type} is not taken: the server owns the agent."))
    elif s.link is Link.READY:
        yield do.AskAgent(do.Steer(event.raw))


def kept_alive(s: State, event: ev.ClientKeptAlive, now: Moment) -> Commands:
    yield from ()


def pinged(s: State, event: ev.ClientPinged, now: Moment) -> Commands:
    yield do.Tell(do.Ponged(event.id))


def erred(s: State, event: ev.ClientErred, now: Moment) -> Commands:
    yield do.Tell(do.Failed(event.code, event.description))


def spoke_early(s: State, event: ev.ClientSpokeEarly, now: Moment) -> Commands:
    yield do.Tell(do.Failed("BINARY_MESSAGE_BEFORE_SETTINGS", "Send Settings before sound."))
