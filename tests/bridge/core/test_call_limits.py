"""Scripts: calls and results at their limit, and one past it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.core import call_limits
from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core.agent import Limits
from bridge.core.model import FunctionCall, Result, Status
from tests.bridge.core.test_acts import DONE, confirmed, ended
from tests.support.playbook import AGENT, Playbook, call, entry, live, said


def busy(**limits: int) -> Playbook:
    """A talk with an agent that may do little."""
    return confirmed(live(agent=replace(AGENT, limits=Limits(**limits))))


def refusal(book: Playbook, function: FunctionCall) -> str:
    """What comes of a call: empty = it is run, else the sentence the agent gets instead."""
    book = (book >> ev.CallsRequested((function,))).skip()
    called = book.session.handle(ev.EntrySaved(book.unsaved.pop(0)), book.now)
    if any(isinstance(command, do.RunIntent) for command in called):
        (book >> ev.IntentFinished("agent-1", function.id, DONE)).skip().save().skip()
        return ""
    [saved] = [command.entry for command in called if isinstance(command, do.Save)]
    assert isinstance(saved.what, Result)
    assert saved.what.outcome.status is Status.REFUSED
    book >> ev.EntrySaved(saved) << do.Tell(do.Shown(saved))
    sentence = saved.what.outcome.content
    book << do.AskAgent(do.Answer(function.id, function.name, sentence))
    book.done()
    return sentence


def test_of_a_turn_so_many_calls_are_run_and_one_more_is_refused() -> None:
    book = busy(calls_per_turn=3)
    assert [refusal(book, call(f"f{n}")) for n in range(4)] == ["", "", "", call_limits.TURN]
    (book >> said("user", "go on")).skip().save().skip()
    assert refusal(book, call("f9")) == ""


def test_of_a_minute_so_many_calls_are_run_and_one_more_is_refused() -> None:
    book = busy(calls_per_minute=2)
    assert refusal(book, call("f1")) == ""
    book.wait(59)
    assert [refusal(book, call(f"f{n}")) for n in (2, 3)] == ["", call_limits.SLOWLY]
    book.wait(1)
    assert [refusal(book, call(f"f{n}")) for n in (4, 5)] == ["", call_limits.SLOWLY]


def test_of_a_session_so_many_calls_are_run_and_one_more_is_refused() -> None:
    book = busy(calls_per_session=2)
    assert [refusal(book, call(f"f{n}")) for n in range(3)] == ["", "", call_limits.SESSION]
    book.wait(3600)
    (book >> said("user", "go on")).skip().save().skip()
    assert refusal(book, call("f9")) == call_limits.SESSION


@pytest.mark.parametrize(("length", "kept"), [(8000, "x" * 8000), (8001, "x" * 7999 + "…")])
def test_a_result_has_so_many_characters_and_no_more(length: int, kept: str) -> None:
    book, function = confirmed(), call()
    (book >> ev.CallsRequested((function,))).skip().save().skip()
    said_much = replace(DONE, content="x" * length, note="")
    (
        book
        >> ev.IntentFinished("agent-1", "f1", said_much)
        << do.Save(entry(2, ended(function, replace(said_much, content=kept))))
    )
