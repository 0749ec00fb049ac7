"""Scripts: an answer that is late, an agent that is silent, lost, busy or old, an end that waits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core import timers as due
from bridge.core.model import Message, Outcome, Role, Status
from bridge.core.session import Phase
from tests.support.playbook import AGENT, HEARD, SPOKEN, Playbook, call, entry, live, said, settings

ONE_MOMENT = do.AskAgent(do.Speak(AGENT.one_moment))
DONE = Outcome(status=Status.DONE, content="Task created.")


def asked(words: str = "what is on today", **options: object) -> Playbook:
    """The user has said something and awaits the answer."""
    book = live(**options)
    (book >> said("user", words)).skip()
    return book.save().skip()


def reopened(book: Playbook, *, agent: str = "agent-2") -> Playbook:
    """The agent was lost and another one is there; what it is asked stands in the script."""
    (book >> ev.AgentLeft(1011)).skip()
    (book >> due.ReopenDue()).skip()
    book >> ev.AgentReady(agent) << do.PassReply() << do.Tell << do.PassSpeech()
    return book


# ── late ──────────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_that_is_late_is_bridged_over_once() -> None:
    book = asked()
    assert book.timers[due.AnswerLate] == 4.0
    book.wait(4) >> due.AnswerLate() << ONE_MOMENT
    book.done()
    assert due.AnswerLate not in book.timers


def test_the_word_in_between_is_no_answer() -> None:
    book = asked()
    (book >> due.AnswerLate()).skip()
    (book >> said("assistant", AGENT.one_moment)).skip()
    (book >> ev.AgentAudioDone()).skip()
    assert book.timers[due.AnswerOverdue] == 20.0


@pytest.mark.parametrize(
    "event", [said("assistant", "Nothing today."), ev.UserStartedSpeaking(), ev.CallsRequested((call(),))]
)
def test_an_answer_an_interruption_and_a_call_settle_it(event: ev.PeerEvent) -> None:
    book = asked()
    (book >> event).skip()
    assert due.AnswerLate not in book.timers
    assert due.AnswerOverdue not in book.timers


def test_sound_without_a_line_is_an_answer_too() -> None:
    book = asked()
    book.sound(1, 200) >> due.AnswerLate()
    book.done()
    assert due.AnswerOverdue not in book.timers


def test_nothing_is_put_in_between_for_nobody_or_for_somebody_elses_agent() -> None:
    book = asked()
    (book >> ev.ClientLeft()).skip()
    book >> due.AnswerLate()
    book.done()

    theirs = live(agent=replace(AGENT, client_settings=True))
    (theirs >> ev.ClientLeft()).skip()
    (theirs >> ev.Attached(request_id="r", resume_token="t")).skip()
    (theirs >> settings(agent={"think": {}})).skip()
    (theirs >> said("user", "hi")).skip()
    theirs >> due.AnswerLate()
    theirs.done()


def test_an_agent_may_have_no_word_for_it() -> None:
    book = asked(agent=replace(AGENT, one_moment=""))
    book >> due.AnswerLate()
    book.done()


def test_an_intent_that_takes_long_is_bridged_over() -> None:
    book = asked()
    (book >> ev.CallsRequested((call(),))).skip()
    book.save() << do.Tell << do.RunIntent
    assert book.timers[due.IntentLate] == 2.5
    book.wait(2.5) >> due.IntentLate() << ONE_MOMENT
    (book >> ev.IntentFinished("agent-1", "f1", DONE)).skip()
    book.save() << do.Tell << do.AskAgent(do.Answer("f1", "add_task", "Task created.", ""))
    assert book.timers[due.AnswerLate] == 4.0


def test_an_intent_that_is_done_is_not() -> None:
    book = asked()
    (book >> ev.CallsRequested((call(),))).skip()
    book.save().skip()
    (book >> ev.IntentFinished("agent-1", "f1", DONE)).skip()
    book >> due.IntentLate()
    book.done()


# ── silent, lost ──────────────────────────────────────────────────────────────────────────────────


def test_an_agent_that_stays_silent_is_taken_for_lost() -> None:
    book = asked()
    book.wait(20) >> due.AnswerOverdue() << do.CloseAgent() << do.EndReply() << do.HoldSpeech()
    book << do.Tell(do.Warned("BRIDGE_UPSTREAM_LOST", "The agent is gone; it is being called again."))
    assert book.timers[due.ReopenDue] == 0.25


def test_the_next_agent_is_asked_what_the_lost_one_did_not_answer() -> None:
    book = live()
    (book >> said("assistant", "Hey!")).skip()
    greeting = book.unsaved[0]
    book.save().skip()
    (book >> said("user", "what is on today")).skip()
    book.save().skip()
    (book >> ev.AgentLeft(1011)).skip()
    book >> due.ReopenDue() << do.HoldSpeech()
    book << do.OpenAgent(audio_in=HEARD, audio_out=SPOKEN, greet=False, history=(greeting,))
    book >> ev.AgentReady("agent-2") << do.PassReply() << do.Tell << do.PassSpeech()
    book << do.AskAgent(do.Hear("what is on today"))
    # Its echo is the line that is stored already.
    book >> said("user", "what is on today") << do.PassReply()
    book.done()
    assert not book.unsaved
    (book >> said("user", "what is on today")).skip()
    assert len(book.unsaved) == 1


def test_an_agent_that_stays_silent_again_is_left_alone() -> None:
    book = asked()
    (book.wait(20) >> due.AnswerOverdue()).skip()
    (book >> due.ReopenDue()).skip()
    (book >> ev.AgentReady("agent-2")).skip()
    book.wait(20) >> due.AnswerOverdue()
    book.done()
    (book >> said("user", "hello?")).skip()
    book.save().skip()
    (book.wait(20) >> due.AnswerOverdue()) << do.CloseAgent()
    book.skip()


def test_it_is_not_asked_when_the_answer_was_heard() -> None:
    book = asked()
    (book >> said("assistant", "Nothing.")).skip()
    book.save().skip()
    reopened(book).done()


def test_what_was_done_is_said_and_not_asked_again() -> None:
    book = asked("call mom at nine")
    (book >> ev.CallsRequested((call(),))).skip()
    book.save().skip()
    (book >> ev.IntentFinished("agent-1", "f1", DONE)).skip()
    book.save().skip()
    reopened(book) << do.AskAgent(do.Speak("Task created."))
    book.done()


def test_what_is_done_while_nobody_is_there_is_said_by_the_next() -> None:
    book = asked("call mom at nine")
    (book >> ev.CallsRequested((call(),))).skip()
    book.save().skip()
    (book >> ev.AgentLeft(1006)).skip()
    (book >> ev.IntentFinished("agent-1", "f1", DONE)).skip()
    book.save() << do.Tell
    (book >> due.ReopenDue()).skip()
    book >> ev.AgentReady("agent-2") << do.PassReply() << do.Tell << do.PassSpeech()
    book << do.AskAgent(do.Speak("Task created."))
    book.done()


def test_what_the_user_says_is_kept_until_it_is_understood() -> None:
    book = live()
    (book >> ev.UserStartedSpeaking()).skip()
    assert book.keeping
    (book >> said("user", "call mom")).skip()
    assert not book.keeping


# ── busy ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_busy_agent_is_queued_for_and_told_as_that() -> None:
    book = Playbook()
    (book >> ev.Attached(request_id="r", resume_token="t")).skip()
    (book >> settings()).skip()
    busy = ev.AgentLeft(1006, "BRIDGE_UPSTREAM_BUSY")
    book >> busy << do.EndReply() << do.HoldSpeech()
    book << do.Tell(do.Warned("BRIDGE_UPSTREAM_BUSY", "The agent has no room yet; you are in the queue."))
    for _ in range(19):
        assert book.timers[due.ReopenDue] == 3.0
        (book >> due.ReopenDue()).skip()
        book >> busy << do.EndReply() << do.HoldSpeech()
    (book >> due.ReopenDue()).skip()
    book >> busy << do.EndReply()
    book << do.Tell(
        do.Failed(
            "BRIDGE_UPSTREAM_BUSY", "The agent has no room for another talk; try again in a few minutes."
        )
    )
    book << do.CloseClient << do.CloseAgent << do.Finish("agent_lost")


def test_waiting_for_a_busy_agent_ends_with_its_coming() -> None:
    book = Playbook()
    (book >> ev.Attached(request_id="r", resume_token="t")).skip()
    (book >> settings()).skip()
    (book >> ev.AgentLeft(1006, "BRIDGE_UPSTREAM_BUSY")).skip()
    (book >> due.ReopenDue()).skip()
    book >> ev.AgentReady("a") << do.PassReply() << do.Tell(do.Applied()) << do.PassSpeech()
    assert book.session.phase is Phase.LIVE
    assert book.session.waits == 0


# ── renewed ───────────────────────────────────────────────────────────────────────────────────────


def test_an_old_agent_session_is_renewed_in_a_pause_and_nobody_is_told() -> None:
    book = live(history=(entry(0, Message(Role.USER, "hi"), epoch=1),))
    assert book.timers[due.RenewalDue] == 6600.0
    book.wait(6600)
    (book >> ev.UserStartedSpeaking()).skip()
    book >> due.RenewalDue()
    for event in (said("user", "call mom"), said("assistant", "When?")):
        book.wait(1) >> due.PauseDue()
        book.done()
        (book >> event).skip()
        book.save().skip()
    book.sound(1, 500).wait(1) >> due.PauseDue()
    book.done()
    (book >> ev.AgentAudioDone()).skip()
    book >> due.PauseDue() << do.CloseAgent() << do.HoldSpeech()
    book << (lambda command: isinstance(command, do.OpenAgent) and len(command.history) == 3)
    book >> ev.AgentReady("agent-2") << do.PassReply() << do.PassSpeech()
    book.done()
    assert due.PauseDue not in book.timers
    assert book.timers[due.RenewalDue] == 6600.0


def test_without_a_pause_it_is_renewed_before_it_ends_by_itself() -> None:
    book = asked()
    book.wait(6600) >> due.RenewalDue()
    book.wait(479) >> due.PauseDue()
    book.done()
    book.wait(1) >> due.PauseDue() << do.CloseAgent()
    book.skip()


def test_the_pause_is_found_without_a_word_that_the_reply_is_over() -> None:
    book = asked()
    (book >> said("assistant", "Nothing.")).skip()
    book.save().skip()
    book >> due.RenewalDue()
    for milliseconds in (1000, 2000):
        book.sound(1, milliseconds).wait(1) >> due.PauseDue()
        book.done()
    book.wait(1.9) >> due.PauseDue()
    book.done()
    book.wait(0.2) >> due.PauseDue() << do.CloseAgent()
    book.skip()


# ── ended after the turn ──────────────────────────────────────────────────────────────────────────

LEAVE = ev.EndRequested("BRIDGE_GOING_AWAY", "The server stops; come back.", 1012, patience=20.0)
GOING = do.Tell(do.Warned("BRIDGE_GOING_AWAY", "The server stops; come back."))


def test_between_turns_an_end_is_at_once() -> None:
    book = live() >> LEAVE << GOING << do.CloseClient(1012, "BRIDGE_GOING_AWAY") << do.CloseAgent
    book << do.Finish("BRIDGE_GOING_AWAY")


def test_a_patient_end_lets_the_turn_come_to_its_own() -> None:
    book = asked()
    book >> LEAVE
    book.done()
    (book >> ev.CallsRequested((call(),))).skip()
    book.save().skip()
    book >> due.PauseDue()
    (book >> ev.IntentFinished("agent-1", "f1", DONE)).skip()
    book.save().skip()
    book >> due.PauseDue()
    (book >> said("assistant", "Done.")).skip()
    book.save().skip()
    book.sound(1, 400) >> due.PauseDue()
    book.done()
    book >> ev.AgentAudioDone() << do.EndReply << do.Tell
    book << GOING << do.CloseClient(1012, "BRIDGE_GOING_AWAY")
    book.skip()


def test_patience_has_its_end() -> None:
    book = asked()
    book >> LEAVE
    book.wait(19.9) >> due.PauseDue()
    book.done()
    book.wait(0.1) >> due.PauseDue() << GOING
    book.skip()


def test_a_client_that_has_left_is_not_waited_for_longer_because_the_server_stops() -> None:
    book = asked()
    (book >> ev.ClientLeft(1000)).skip()
    (book.wait(5) >> LEAVE).skip()
    (book.wait(5) >> due.PauseDue()).skip()
    assert book.session.phase is Phase.CLOSED


def test_somebody_less_patient_comes_first() -> None:
    book = asked()
    book >> LEAVE
    book >> ev.EndRequested("BRIDGE_TAKEN_OVER") << do.Tell << do.CloseClient << do.CloseAgent << do.Finish
    assert not book.timers
