"""Personal data that has a form is taken out; what only looks like it stays."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.personal import Personal, beginning, redact, redact_part, redact_rest

FOUND = [
    ("write to ada@example.org please", "write to [email] please"),
    ("ada.lovelace+test@mail.example.co.uk", "[email]"),
    ("müller@example.de.", "[email]."),
    ("<ada@example.org>", "<[email]>"),
    ("call +49 30 1234567", "call [phone]"),
    ("call +49 (0)30 123 45-67 today", "call [phone] today"),
    ("+442079460958", "[phone]"),
    ("0049 171 1234567", "[phone]"),
    ("(030) 1234567", "[phone]"),
    ("0171/1234567", "[phone]"),
    ("555-123-4567", "[phone]"),
    ("it's (555) 123-4567.", "it's [phone]."),
    ("card 4111 1111 1111 1111", "card [card]"),
    ("5500-0000-0000-0004, thanks", "[card], thanks"),
    ("378282246310005", "[card]"),
    ("DE89 3704 0044 0532 0130 00", "[iban]"),
    ("to gb82west12345698765432 now", "to [iban] now"),
    ("ada@example.org or 555-123-4567", "[email] or [phone]"),
    ("tel:+493012345678", "tel:[phone]"),
    ("+49\u00a030\u2011123\u20114567", "[phone]"),
    ("4111\u202f1111\u00a01111\u200b\u00a01111 \u2013 mine", "[card] - mine"),
    ("ada＠example.org", "[email]"),
]
LEFT = [
    "remind me at 7:30 on 2026-11-21 to run 10 km",
    "2026-11-21T13:05:00.123Z",
    "a meeting at five @ the office",
    "4111 1111 1111 1112",
    "0000 0000 0000 0000",
    "DE89370400440532013002",
    "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "59f9105de669a78aebd2c218",
    "room 1234, seat 56",
    "192.168.100.200:8000",
    "1793640600",
    "version 3.11.7 of 2024",
    "buy 12 eggs and 500 g of flour",
    "I earn 120 000 a year",
    "task_id: 12",
    "caf\u00e9 \u2013 at 12:030 1234567",
]


@pytest.mark.parametrize(("text", "redacted"), FOUND)
def test_it_is_taken_out(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@pytest.mark.parametrize("text", LEFT)
def test_what_is_none_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("your card 4111 1111 1111", "your card"),
        ("it is +49 (0)3", "it is"),
        ("DE89 3704 0044", ""),
        ("call +49 30 1234567 or 0171 2", "call [phone] or"),
        ("at 7 you swim", "at 7 you swim"),
    ],
)
def test_of_what_was_cut_off_no_number_is_left_at_the_end(text: str, redacted: str) -> None:
    assert redact_part(text) == redacted
    assert redact_part(text, [Personal.EMAIL]) == text


def test_only_what_was_asked_for_is_taken_out() -> None:
    assert redact("ada@example.org, 555-123-4567", [Personal.PHONE]) == "ada@example.org, [phone]"
    assert redact("ada@example.org", []) == "ada@example.org"


@given(st.text(max_size=200))
def test_it_never_raises_and_twice_is_once(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@pytest.mark.parametrize(
    "piece", ["1", "1 ", "a@", "a.", "DE89", "A1", "(0", "+1-", "@a.", "0-", "é1 ", "1\u00a0"]
)
def test_long_texts_cost_little(piece: str) -> None:
    began = time.perf_counter()
    redact_part(piece * 8000)
    redact_rest(beginning(piece * 8000), piece * 8000)
    assert time.perf_counter() - began < 1
