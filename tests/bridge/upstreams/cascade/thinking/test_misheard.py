"""Words put right by ear: what sounds alike, which slips are mended, and which words are left alone."""

import pytest

from bridge.upstreams.cascade.thinking.mending import mend
from bridge.upstreams.cascade.thinking.mistimed import heard_right
from bridge.upstreams.cascade.thinking.sounds import sound_likeness
from bridge.upstreams.cascade.thinking.times import Said
from bridge.upstreams.cascade.thinking.words import words

KNOWN = frozenset(["remind", "reminder", "goal", "reschedule", "cappuccino", "bedroom", "add", "book"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("know eye said", "no i said"),
        ("never mined", "never mind"),
        ("peer no lesson", "piano lesson"),
        ("car in section", "car inspection"),
        ("wends day", "wednesday"),
        ("fry day", "friday"),
        ("sicks", "six"),
    ],
)
def test_what_is_misheard_sounds_alike(one: str, other: str) -> None:
    assert sound_likeness(one, other) > 0.85
    assert sound_likeness(one, other) == sound_likeness(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("soap", "six"), ("haircut", "call"), ("bread", "friday"), ("team meeting", "dentist"), ("", "no")],
)
def test_other_words_do_not(one: str, other: str) -> None:
    assert sound_likeness(one, other) < 0.7


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("re mind me to read", "remind me to read"),
        ("my gold is to read", "my goal is to read"),
        ("a large cap a chino", "a large cappuccino"),
        ("set or remind her", "set or reminder"),
        ("turn on the bed room light", "turn on the bedroom light"),
        ("remind me about the book", "remind me about the book"),
        ("yes please", "yes please"),
    ],
)
def test_misheard_words_become_known_ones(text: str, right: str) -> None:
    said = Said(text, words(text), words(text), None)
    assert " ".join(word.norm for word in mend(said, KNOWN).words) == right


def test_a_mended_word_keeps_its_place_in_the_text() -> None:
    text = "re mind me"
    first = mend(Said(text, words(text), (), None), KNOWN).words[0]
    assert (first.norm, text[first.start : first.end]) == ("remind", "re mind")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("tomorrow at sicks pm", "tomorrow at six pm"),
        ("in free months", "in three months"),
        ("on fry day at noon", "on friday at noon"),
        ("on set today", "on saturday"),
        ("to morrow at ate", "tomorrow at eight"),
        ("at for thirty", "at four thirty"),
        ("tomorow", "tomorrow"),
    ],
)
def test_misheard_times_are_put_right(text: str, right: str) -> None:
    assert heard_right(text) == right


@pytest.mark.parametrize(
    "text",
    [
        "at a time",
        "at home",
        "when is the team meeting",
        "at the office at noon",
        "i want to learn to fly",
        "wait for two weeks",
        "buy tea for my team",
        "remind me to look at them",
        "it's at work",
    ],
)
def test_words_that_are_no_times_stay(text: str) -> None:
    assert heard_right(text) == text
