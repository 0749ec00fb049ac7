"""The books of who heard whom find sound that went astray."""

from __future__ import annotations

import pytest

from tests.chaos.sound import FRAME_BYTES, NUMBER, Hearings, spoken, understood, voices

SAID = {"hers": {"learn trick 1"}, "his": {"learn trick 2"}}


def hearings() -> Hearings:
    """Two talks, each with its agent's session, in which all is as it should be."""
    both = Hearings()
    for session, conversation in enumerate(SAID, 1):
        both.by_agents[session].add(both.talker(conversation))
        both.by_clients[conversation].add(session)
        both.wishes[session] |= SAID[conversation]
    return both


def test_each_frame_tells_whose_it_is_however_they_are_joined() -> None:
    assert len(spoken(7, 1.5)) == FRAME_BYTES
    assert list(understood(spoken(7, 1.5) + spoken(8, 2.5))) == [(7, 1.5), (8, 2.5)]
    assert list(understood(bytes(FRAME_BYTES))) == []
    assert voices(NUMBER.pack(3) * 10 + NUMBER.pack(4)) == {3, 4}


def test_who_heard_their_own_talk_only_is_counted() -> None:
    assert hearings().check(SAID) == 2


def test_a_session_nobody_knows_the_talk_of_is_not() -> None:
    assert hearings().check({"hers": {"learn trick 1"}}) == 1


@pytest.mark.parametrize("session", [1, 2])
def test_an_agent_that_hears_another_talk_is_found(session: int) -> None:
    both = hearings()
    both.by_agents[session] = {3 - session}
    with pytest.raises(AssertionError, match=f"agent's session {session} heard"):
        both.check(SAID)


def test_a_client_that_hears_another_agent_is_found() -> None:
    both = hearings()
    both.by_clients["hers"].add(2)
    with pytest.raises(AssertionError, match="the client in hers heard"):
        both.check(SAID)


def test_an_agent_that_is_in_two_talks_is_found() -> None:
    both = hearings()
    both.wishes[1].add("learn trick 2")
    with pytest.raises(AssertionError, match="agent's session 1 was in"):
        both.check(SAID)
