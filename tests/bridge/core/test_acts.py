"""Scripts: function calls, asked for, held, run, withdrawn, answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core import timers as due
from bridge.core.calls import CANCELLED, NO_CLIENT, REUSED_ID, UNSAVED
from bridge.core.model import Call, Cursor, Entry, FunctionCall, Outcome, Result, Status
from bridge.core.session import Phase
from tests.support.playbook import AGENT, Playbook, call, entry, live, said, settings

DONE = Outcome(status=Status.DONE, content="Task created.", note="task_id: 1", route="NEW_TASK", task_id="1")


def asked(function: FunctionCall, *, ours: bool = True) -> Call:
    return Call(request="agent-1", function=function, ours=ours)


def ended(function: FunctionCall, outcome: Outcome = DONE, *, ours: bool = True, of: int = 1) -> Result:
    """The result of the call that stands at `of`."""
    return Result(
        request="agent-1",
        call_id=function.id,
        name=function.name,
        outcome=outcome,
        ours=ours,
        of=Cursor(2, of),
    )


def confirmed(book: Playbook | None = None) -> Playbook:
    """A talk in which the user's turn is confirmed."""
    book = book or live()
    (book >> said("user", "remind me")).skip()
    return book.save().skip()


def test_a_call_is_saved_shown_run_saved_shown_and_then_answered() -> None:
    book, function = confirmed(), call()
    asking = entry(1, asked(function))
    book >> ev.CallsRequested((function,)) << do.PassReply() << do.Save(asking)
    book.save() << do.Tell(do.Shown(asking)) << do.RunIntent(asked(function), Cursor(2, 1))
    ending = entry(2, ended(function))
    book >> ev.IntentFinished("agent-1", "f1", DONE) << do.Save(ending)
    book.save() << do.Tell(do.Shown(ending))
    book << do.AskAgent(do.Answer("f1", "add_task", "Task created.", "task_id: 1"))
    book.done()


def test_every_call_of_a_request_is_run_and_answered() -> None:
    book, first, second = confirmed(), call("f1"), call("f2")
    book >> ev.CallsRequested((first, second)) << do.PassReply() << do.Save << do.Save
    book.save() << do.Tell << do.RunIntent(asked(first), Cursor(2, 1))
    book.save() << do.Tell << do.RunIntent(asked(second), Cursor(2, 2))
    book >> ev.IntentFinished("agent-1", "f2", DONE) << do.Save(entry(3, ended(second, of=2)))
    book >> ev.IntentFinished("agent-1", "f1", DONE) << do.Save(entry(4, ended(first)))
    book.save() << do.Tell << do.AskAgent(do.Answer("f2", "add_task", "Task created.", "task_id: 1"))
    book.save() << do.Tell << do.AskAgent(do.Answer("f1", "add_task", "Task created.", "task_id: 1"))
    book.done()


def test_a_call_that_writes_waits_for_the_users_text() -> None:
    book, function = live(), call()
    book >> ev.CallsRequested((function,)) << do.PassReply() << do.Save
    book.save() << do.Tell
    book.done()
    assert book.timers[due.TurnConfirmDue] == 1.5
    (
        book
        >> said("user", "remind me")
        << do.Save
        << do.PassReply()
        << do.RunIntent(asked(function), Cursor(2, 0))
    )
    assert due.TurnConfirmDue not in book.timers


def test_a_call_that_only_reads_does_not_wait() -> None:
    book, function = live(), call(name="list_tasks")
    book >> ev.CallsRequested((function,)) << do.PassReply() << do.Save
    book.save() << do.Tell << do.RunIntent
    book.done()


def test_a_held_call_runs_when_the_text_does_not_come() -> None:
    book = live()
    (book >> ev.CallsRequested((call(),))).skip()
    book.save().skip()
    book >> due.TurnConfirmDue() << do.RunIntent


def test_a_new_turn_holds_calls_again() -> None:
    book = confirmed()
    (book >> ev.UserStartedSpeaking()).skip()
    (book >> ev.CallsRequested((call(),))).skip()
    book.save() << do.Tell
    book.done()


