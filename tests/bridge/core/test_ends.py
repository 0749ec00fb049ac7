"""Scripts: the client is lost and comes back, the agent is lost and comes back, and the end."""

from __future__ import annotations

import pytest

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core import timers as due
from bridge.core.model import Cursor, Outcome, Status
from bridge.core.session import RULES, Link, Phase
from bridge.core.timers import Timer
from tests.support.playbook import HEARD, SPOKEN, Playbook, call, live, said, settings


def lost_client() -> Playbook:
    book = live() >> ev.ClientLeft(1006) << do.PlaySilence()
    del book.timers[due.RenewalDue]
    assert book.timers == {due.LingerOver: 10.0, due.RejoinOver: 30.0, due.LengthReached: 1800.0}
    return book


def test_without_a_client_the_agent_gets_silence_and_its_last_words_are_kept() -> None:
    book = lost_client()
    book >> said("user", "call mom tomorrow") << do.Save << do.PassReply()
    book.save()
    (book >> ev.CallsRequested((call(),))).skip()
    book.save() << do.RunIntent
    book.done()
    assert book.timers[due.LingerOver] == 10.0


def test_a_client_that_comes_back_gets_what_it_missed_and_the_same_agent() -> None:
    book = live()
    (book >> said("user", "one")).skip()
    book.save().skip()
    (book >> ev.ClientLeft(1006)).skip()
    (book >> said("assistant", "two")).skip()
    missed = book.unsaved[0]
    book.save()
    book >> ev.Attached(request_id="r2", resume_token="t2") << do.Tell(do.Welcome("r2"))
    book >> settings(cursor=Cursor(2, 0))
    book << do.Tell(
        do.Ready(
            session_id="s",
            conversation_id="c",
            agent="flux",
            cursor=Cursor(2, 1),
            resumed=True,
            recovered=True,
            resume_token="t2",
            audio_in=HEARD,
            audio_out=SPOKEN,
        )
    )
    book << do.Tell(do.Replayed(missed)) << do.Tell(do.Applied()) << do.PassSpeech()
    book.done()
    assert due.LingerOver not in book.timers
    assert due.RejoinOver not in book.timers


def test_one_that_had_seen_nothing_gets_all_of_this_session() -> None:
    book = live()
    (book >> said("assistant", "Hey!")).skip()
    (book >> ev.ClientLeft(1006)).skip()
    greeting = book.unsaved[0]
    book.save()
    (book >> ev.Attached(request_id="r2", resume_token="t2")).skip()
    (
        book
        >> settings()
        << do.Tell
        << do.Tell(do.Replayed(greeting))
        << do.Tell(do.Applied())
        << do.PassSpeech()
    )


def test_the_agent_goes_before_the_client_may_no_longer_come_back() -> None:
    book = lost_client()
    book >> due.LingerOver() << do.CloseAgent()
    assert book.session.link is Link.ABSENT
    (book >> ev.Attached(request_id="r2", resume_token="t2")).skip()
    book >> settings() << do.Tell << do.HoldSpeech << do.OpenAgent
    (book >> ev.AgentReady("agent-2")).skip()
    assert book.session.phase is Phase.LIVE


def test_a_client_that_stays_away_ends_the_session() -> None:
    book = lost_client()
    book >> due.RejoinOver() << do.CloseClient << do.CloseAgent() << do.Finish("client_left")


def test_a_client_that_ended_the_talk_is_not_waited_for() -> None:
    book = live() >> ev.ClientLeft(1000) << do.PlaySilence()
    assert book.timers[due.PauseDue] == 2.0
    book.wait(2) >> due.PauseDue() << do.CloseClient << do.CloseAgent() << do.Finish("client_left")


