"""Rules about the talk: lines of text, turns, barge-in, and what is simply passed on."""

from __future__ import annotations

from dataclasses import replace

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core import timers as due
from bridge.core.acts import confirm_turn
from bridge.core.events import Moment
from bridge.core.model import Modality, Role
from bridge.core.near import LINGER_SECONDS, break_off, settle_cut
from bridge.core.owing import is_answer, owe, settle
from bridge.core.state import Commands, Phase, State

STRAGGLER_SECONDS = 1.5
"""How long after a barge-in frames of the cut reply may still arrive."""
UNDERSTOOD = do.ForgetSpeech(), do.Unschedule(due.StragglersOver), do.PassReply()
"""The user's turn was understood: nothing of it is needed any more, and the answer may be heard."""


def text_arrived(s: State, event: ev.TextArrived, now: Moment) -> Commands:
    message = event.message
    if message.role is Role.USER and message.content == s.again:
        s.again = ""
        yield from _turn_is_over(s, now)
        return
    if message.role is Role.USER and message.content in s.unheard:
        s.unheard.remove(message.content)
        message = replace(message, modality=Modality.TEXT)
    entry = s.record(message, now)
    yield do.Save(entry)
    if message.role is Role.ASSISTANT:
        s.reply.said(entry.cursor, message.content, now)
        s.turn.agent_speaks(now)
        if is_answer(s, message):
            s.turn.untold.clear()
            s.questions.asked()
            yield from settle(s)
    else:
        s.turn.repeated = False
        if message.content.strip():
            s.questions.heard()
        s.call_limits.user_spoke()
        yield from _turn_is_over(s, now)
        yield from owe(s, now)
        yield from s.active()
    yield from stay(s)


def stay(s: State) -> Commands:
    """Without a client: the agent still does something, so it lives on."""
    if s.phase is Phase.LINGERING:
        yield do.Schedule(LINGER_SECONDS, due.LingerOver())


def started_speaking(s: State, event: ev.UserStartedSpeaking, now: Moment) -> Commands:
    s.confirmed = False
    s.questions.answering()
    s.turn.user_speaks(now)
    yield do.KeepSpeech()
    yield from settle(s)
    yield do.DropReply()
    yield from s.tell(event)
    yield do.EndReply()
    yield do.Schedule(STRAGGLER_SECONDS, due.StragglersOver())
    yield from break_off(s, now)
    yield from s.active()
    yield from stay(s)


def cut_due(s: State, event: due.CutDue, now: Moment) -> Commands:
    yield from settle_cut(s, now)


def stragglers_over(s: State, event: due.StragglersOver, now: Moment) -> Commands:
    yield do.PassReply()


def _turn_is_over(s: State, now: Moment) -> Commands:
    s.turn.speaking_since = None
    yield from UNDERSTOOD
    yield from confirm_turn(s, now)


def turn_ended(s: State, event: ev.TurnEnded, now: Moment) -> Commands:
    yield from s.tell(event)
    yield from _turn_is_over(s, now)


def thought(s: State, event: ev.AgentThought | ev.AgentStartedSpeaking, now: Moment) -> Commands:
    yield from s.tell(event)
    yield do.PassReply()


def audio_done(s: State, event: ev.AgentAudioDone, now: Moment) -> Commands:
    s.reply.sound_ended(now)
    s.turn.replying = False
    yield do.EndReply()
    yield from s.tell(event)
    yield from stay(s)


def passed_on(
    s: State, event: ev.LatencyReported | ev.AgentWarned | ev.AgentSaidOther, now: Moment
) -> Commands:
    yield from s.tell(event)


def sound_dropped(s: State, event: ev.SoundDropped, now: Moment) -> Commands:
    told = f"{event.dropped_ms} ms of sound to the {event.towards} were dropped"
    if event.too_fast:
        told += f": it came faster than {s.agent.limits.sound_rate:g} times real time"
    yield from s.tell(do.Warned("BRIDGE_AUDIO_DROPPED", f"{told}."))
