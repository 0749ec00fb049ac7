"""Scripts: the agent is lost while something is being saved, or while the user still speaks."""

from __future__ import annotations

import pytest

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core import timers as due
from bridge.core.model import Status
from tests.support.playbook import call, live, said


def test_the_next_agent_is_asked_what_is_saved_late() -> None:
    book = live()
    (book >> said("user", "what is on today")).skip()
    (book >> ev.AgentLeft(1006)).skip()
    book >> due.ReopenDue()
    book.done()
    book.save().skip()
    (book >> due.ReopenDue(1)).skip()
    book >> ev.AgentReady("agent-2") << do.PassReply() << do.Tell << do.PassSpeech()
    book << do.AskAgent(do.Hear("what is on today"))
    book.done()


def test_what_is_not_saved_for_long_is_not_waited_for() -> None:
    book = live()
    (book >> said("user", "what is on today")).skip()
    (book >> ev.AgentLeft(1006)).skip()
    for put_off in range(40):
        book >> due.ReopenDue(put_off)
        book.done()
        assert book.timers[due.ReopenDue] == 0.05
    book >> due.ReopenDue(40) << do.HoldSpeech() << do.OpenAgent
    book.done()


@pytest.mark.parametrize("saved", [False, True])
def test_a_call_is_withdrawn_when_the_next_agent_will_hear_the_same_words(saved: bool) -> None:
    book = live()
    (book >> ev.UserStartedSpeaking()).skip()
    (book >> ev.CallsRequested((call(),))).skip()
    if saved:
        book.save().skip()
    (book >> ev.AgentLeft(1006)).skip()
    if not saved:
        book.save() << do.Tell << do.Save
        book.done()
    book.save() << do.Tell
    book.done()
    assert not book.session.calls.open
    assert [result.outcome.status for _, result in book.session.calls.ended.values()] == [Status.CANCELLED]
    assert book.keeping


def test_a_call_runs_when_no_next_agent_will_hear_the_words() -> None:
    book = live()
    (book >> ev.UserStartedSpeaking()).skip()
    (book >> ev.CallsRequested((call(),))).skip()
    book.save().skip()
    (book >> ev.ClientLeft()).skip()
    (book >> ev.AgentLeft(1006)).skip()
    book >> due.TurnConfirmDue() << do.RunIntent
    book.done()
