"""Tokens to come and to come back with."""

import base64

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
    first, second, ticket = tokens.resume("session"), tokens.resume("session"), tokens.ticket("other")
    tokens.forget("session")
    tokens.forget("other")
    tokens.forget("never seen")
    assert [tokens.use(each) for each in (first, second, ticket)] == [None] * 3
    assert not tokens._sessions


def test_a_ticket_of_a_page_is_good_from_that_page_only() -> None:
    tokens: Tokens[str] = Tokens()
    ticket = tokens.ticket("session", "https://a.example")
    for elsewhere in ("", "https://b.example", "http://a.example", "https://a.example:8443", "null"):
        assert tokens.use(ticket, elsewhere) is None
    assert [tokens.use(ticket, "https://a.example") for _ in range(2)] == ["session", None]


def test_one_that_no_page_asked_for_is_good_from_any() -> None:
    tokens: Tokens[str] = Tokens()
    assert tokens.use(tokens.ticket("session"), "https://a.example") == "session"
    assert tokens.use(tokens.resume("session"), "https://a.example") == "session"


def test_of_a_token_only_its_digest_is_kept() -> None:
    tokens: Tokens[str] = Tokens()
    given = [tokens.ticket("one"), tokens.ticket("two", "https://a.example"), tokens.resume("one")]
    assert len({token[4:] for token in given}) == 3
    assert all(len(base64.urlsafe_b64decode(token[4:] + "=")) == 32 for token in given)
    assert not [token for token in given if token in str(vars(tokens))]
