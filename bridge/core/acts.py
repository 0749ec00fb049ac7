"""Rules about what is done: function calls asked for, held, run, withdrawn, answered; entries saved."""

from __future__ import annotations

from dataclasses import replace

from bridge.core import calls as c
from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core import timers as due
from bridge.core.calls import CallState, OpenCall, result_of
from bridge.core.events import Moment
from bridge.core.model import Call, FunctionCall, Outcome, Result, Status
from bridge.core.owing import INTENT_LATE_SECONDS, owe, settle
from bridge.core.state import Commands, Link, State

CONFIRM_SECONDS = 1.5
"""How long a call that writes waits for the user's text."""


def requested(s: State, event: ev.CallsRequested, now: Moment) -> Commands:
    yield do.PassReply()
    yield from settle(s)
    for function in event.functions:
        key = s.request, function.id
        if key in s.calls.ended:
            yield from _answer_again(s, function)
        elif key not in s.calls.open:
            call = Call(request=s.request, function=function, ours=function.name not in _client_functions(s))
            entry = s.record(call, now)
            s.calls.add(call, entry.cursor, s.call_limits.take(now.clock))
            yield do.Save(entry)


def _client_functions(s: State) -> frozenset[str]:
    return s.settings.functions if s.settings and s.agent.client_settings else frozenset()


def _answer_again(s: State, function: FunctionCall) -> Commands:
    arguments, result = s.calls.ended[s.request, function.id]
    content = result.outcome.content if arguments == function.arguments else c.REUSED_ID
    yield do.AskAgent(do.Answer(function.id, function.name, content, result.outcome.note))


def saved(s: State, event: ev.EntrySaved, now: Moment) -> Commands:
    s.saving -= 1
    s.entries.append(event.entry)
    yield from s.tell(do.Shown(event.entry))
    match event.entry.what:
        case Call() as call:
            yield from _begin(s, s.calls.open[call.request, call.function.id], now)
        case Result() as result:
            s.calls.end(result)
            yield from _answer(s, result, now)
        case _:
            pass
    yield from s.finish_if_done()


def save_failed(s: State, event: ev.SaveFailed, now: Moment) -> Commands:
    s.saving -= 1
    yield from s.tell(do.Failed(event.code, "What was said cannot be saved right now."))
    match event.entry.what:
        case Call() as call:
            s.calls.open.pop((call.request, call.function.id))
            if s.link is Link.READY and call.request == s.request:
                yield do.AskAgent(do.Answer(call.function.id, call.function.name, c.UNSAVED))
        case Result() as result:
            s.calls.end(result)
            yield from _answer(s, _unnoted(result), now)
        case _:
            pass
    yield from s.finish_if_done()


def _unnoted(result: Result) -> Result:
    """What was to be noted and is not in the journal will not be run."""
    if result.outcome.status is Status.NOTED:
        return replace(result, outcome=replace(result.outcome, status=Status.FAILED, content=c.UNSAVED))
    return result


def _begin(s: State, opened: OpenCall, now: Moment) -> Commands:
    """A call is durable: run it, hold it, or leave it to the client."""
    intent = s.agent.intent(opened.call.function.name)
    if opened.cancelled:
        yield from end_call(s, opened, c.CANCELLED, now)
    elif opened.too_many:
        refused = Outcome(
            status=Status.REFUSED, content=opened.too_many, route=intent.route if intent else ""
        )
        yield from end_call(s, opened, refused, now)
    elif not opened.call.ours:
        opened.state = CallState.WITH_CLIENT
        if not s.settled:
            yield from end_call(s, opened, c.NO_CLIENT, now)
    elif intent and intent.deferred and not s.confirmed:
        opened.state = CallState.HELD
        yield do.Schedule(CONFIRM_SECONDS, due.TurnConfirmDue())
    else:
        yield from _run(s, opened, now)


def _run(s: State, opened: OpenCall, now: Moment) -> Commands:
    opened.state = CallState.RUNNING
    yield do.RunIntent(opened.call, opened.cursor, s.questions.answered(now))
    if s.settled:
        yield do.Schedule(INTENT_LATE_SECONDS, due.IntentLate())


def confirm_turn(s: State, now: Moment) -> Commands:
    """The user's turn is over: what was held may run."""
    s.confirmed = True
    yield do.Unschedule(due.TurnConfirmDue)
    for opened in s.calls.held():
        yield from _run(s, opened, now)


def confirm_due(s: State, event: due.TurnConfirmDue, now: Moment) -> Commands:
    yield from confirm_turn(s, now)


def cancelled(s: State, event: ev.CallsCancelled, now: Moment) -> Commands:
    yield from s.tell(event)
    for call_id in event.call_ids:
        opened = s.calls.open.get((s.request, call_id))
        if opened is None or opened.cancelled:
            s.questions.withdraw((s.request, call_id))
            continue
        opened.cancelled = True
        if opened.state in (CallState.HELD, CallState.WITH_CLIENT):
            yield from end_call(s, opened, c.CANCELLED, now)
        elif opened.state is CallState.RUNNING:
            yield do.CancelIntent(opened.call.request, call_id)


def finished(s: State, event: ev.IntentFinished, now: Moment) -> Commands:
    opened = s.calls.open.get((event.request, event.call_id))
    if opened and opened.state is CallState.RUNNING:
        yield from end_call(s, opened, event.outcome, now)
    yield from s.finish_if_done()


def noted_run(s: State, event: ev.NotedCallRun, now: Moment) -> Commands:
    """The client sees what came of it; what went wrong is said as well, for the user believes it done."""
    s.entries[:] = [event.entry if old.cursor == event.entry.cursor else old for old in s.entries]
    yield from s.tell(do.Shown(event.entry))
    if not s.settled:
        s.amended.add(event.entry.cursor)
    result = event.entry.what
    assert isinstance(result, Result)
    if result.outcome.status is not Status.DONE and s.link is Link.READY:
        yield do.AskAgent(do.Speak(result.outcome.content))


def end_call(s: State, opened: OpenCall, outcome: Outcome, now: Moment) -> Commands:
    """Save the result; the agent is answered when it is durable."""
    opened.state = CallState.ENDING
    yield do.Save(s.record(result_of(opened, outcome), now))


def _answer(s: State, result: Result, now: Moment) -> Commands:
    """Tell the agent what came of its call; one that came after it did not ask, so it is to say it."""
    outcome = result.outcome
    if outcome.status is Status.CANCELLED:
        return
    if result.ours:
        s.turn.untold.append(outcome.content)
    if outcome.status is Status.UNCONFIRMED and s.link is Link.READY:
        s.questions.told((result.request, result.call_id), now)
    if s.link is Link.READY and result.request == s.request:
        yield do.AskAgent(do.Answer(result.call_id, result.name, outcome.content, outcome.note))
        if not s.calls.open:
            yield from owe(s, now)
    elif s.link is Link.READY and result.ours:
        yield do.AskAgent(do.Speak(outcome.content))