def test_a_call_cancelled_while_held_has_no_effect_and_no_answer() -> None:
    book, function = live(), call()
    (book >> ev.CallsRequested((function,))).skip()
    book.save().skip()
    withdrawn = ev.CallsCancelled(("f1",))
    book >> withdrawn << do.Tell(withdrawn) << do.Save(entry(1, ended(function, CANCELLED, of=0)))
    book.save() << do.Tell
    book.done()
    book >> said("user", "never mind") << do.Save << do.PassReply()
    book.done()


def test_a_call_cancelled_before_it_is_durable_never_runs() -> None:
    book, function = confirmed(), call()
    (book >> ev.CallsRequested((function,))).skip()
    (book >> ev.CallsCancelled(("f1",))).skip()
    book.save() << do.Tell << do.Save(entry(2, ended(function, CANCELLED)))
    book.done()


def test_a_call_cancelled_while_it_runs_is_withdrawn_and_its_end_is_told_as_it_was() -> None:
    book, function = confirmed(), call()
    (book >> ev.CallsRequested((function,))).skip()
    book.save().skip()
    book >> ev.CallsCancelled(("f1",)) << do.Tell << do.CancelIntent("agent-1", "f1")
    book >> ev.IntentFinished("agent-1", "f1", DONE) << do.Save(entry(2, ended(function)))


def test_a_cancelled_call_that_is_not_known_is_passed_over() -> None:
    book = live() >> ev.CallsCancelled(("what",)) << do.Tell
    book.done()


def test_the_same_call_again_gets_the_same_answer_and_runs_once() -> None:
    book, function = confirmed(), call(arguments='{"a":1}')
    (book >> ev.CallsRequested((function, function))).skip()
    book.save().skip()
    (book >> ev.IntentFinished("agent-1", "f1", DONE)).skip()
    book.save().skip()
    assert not book.unsaved
    book >> ev.CallsRequested((function,)) << do.PassReply()
    book << do.AskAgent(do.Answer("f1", "add_task", "Task created.", "task_id: 1"))
    book >> ev.CallsRequested((replace(function, arguments="{}"),)) << do.PassReply()
    book << do.AskAgent(do.Answer("f1", "add_task", REUSED_ID, "task_id: 1"))
    book.done()


def test_a_function_nobody_knows_is_run_too_so_that_it_gets_an_answer() -> None:
    book = confirmed()
    (book >> ev.CallsRequested((call(name="fly"),))).skip()
    book.save() << do.Tell << do.RunIntent


def test_a_call_that_cannot_be_saved_is_not_run_and_the_agent_is_told() -> None:
    book = confirmed()
    (book >> ev.CallsRequested((call(),))).skip()
    book >> ev.SaveFailed(book.unsaved.pop(), "BRIDGE_JOURNAL_FAILED") << do.Tell
    book << do.AskAgent(do.Answer("f1", "add_task", UNSAVED))
    book.done()


OWN = replace(AGENT, client_settings=True)


def with_client_function() -> Playbook:
    book = Playbook(agent=OWN)
    (book >> ev.Attached(request_id="r", resume_token="t")).skip()
    (book >> settings(agent={"think": {}}, functions=frozenset({"open_door"}))).skip()
    (book >> ev.AgentReady("agent-1")).skip()
    return confirmed(book)


def test_a_function_of_the_clients_is_the_clients_to_answer() -> None:
    book, function = with_client_function(), call(name="open_door")
    (book >> ev.CallsRequested((function,))).skip()
    book.save() << do.Tell(do.Shown(entry(1, asked(function, ours=False))))
    book.done()
    outcome = Outcome(status=Status.DONE, content="It is open.")
    (
        book
        >> ev.ClientAnswered("f1", "open_door", "It is open.")
        << do.Save(entry(2, ended(function, outcome, ours=False)))
    )
    book.save() << do.Tell << do.AskAgent(do.Answer("f1", "open_door", "It is open."))


def test_a_clients_answer_to_a_call_of_ours_is_ignored() -> None:
    book = confirmed()
    (book >> ev.CallsRequested((call(),))).skip()
    book.save().skip()
    book >> ev.ClientAnswered("f1", "add_task", "forged")
    book.done()


