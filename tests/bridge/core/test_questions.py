"""Scripts: what cannot be undone is let through by a later turn of the user, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bridge.core import commands as do
from bridge.core import events as ev
from bridge.core.agent import Effect, Intent
from bridge.core.model import Outcome, Status
from bridge.core.timers import ReopenDue
from tests.support.playbook import AGENT, Playbook, call, live, said, settings

DELETE = Intent(
    name="delete_goal",
    route="DELETE_GOAL",
    description="Delete a goal.",
    handler="planner.delete_goal",
    effect=Effect.DESTRUCTIVE,
)
CAREFUL = replace(AGENT, intents=(*AGENT.intents, DELETE))
QUESTION = Outcome(status=Status.UNCONFIRMED, content="Shall I really?")
FIRST = ("agent-1", "f1")


def asks(book: Playbook, call_id: str = "f2") -> frozenset[tuple[str, str]]:
    """The agent calls (again); which answers are given to that call."""
    book = (book >> ev.CallsRequested((call(call_id, "delete_goal"),))).skip()
    commands: list[do.Command] = []
    book.save().take(commands)
    (run,) = [command for command in commands if isinstance(command, do.RunIntent)]
    return run.answered


def told(book: Playbook) -> Playbook:
    """The agent has made the call after a turn of the user, and knows that it has to ask."""
    user_speaks(book)
    assert asks(book, "f1") == frozenset()
    (book >> ev.IntentFinished("agent-1", "f1", QUESTION)).skip()
    return book.save().skip()


def asked() -> Playbook:
    """And it has asked."""
    return agent_speaks(told(live(agent=CAREFUL)))


def agent_speaks(book: Playbook) -> Playbook:
    (book >> said("assistant", "Shall I really?")).skip()
    return book.save().skip()


def user_speaks(book: Playbook, words: str = "delete my goal") -> Playbook:
    (book >> ev.UserStartedSpeaking()).skip()
    (book >> said("user", words)).skip()
    return book.save().skip()


def user_types(book: Playbook) -> Playbook:
    (book >> ev.ClientWrote("yes")).skip()
    (book >> said("user", "yes")).skip()
    return book.save().skip()


@pytest.mark.parametrize("turn", [user_speaks, user_types])
def test_a_later_turn_of_the_user_is_an_answer(turn: Callable[[Playbook], Playbook]) -> None:
    assert asks(turn(asked())) == {FIRST}


def test_the_agent_alone_gets_no_answer() -> None:
    assert asks(asked()) == frozenset()
    assert asks(agent_speaks(agent_speaks(asked()))) == frozenset()


def test_what_was_said_before_the_agent_spoke_is_no_answer() -> None:
    book = user_speaks(told(live(agent=CAREFUL)))

    assert asks(agent_speaks(book)) == frozenset()


def test_the_end_of_a_turn_that_began_before_is_no_answer() -> None:
    book = live(agent=CAREFUL)
    user_speaks(book)
    (book >> ev.UserStartedSpeaking()).skip()
    (book >> ev.CallsRequested((call("f1", "delete_goal"),))).skip()
    book.save().skip()
    (book >> ev.TurnEnded()).skip()
    (book >> ev.IntentFinished("agent-1", "f1", QUESTION)).skip()
    agent_speaks(book.save().skip())
    (book >> said("user", "delete my goal, yes, yes")).skip()

    assert asks(book.save().skip()) == frozenset()


def test_a_noise_is_no_answer() -> None:
    book = asked()
    (book >> ev.UserStartedSpeaking()).skip()
    (book >> ev.TurnEnded()).skip()

    assert asks(book) == frozenset()
    assert asks(user_speaks(book, " \n"), "f3") == frozenset()


def test_text_of_the_user_without_a_user_is_no_answer() -> None:
    book = asked()
    (book >> said("user", "yes")).skip()

    assert asks(book.save().skip()) == frozenset()


def test_a_question_that_the_agent_has_withdrawn_is_not_answered() -> None:
    book = asked()
    (book >> ev.CallsCancelled(("f1",))).skip()

    assert asks(user_speaks(book)) == frozenset()


def test_an_answer_counts_for_two_minutes() -> None:
    assert asks(user_speaks(asked()).wait(119)) == {FIRST}
    assert asks(user_speaks(asked()).wait(121)) == frozenset()


def lost_and_opened_again(book: Playbook) -> Playbook:
    """Another agent session, which is asked again what the one before did not answer."""
    for event in (ev.AgentLeft(), ReopenDue(), ev.AgentReady("agent-1")):
        (book >> event).skip()
    return book


def test_an_answer_outlives_the_agent() -> None:
    assert asks(lost_and_opened_again(user_speaks(asked()))) == {FIRST}


def test_what_we_ask_a_new_agent_again_is_no_answer() -> None:
    book = user_speaks(told(live(agent=CAREFUL)), "and now")
    lost_and_opened_again(book)
    agent_speaks(book)
    (book >> ev.UserStartedSpeaking()).skip()
    assert book.session.again == "and now"
    (book >> said("user", "and now")).skip()

    assert asks(book) == frozenset()


def test_it_outlives_a_client_that_comes_back() -> None:
    book = asked()
    (book >> ev.ClientLeft()).skip()
    (book >> ev.Attached(request_id="r", resume_token="t")).skip()
    (book >> settings()).skip()

    assert asks(user_speaks(book)) == {FIRST}


def test_calls_held_at_the_end_of_a_session_are_not_answered() -> None:
    book = user_speaks(asked())
    (book >> ev.UserStartedSpeaking()).skip()
    (book >> ev.CallsRequested((call("f3", "delete_goal"),))).skip()
    book.save().skip()
    ran: list[do.Command] = []
    (book >> ev.EndRequested("BRIDGE_ENDED")).take(ran)

    assert [command.answered for command in ran if isinstance(command, do.RunIntent)] == [frozenset()]
