"""Sentences are cut where a speaker would pause, whatever the pieces the text comes in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.upstreams.cascade.sentences import LONGEST, Sentences

CASES = {
    "two sentences": ["Hey!", "What can I help you with today?"],
    "a title": ["Dr. Smith called Mrs. Jones.", "She was out."],
    "a decimal number": ["That is 3.5 miles.", "Well done."],
    "a clock time inside": ["I moved it to 5 p.m. tomorrow.", "Anything else?"],
    "a clock time at the end": ["It starts at 5 p.m.", "Anything else?"],
    "an abbreviation inside": ["Bring fruit, e.g. apples, etc. if you like.", "Good."],
    "an initial": ["J. Smith is here.", "So am I.", "And he."],
    "a quoted question": ['She said "Really?"', "I said yes."],
    "dots": ["Well... let me see.", "All right."],
    "a list": ["1. Buy milk.", "2. Call mom."],
    "no as a word and as a number": ["No.", "See No. 7 instead."],
    "several marks": ["What?!", "Yes."],
}


def split(text: str) -> list[str]:
    """A whole text as sentences."""
    sentences = Sentences()
    return [*sentences.feed(text), *sentences.flush()]


@pytest.mark.parametrize("sentences", CASES.values(), ids=CASES.keys())
def test_a_text_is_cut_into_its_sentences(sentences: list[str]) -> None:
    assert split(" ".join(sentences)) == sentences


@pytest.mark.parametrize("sentences", CASES.values(), ids=CASES.keys())
def test_the_pieces_a_text_comes_in_change_nothing(sentences: list[str]) -> None:
    stream = Sentences()
    cut = [sentence for letter in " ".join(sentences) for sentence in stream.feed(letter)]
    assert [*cut, *stream.flush()] == sentences


def test_a_new_line_ends_a_sentence() -> None:
    assert split("First thing\nSecond thing") == ["First thing", "Second thing"]


def test_a_sentence_is_given_out_as_soon_as_the_next_one_begins() -> None:
    stream = Sentences()
    assert stream.feed("Sure. ") == []
    assert stream.feed("W") == ["Sure."]


def test_a_full_stop_waits_for_what_follows() -> None:
    stream = Sentences()
    assert stream.feed("It is 3.") == []
    assert stream.feed("5 miles.") == []
    assert stream.flush() == ["It is 3.5 miles."]


def test_a_sentence_that_does_not_end_is_cut_at_a_comma() -> None:
    text = "word " * 20 + "stop, " + "word " * 40
    first, *_ = split(text)
    assert first.endswith("stop,")


def test_nothing_gives_nothing() -> None:
    assert split(" \n ") == []


@given(st.lists(st.text(alphabet='ab .!?,"\n…1D', max_size=120), max_size=6))
def test_no_letter_is_lost_and_no_sentence_is_too_long(pieces: list[str]) -> None:
    stream = Sentences()
    cut = [sentence for piece in pieces for sentence in stream.feed(piece)] + stream.flush()
    assert "".join("".join(cut).split()) == "".join("".join(pieces).split())
    assert all(sentence.strip() for sentence in cut)
    assert all(len(sentence) <= LONGEST + 120 for sentence in cut)