def test_its_last_sentence_is_heard_out_and_done() -> None:
    book = live()
    (book >> ev.UserStartedSpeaking()).skip()
    (book >> ev.ClientLeft(1000)).skip()
    book.wait(2) >> due.PauseDue()
    (book >> said("user", "call mom tomorrow")).skip()
    book.save().skip()
    (book >> ev.CallsRequested((call(),))).skip()
    book.save().skip()
    book.wait(1) >> due.PauseDue()
    book.done()
    (book >> ev.IntentFinished("agent-1", "f1", Outcome(status=Status.DONE, content="Done."))).skip()
    book.save().skip()
    (book >> said("assistant", "Done.")).skip()
    book.save().skip()
    (book >> ev.AgentAudioDone()).skip()
    book.wait(1) >> due.PauseDue() << do.CloseClient << do.CloseAgent() << do.Finish("client_left")


def test_it_is_over_after_ten_seconds_whatever_the_agent_owes() -> None:
    book = live()
    (book >> said("user", "hi")).skip()
    book.save().skip()
    (book >> ev.ClientLeft(1000)).skip()
    book.wait(10) >> due.PauseDue() << do.CloseClient << do.CloseAgent() << do.Finish("client_left")


def test_a_client_that_ended_it_and_is_back_at_once_goes_on() -> None:
    book = live()
    (book >> ev.ClientLeft(1000)).skip()
    (book >> ev.Attached(request_id="r2", resume_token="t2")).skip()
    (book >> settings()).skip()
    book.wait(2) >> due.PauseDue()
    book.done()
    assert book.session.phase is Phase.LIVE


def test_a_client_lost_before_its_settings_ends_the_session() -> None:
    book = Playbook()
    (book >> ev.Attached(request_id="r", resume_token="t")).skip()
    book >> ev.ClientLeft() << do.CloseClient << do.CloseAgent << do.Finish


def test_the_first_words_reach_an_agent_that_opens_after_the_client_left() -> None:
    book = Playbook()
    (book >> ev.Attached(request_id="r", resume_token="t")).skip()
    (book >> settings()).skip()
    book >> ev.ClientLeft()
    book >> ev.AgentReady("a") << do.PassReply() << do.PassSpeech() << do.PlaySilence()
    book.done()


def test_a_lost_agent_is_opened_again_with_the_history_while_the_client_stays() -> None:
    book = live()
    (book >> said("assistant", "Hey!")).skip()
    kept = book.unsaved[0]
    book.save().skip()
    (
        book
        >> ev.AgentLeft(1011)
        << do.EndReply()
        << do.HoldSpeech()
        << do.Tell(do.Warned("BRIDGE_UPSTREAM_LOST", "The agent is gone; it is being called again."))
    )
    assert book.timers[due.ReopenDue] == 0.25
    book >> due.ReopenDue() << do.HoldSpeech()
    book << do.OpenAgent(audio_in=HEARD, audio_out=SPOKEN, greet=False, history=(kept,))
    book >> ev.AgentReady("agent-2") << do.PassReply()
    book << do.Tell(do.Warned("BRIDGE_UPSTREAM_RESUMED", "The agent is back.")) << do.PassSpeech()
    book.done()


def test_three_quick_failures_are_the_end() -> None:
    book = live()
    for seconds in (0.25, 1.0, 3.0):
        (book >> ev.AgentLeft()).skip()
        assert book.timers[due.ReopenDue] == seconds
        (book >> due.ReopenDue()).skip()
    book >> ev.AgentLeft() << do.EndReply()
    book << do.Tell(do.Failed("BRIDGE_UPSTREAM_FAILED", "The agent cannot be reached."))
    book << do.CloseClient(1000, "agent_lost") << do.CloseAgent() << do.Finish("agent_lost")


def test_an_agent_that_was_steady_is_tried_anew() -> None:
    book = live()
    for _ in range(6):
        (book.wait(11) >> ev.AgentLeft()).skip()
        assert book.timers[due.ReopenDue] == 0.25
        (book >> due.ReopenDue()).skip()
        (book >> ev.AgentReady("again")).skip()


def test_a_refusal_that_cannot_heal_is_not_tried_again() -> None:
    book = live() >> ev.AgentLeft(1000, "401", retry=False) << do.EndReply() << do.Tell << do.CloseClient
    book << do.CloseAgent << do.Finish


