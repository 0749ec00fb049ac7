"""Rules about an answer that is owed: a word in between when it is late, another try by the next agent."""

from __future__ import annotations

from bridge.core import commands as do
from bridge.core import timers as due
from bridge.core.events import Moment
from bridge.core.model import Entry, Message, Role
from bridge.core.state import Commands, Link, State

LATE_SECONDS = 4.0
"""How long the agent may be silent before a word is put in between."""
OVERDUE_SECONDS = 20.0
"""How long it may be silent before it is taken for lost."""
INTENT_LATE_SECONDS = 2.5
"""How long an intent may run before a word is put in between."""

OWED = do.Schedule(LATE_SECONDS, due.AnswerLate()), do.Schedule(OVERDUE_SECONDS, due.AnswerOverdue())
"""The agent has so long to answer;"""
SETTLED = do.Unschedule(due.AnswerLate), do.Unschedule(due.AnswerOverdue)
"""it has answered, or need not."""


def owe(s: State, now: Moment) -> Commands:
    """The agent is to answer now."""
    s.turn.owed = True
    s.turn.moved(now)
    yield from OWED


def settle(s: State) -> Commands:
    """Nothing is owed any more: it answers, or is interrupted, or we are to do something first."""
    s.turn.owed = False
    yield from SETTLED


def answer_late(s: State, event: due.AnswerLate, now: Moment) -> Commands:
    if s.turn.moved(now):
        yield from settle(s)
    elif not s.calls.open:
        yield from bridge_over(s)


def intent_late(s: State, event: due.IntentLate, now: Moment) -> Commands:
    if s.calls.running():
        yield from bridge_over(s)


def bridge_over(s: State) -> Commands:
    """Have the agent say that it takes a moment, if it is our agent and somebody is there to hear it."""
    theirs = s.settings is not None and s.settings.agent is not None and s.agent.client_settings
    if s.agent.one_moment and s.settled and s.link is Link.READY and not theirs:
        yield do.AskAgent(do.Speak(s.agent.one_moment))


def is_answer(s: State, message: Message) -> bool:
    """An assistant's line that is more than the word we put in between."""
    return message.role is Role.ASSISTANT and message.content != s.agent.one_moment


def unanswered(s: State) -> Entry | None:
    """What the user said last, when the agent still owes the answer and nothing was done about it."""
    if not s.turn.owed or s.turn.untold or s.calls.open:
        return None
    for entry in reversed(s.entries):
        if isinstance(entry.what, Message):
            return entry if entry.what.role is Role.USER else None
    return None


def pick_up(s: State, now: Moment) -> Commands:
    """A new agent session: what the one before did not answer is asked again, or told."""
    for sentence in s.turn.untold:
        yield do.AskAgent(do.Speak(sentence))
    if s.again:
        yield do.AskAgent(do.Hear(s.again))
    for content in s.unheard:
        yield do.AskAgent(do.Hear(content))
    if s.again or s.unheard or s.turn.untold:
        s.turn.repeated = True
        yield from owe(s, now)
