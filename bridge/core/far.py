"""Rules about the agent's end: it is opened, gets ready, is lost, and is opened again."""

from __future__ import annotations

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core import timers as due
from bridge.core.acts import end_call
from bridge.core.calls import CANCELLED, CallState
from bridge.core.events import Moment
from bridge.core.model import Message
from bridge.core.owing import pick_up, settle, unanswered
from bridge.core.state import Commands, Link, Phase, State

REOPEN_AFTER = (0.25, 1.0, 3.0)
"""Seconds before the first, second and third try to open a lost agent again."""
SAVING_SECONDS, SAVING_TRIES = 0.05, 40
"""Between looks whether all is saved, which the next agent is to know; so many, then it is opened without."""
BUSY_SECONDS = 3.0
"""Seconds between tries to open an agent that has no room for us."""
BUSY_TRIES = 20
BUSY = "BRIDGE_UPSTREAM_BUSY"
RENEW_SECONDS = 6600.0
"""Deepgram ends every agent session after two hours: at 1 h 50 the next pause is used for a fresh one."""
STEADY_AFTER = 10.0
"""An agent that was there for that many seconds starts the tries anew."""


def open_agent(s: State) -> Commands:
    """Open the agent's end for the client that is there."""
    assert s.settings, "an agent is opened after the client's Settings"
    s.phase, s.link = Phase.OPENING, Link.OPENING
    question = unanswered(s)
    s.again = question.what.content if question and isinstance(question.what, Message) else ""
    yield do.HoldSpeech()
    yield do.OpenAgent(
        audio_in=s.settings.audio_in,
        audio_out=s.settings.audio_out,
        greet=s.settings.wants_greeting and not s.greeted,
        history=tuple(entry for entry in s.entries if entry is not question),
        client_agent=s.settings.agent if s.agent.client_settings else None,
        context=s.settings.context,
    )


def ready(s: State, event: ev.AgentReady, now: Moment) -> Commands:
    if s.link is not Link.OPENING:
        return
    s.link, s.request, s.ready_at, s.greeted = Link.READY, event.request, now.clock, True
    s.waits, s.renew_by = 0, None
    yield do.Schedule(RENEW_SECONDS, due.RenewalDue())
    yield do.PassReply()
    if s.phase is Phase.OPENING:
        s.phase = Phase.LIVE
        if s.lost:
            yield from s.tell(do.Warned("BRIDGE_UPSTREAM_RESUMED", "The agent is back."))
    s.lost = False
    yield from apply(s)
    yield from pick_up(s, now)


def apply(s: State) -> Commands:
    """Let the user's sound flow, as far as there is a user."""
    if s.phase is Phase.LINGERING:
        yield do.PassSpeech()
        yield do.PlaySilence()
    elif s.settled:
        if not s.applied:
            s.applied = True
            yield do.Tell(do.Applied())
        yield do.PassSpeech()


def left(s: State, event: ev.AgentLeft, now: Moment) -> Commands:
    code = BUSY if event.reason == BUSY else "BRIDGE_UPSTREAM_FAILED"
    yield from _lost(s, now, retry=event.retry, code=code, tell=True)


def erred(s: State, event: ev.AgentErred, now: Moment) -> Commands:
    if not (event.fatal and event.retry):
        yield from s.tell(event)
    if event.fatal:
        yield do.CloseAgent()
        yield from _lost(s, now, retry=event.retry, code=event.code, tell=event.retry)


def answer_overdue(s: State, event: due.AnswerOverdue, now: Moment) -> Commands:
    if s.calls.open or s.link is not Link.READY:
        return
    if s.turn.repeated:
        yield from settle(s)
        return
    yield do.CloseAgent()
    yield from _lost(s, now, retry=True, code="BRIDGE_UPSTREAM_FAILED", tell=True)


def _lost(s: State, now: Moment, *, retry: bool, code: str, tell: bool) -> Commands:
    if s.link is Link.READY and now.clock - s.ready_at > STEADY_AFTER:
        s.failures = 0
    s.link, s.turn.replying = Link.ABSENT, False
    s.reply.sound_ended(now)
    yield do.Unschedule(due.AnswerLate)
    yield do.Unschedule(due.AnswerOverdue)
    yield do.EndReply()
    if s.phase is Phase.LINGERING:
        return
    wait = _next_try(s, busy=code == BUSY)
    if not retry or wait is None:
        if tell:
            yield do.Tell(do.Failed(code, WORDS.get(code, "The agent cannot be reached.")))
        yield from s.close("agent_lost")
        return
    s.phase = Phase.OPENING
    yield do.HoldSpeech()
    yield from _tell_lost(s, busy=code == BUSY)
    yield from _withdraw(s, now)
    yield do.Schedule(wait, due.ReopenDue())


def _withdraw(s: State, now: Moment) -> Commands:
    """What the lost agent wanted done before it had heard the user out: the next one hears them again."""
    if s.turn.speaking_since is None:
        return
    for opened in list(s.calls.open.values()):
        if opened.state is CallState.HELD:
            yield from end_call(s, opened, CANCELLED, now)
        elif opened.state is CallState.SAVING:
            opened.cancelled = True


WORDS = {BUSY: "The agent has no room for another talk; try again in a few minutes."}


def _next_try(s: State, *, busy: bool) -> float | None:
    """Seconds to the next try to open the agent; None = there were enough of them."""
    if busy:
        s.waits += 1
        return BUSY_SECONDS if s.waits <= BUSY_TRIES else None
    s.failures += 1
    return REOPEN_AFTER[s.failures - 1] if s.failures <= len(REOPEN_AFTER) else None


def _tell_lost(s: State, *, busy: bool) -> Commands:
    """Once for each loss; one that is only queued for is told as that."""
    if busy and s.waits == 1:
        yield from s.tell(do.Warned(BUSY, "The agent has no room yet; you are in the queue."))
    elif s.applied and not busy and not s.lost:
        s.lost = True
        yield from s.tell(do.Warned("BRIDGE_UPSTREAM_LOST", "The agent is gone; it is being called again."))


def reopen_due(s: State, event: due.ReopenDue, now: Moment) -> Commands:
    if s.saving and event.put_off < SAVING_TRIES:
        yield do.Schedule(SAVING_SECONDS, due.ReopenDue(event.put_off + 1))
    elif s.settled:
        yield from open_agent(s)
