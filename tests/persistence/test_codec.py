"""Entries survive being written down, whatever is in them."""

from __future__ import annotations

from datetime import UTC
from types import MappingProxyType
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.model import (
    Call,
    Cursor,
    Cut,
    Entry,
    FunctionCall,
    Message,
    Modality,
    Outcome,
    Result,
    Role,
    Status,
    What,
)
from persistence.codec import (
    decode,
    decode_outcome,
    dump_json,
    encode,
    encode_outcome,
    storable,
    storable_json,
)
from persistence.rows import shortened

CLEAN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
ANY = st.text(st.characters(exclude_categories=[]) | st.sampled_from("\0\ud800\udfff"))
NUMBER = st.integers(0, 2**62)
CURSORS = st.builds(Cursor, NUMBER, NUMBER)


def _json(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    leaves = st.none() | st.booleans() | texts | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
    return st.recursive(
        leaves.filter(lambda value: value not in (float("inf"), float("-inf"))),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    )


def _whats(texts: st.SearchStrategy[str]) -> st.SearchStrategy[What]:
    extra = st.dictionaries(texts, _json(texts), max_size=3)
    function = st.builds(FunctionCall, texts, texts, texts, st.booleans(), st.none() | texts)
    outcome = st.builds(
        Outcome,
        status=st.sampled_from(Status),
        content=texts,
        note=texts,
        duration_ms=NUMBER,
        route=texts,
        goal_id=st.none() | texts,
        task_id=st.none() | texts,
    )
    return st.one_of(
        st.builds(Message, st.sampled_from(Role), texts, st.sampled_from(Modality), extra),
        st.builds(Call, request=texts, function=function, ours=st.booleans()),
        st.builds(Result, request=texts, call_id=texts, name=texts, outcome=outcome, ours=st.booleans()),
        st.builds(Cut, CURSORS, texts),
    )


def _entries(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Entry]:
    return st.builds(
        Entry,
        conversation_id=texts,
        user_id=texts,
        cursor=CURSORS,
        at=st.datetimes(timezones=st.just(UTC)),
        what=_whats(texts),
    )


@given(_entries(CLEAN))
def test_an_entry_comes_back_as_it_was(item: Entry) -> None:
    assert decode(encode(item)[0]) == item


@given(_entries(ANY))
def test_any_entry_can_be_written_and_is_storable_from_then_on(item: Entry) -> None:
    text, same = encode(item)
    assert b"\\u0000" not in text.replace(rb"\\", b"")
    once = decode(text)
    assert same == once
    assert encode(once) == (text, once)
    assert once.conversation_id == storable(item.conversation_id)


@given(ANY)
def test_text_is_replaced_character_by_character_and_only_where_it_must(text: str) -> None:
    clean = storable(text)
    assert len(clean) == len(text)
    assert all(
        new == old or ((new == "\ufffd" and old in "\0") or "\ud800" <= old <= "\udfff")
        for new, old in zip(clean, text, strict=True)
    )
    clean.encode()
    assert "\0" not in clean


def test_a_written_out_escape_is_no_nul() -> None:
    assert orjson.loads(dump_json({"text": r"\u0000"})) == {"text": r"\u0000"}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"n": 2**64}, {"n": str(2**64)}),
        ({"n": -(2**63) - 1}, {"n": str(-(2**63) - 1)}),
        ({"o": object()}, {"o": "\ufffd"}),
        ({"m": MappingProxyType({"a": 1})}, {"m": {"a": 1}}),
        ({1: "number as a key"}, {"1": "number as a key"}),
        ({"f": float("nan")}, {"f": None}),
    ],
)
def test_what_json_does_not_know_is_kept_as_well_as_it_can(value: object, kept: object) -> None:
    assert orjson.loads(dump_json(value)) == kept


def test_json_nested_too_deep_is_cut() -> None:
    value: Any = "x"
    for _ in range(5000):
        value = [value]
    assert orjson.loads(dump_json({"deep": value}))["deep"]
    assert b"\xef\xbf\xbd" in orjson.dumps(storable_json(value))


@given(st.builds(Outcome, status=st.sampled_from(Status), content=CLEAN, duration_ms=NUMBER))
def test_an_outcome_comes_back_as_it_was(outcome: Outcome) -> None:
    assert decode_outcome(orjson.loads(dump_json(encode_outcome(outcome)))) == outcome


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"{}", b'{"what": {"kind": "unheard"}}'])
def test_what_is_no_entry_is_refused(text: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        decode(text)


@given(CLEAN)
def test_a_title_is_one_line_of_sixty_characters_at_most(text: str) -> None:
    title = shortened(text)
    assert len(title) <= 60
    assert title == " ".join(title.split())
    assert bool(title) == bool(text.split())


def test_a_title_without_spaces_is_cut_anywhere() -> None:
    assert shortened("x" * 61) == "x" * 59 + "…"