def test_bad_settings_end_the_session_with_the_agents_own_error() -> None:
    error = ev.AgentErred("INVALID_SETTINGS", "no such model", retry=False)
    book = live() >> error << do.Tell(error) << do.CloseAgent() << do.EndReply() << do.CloseClient
    book << do.CloseAgent << do.Finish


def test_an_error_that_is_not_fatal_is_passed_on() -> None:
    error = ev.AgentErred("UNPARSABLE_CLIENT_MESSAGE", "what?", fatal=False)
    book = live() >> error << do.Tell(error)
    book.done()


def test_silence_is_asked_about_and_then_ends_the_session() -> None:
    book = live() >> due.IdleReached() << do.AskAgent(do.Speak("Are you still there?")) << do.Tell
    assert book.timers[due.IdleOver] == 30.0
    (book >> ev.ClientWrote("yes")).skip()
    assert due.IdleOver not in book.timers
    (book >> due.IdleReached()).skip()
    book >> due.IdleOver() << do.Tell(do.Failed("BRIDGE_IDLE", "Ended, because nothing was said for long."))
    book << do.CloseClient(1000, "idle") << do.CloseAgent << do.Finish


def test_a_session_lasts_as_long_as_its_agent_allows() -> None:
    book = live() >> due.LengthReached() << do.Tell << do.CloseClient(1000, "session_limit") << do.CloseAgent
    book << do.Finish


@pytest.mark.parametrize(
    ("code", "close", "news"),
    [("BRIDGE_TAKEN_OVER", 1000, do.Failed), ("BRIDGE_GOING_AWAY", 1012, do.Warned)],
)
def test_the_client_is_told_why_we_end_it(code: str, close: int, news: type[do.Failed | do.Warned]) -> None:
    book = (
        live()
        >> ev.EndRequested(code, "why", close)
        << do.Tell(news(code, "why"))
        << do.CloseClient(close, code)
    )
    book << do.CloseAgent << do.Finish(code)


def test_an_end_that_hangs_is_cut() -> None:
    book = live()
    (book >> said("user", "x")).skip()
    (book >> ev.EndRequested("")).skip()
    assert book.timers == {due.CloseOverdue: 30.0}
    book >> due.CloseOverdue() << do.Finish("ended")


def test_a_socket_that_comes_too_late_is_sent_to_start_another_session() -> None:
    book = live()
    (book >> ev.EndRequested("")).skip()
    (
        book
        >> ev.Attached(request_id="r", resume_token="t")
        << do.CloseClient(1012, "this session has ended, start another")
    )


@pytest.mark.parametrize("phase", list(Phase))
def test_every_timer_that_can_be_set_in_a_phase_has_a_rule_there(phase: Phase) -> None:
    """Walk all two-step scripts from a live session and let each timer that is set fire."""
    starts: list[list[ev.Event | ev.PeerEvent]] = [
        [],
        [ev.ClientLeft()],
        [ev.ClientLeft(), ev.Attached(request_id="r", resume_token="t")],
        [ev.AgentLeft()],
        [ev.AgentLeft(), ev.ClientLeft()],
        [ev.CallsRequested((call(),)), ev.ClientLeft()],
        [ev.CallsRequested((call(),)), ev.EndRequested("")],
        [said("assistant", "x"), ev.UserStartedSpeaking(), ev.ClientLeft()],
        [said("assistant", "x"), ev.UserStartedSpeaking(), ev.AgentLeft()],
        [due.IdleReached(), ev.ClientLeft()],
        [due.IdleReached(), ev.AgentLeft()],
    ]
    for start in starts:
        book = live()
        for event in start:
            (book >> event).skip() if not isinstance(event, Timer) else book.session.handle(event, book.now)
            if book.session.phase is phase:
                missing = [timer for timer in book.timers if timer not in RULES[phase]]
                assert not missing, f"{phase}: {missing}"
