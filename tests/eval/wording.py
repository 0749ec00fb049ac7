"""When two wordings are the same, and how many words of one are wrong in the other."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
ARTICLES = {"a", "an", "the"}
LEADING = {"in", "by", "before", "within", "until", "over", "during", "at", "to", "on"}
"""Little words in front of a time or a place that don't change which one it is."""


def words(text: str) -> list[str]:
    """The words as they are spoken: lower case, numbers as words, no punctuation, "p.m." as "pm"."""
    plain = text.lower().replace("’", "'").replace("-", " ")
    plain = re.sub(r"\b([ap])\.? ?m\b\.?", r"\1m", plain)
    plain = re.sub(r"(\d),(?=\d{3})", r"\1", plain)
    plain = re.sub(r"\d+", lambda digits: f" {spoken(int(digits[0]))} ", plain)
    return [match[0] for match in re.finditer(r"[^\W_]+(?:'[^\W_]+)*", plain)]


def spoken(number: int) -> str:
    """A whole number in words: 42 → forty two."""
    if number < 20:
        return ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return f"{TENS[tens]} {ONES[ones]}" if ones else TENS[tens]
    for size, name in ((1_000_000, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= size:
            many, rest = divmod(number, size)
            return f"{spoken(many)} {name} {spoken(rest)}" if rest else f"{spoken(many)} {name}"
    raise AssertionError(number)


def key(text: str, *, leading: bool = False) -> tuple[str, ...]:
    """What of a text must be the same in two that mean the same: its words without articles.

    `leading`: little words in front don't count either, as for times and places.
    """
    found = [word for word in words(text) if word not in ARTICLES]
    while leading and found and found[0] in LEADING:
        found.pop(0)
    return tuple(found)


def rule_key(rule: str) -> frozenset[tuple[str, frozenset[str]]]:
    """The parts of an RFC 5545 rule without order and without what goes without saying."""
    parts = (part.partition("=") for part in rule.upper().removeprefix("RRULE:").split(";") if part)
    usual = {("INTERVAL", "1"), ("WKST", "MO")}
    return frozenset((k, frozenset(v.split(","))) for k, _, v in parts if (k, v) not in usual)


def errors(said: Sequence[str], heard: Sequence[str]) -> tuple[int, int]:
    """(words wrong, missing or added; words said)."""
    before, after = words(" ".join(said)), words(" ".join(heard))
    return Levenshtein.distance(before, after), len(before)
