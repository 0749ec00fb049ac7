"""Rules about the agent's end: it is opened, gets ready, is lost, and is opened again."""

from __future__ import annotations

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core import timers as due
from bridge.core.events import Moment
from bridge.core.state import Commands, Link, Phase, State

REOPEN_AFTER = (0.25, 1.0, 3.0)
"""Seconds before the first, second and third try to open a lost agent again."""
STEADY_AFTER = 10.0
"""An agent that was there for that many seconds starts the tries anew."""


def open_agent(s: State) -> Commands:
    """Open the agent's end for the client that is there."""
    assert s.settings, "an agent is opened after the client's Settings"
    s.phase, s.link = Phase.OPENING, Link.OPENING
    yield do.HoldSpeech()
    yield do.OpenAgent(
        audio_in=s.settings.audio_in,
        audio_out=s.settings.audio_out,
        greet=s.settings.wants_greeting and not s.greeted,
        history=tuple(s.entries),
        client_agent=s.settings.agent if s.agent.client_settings else None,
        context=s.settings.context,
    )


def ready(s: State, event: ev.AgentReady, now: Moment) -> Commands:
    if s.link is not Link.OPENING:
        return
    s.link, s.request, s.ready_at, s.greeted = Link.READY, event.request, now.clock, True
    yield do.PassReply()
    for content in s.unheard:
        yield do.AskAgent(do.Hear(content))
    if s.phase is Phase.OPENING:
        s.phase = Phase.LIVE
        if s.applied:
            yield do.Tell(do.Warned("BRIDGE_UPSTREAM_RESUMED", "The agent is back."))
    yield from apply(s)


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
    yield from _lost(s, now, retry=event.retry, code="BRIDGE_UPSTREAM_FAILED", tell=True)


def erred(s: State, event: ev.AgentErred, now: Moment) -> Commands:
    if not (event.fatal and event.retry):
        yield from s.tell(event)
    if event.fatal:
        yield do.CloseAgent()
        yield from _lost(s, now, retry=event.retry, code=event.code, tell=event.retry)


def _lost(s: State, now: Moment, *, retry: bool, code: str, tell: bool) -> Commands:
    if s.link is Link.READY and now.clock - s.ready_at > STEADY_AFTER:
        s.failures = 0
    s.link = Link.ABSENT
    s.reply.sound_ended(now)
    yield do.EndReply()
    if s.phase is Phase.LINGERING:
        return
    if not retry or s.failures >= len(REOPEN_AFTER):
        if tell:
            yield do.Tell(do.Failed(code, "The agent cannot be reached."))
        yield from s.close("agent_lost")
        return
    s.phase = Phase.OPENING
    yield do.HoldSpeech()
    if s.applied:
        yield from s.tell(do.Warned("BRIDGE_UPSTREAM_LOST", "The agent is gone; it is being called again."))
    yield do.Schedule(REOPEN_AFTER[s.failures], due.ReopenDue())
    s.failures += 1


def reopen_due(s: State, event: due.ReopenDue, now: Moment) -> Commands:
    if s.settled:
        yield from open_agent(s)
