"""Tokens to come and to come back with."""

from bridge.live.tokens import Tokens


def test_a_ticket_is_good_once() -> None:
    tokens: Tokens[str] = Tokens()
    ticket = tokens.ticket("session")
    assert [tokens.use(ticket), tokens.use(ticket)] == ["session", None]


def test_one_that_never_arrived_locks_nobody_out() -> None:
    tokens: Tokens[str] = Tokens()
    first = tokens.resume("session")
    for _ in range(3):
        lost = tokens.resume("session")
        assert tokens.use(first) == "session"
        assert tokens.use(lost) is None
    second = tokens.resume("session")
    assert tokens.use(second) == "session"
    assert tokens.use(first) is None


def test_a_session_that_is_over_has_none() -> None:
    tokens: Tokens[str] = Tokens()
    first, second = tokens.resume("session"), tokens.resume("session")
    tokens.forget("session")
    tokens.forget("never seen")
    assert [tokens.use(first), tokens.use(second)] == [None, None]