def test_a_call_for_a_client_that_left_is_answered_for_it() -> None:
    book, function = with_client_function(), call(name="open_door")
    (book >> ev.CallsRequested((function,))).skip()
    book.save().skip()
    (book >> ev.ClientLeft())
    book << do.PlaySilence() << do.Save(entry(2, ended(function, NO_CLIENT, ours=False)))
    book.save() << do.AskAgent(do.Answer("f1", "open_door", NO_CLIENT.content))


def test_a_result_is_said_by_an_agent_that_did_not_ask_for_it() -> None:
    book = confirmed()
    (book >> ev.CallsRequested((call(),))).skip()
    book.save().skip()
    (book >> ev.AgentLeft(1006)).skip()
    (book >> due.ReopenDue()).skip()
    (book >> ev.AgentReady("agent-2")).skip()
    (book >> ev.IntentFinished("agent-1", "f1", DONE)).skip()
    book.save() << do.Tell << do.AskAgent(do.Speak(DONE.content))
    book.done()


@pytest.mark.parametrize("held", [True, False])
def test_the_end_waits_for_what_runs(held: bool) -> None:
    book = live() if held else confirmed()
    (book >> ev.CallsRequested((call(),))).skip()
    book.save().skip()
    book >> ev.EndRequested("") << do.CloseClient(1000, "ended") << do.CloseAgent()
    if held:
        book << do.RunIntent
    book >> ev.IntentFinished("agent-1", "f1", DONE) << do.Save
    book.save() << do.Finish("ended")
    assert book.session.phase is Phase.CLOSED


def test_a_call_that_is_being_saved_at_the_end_still_runs() -> None:
    book = live()
    (book >> ev.CallsRequested((call(),))).skip()
    (book >> ev.EndRequested("")).skip()
    book.save() << do.RunIntent
    (book >> ev.IntentFinished("agent-1", "f1", DONE)).skip()
    book.save() << do.Finish("ended")


# ── noted ─────────────────────────────────────────────────────────────────────────────────────────

NOTED = Outcome(status=Status.NOTED, content="I've noted that.")


def noted() -> tuple[Playbook, FunctionCall, Entry]:
    """A call that was answered with NOTED."""
    book, function = confirmed(), call()
    (book >> ev.CallsRequested((function,))).skip()
    book.save().skip()
    ending = entry(2, ended(function, NOTED))
    book >> ev.IntentFinished("agent-1", "f1", NOTED) << do.Save(ending)
    return book, function, ending


def test_a_noted_call_is_answered_at_once_and_its_outcome_shown_when_it_has_been_run() -> None:
    book, function, ending = noted()
    book.save() << do.Tell(do.Shown(ending))
    book << do.AskAgent(do.Answer("f1", "add_task", "I've noted that.", ""))
    run = entry(2, ended(function))
    book >> ev.NotedCallRun(run) << do.Tell(do.Shown(run))
    book.done()
    assert book.session.entries[-1] == run


def test_whoever_was_away_when_it_was_run_is_told_when_they_are_back() -> None:
    book, function, _ = noted()
    book.save().skip()
    (book >> ev.ClientLeft(1006)).skip()
    run = entry(2, ended(function))
    (book >> ev.NotedCallRun(run)).skip()
    for told in ([do.Tell(do.Replayed(run))], []):
        (book >> ev.Attached(request_id="r2", resume_token="t2")).skip()
        commands = book.session.handle(settings(cursor=run.cursor), book.now)
        assert [c for c in commands if isinstance(c, do.Tell) and isinstance(c.news, do.Replayed)] == told
        (book >> ev.ClientLeft(1006)).skip()


def test_what_goes_wrong_later_is_said() -> None:
    book, function, _ = noted()
    book.save().skip()
    refused = Outcome(status=Status.REFUSED, content="I need a time for that.")
    book >> ev.NotedCallRun(entry(2, ended(function, refused))) << do.Tell
    book << do.AskAgent(do.Speak("I need a time for that."))
    book.done()


def test_what_cannot_be_journalled_is_not_noted() -> None:
    book, _, ending = noted()
    book.unsaved.clear()
    book >> ev.SaveFailed(ending, "BRIDGE_JOURNAL_FAILED") << do.Tell
    book << do.AskAgent(
        do.Answer("f1", "add_task", "I can't save anything right now, so that was not done.", "")
    )
    book.done()
