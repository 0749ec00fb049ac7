"""The words of a spoken sentence: numbers as digits, fillers away, and where in the text each one stood."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

_TOKEN = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:\s?Z|[+-]\d\d:?\d\d)?)?(?!\w)"  # ISO 8601
    r"|\d{1,2}[:.]\d\d(?::\d\d)?(?=(?:[ap]m)?(?![\w:]|\.\d))"  # 7:30, 7.30, 07:30:00
    r"|(?<!\w)[ap]\.\s?m(?!\w)\.?"  # p.m.
    r"|(?<!\w)o['’]\s?clock"
    r"|\w+(?:['’]\w+)*"
    r"|[^\w\s]",
    re.IGNORECASE,
)
_GLUED = re.compile(r"(\d{1,2}?)(\d\d)?(am|pm|ish)")
"""7pm, 730pm, 7ish."""

_UNITS = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
    *("eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth"),
    *("eighteenth", "nineteenth", "twentieth"),
)

UNITS = {word: number for number, word in enumerate(_UNITS, 1)}
TENS = dict(zip(_TENS, range(20, 100, 10), strict=True))
ORDINALS = {**{word: number for number, word in enumerate(_ORDINALS, 1)}, "thirtieth": 30}

FILLERS = {
    *("um", "umm", "uh", "uhm", "uhh", "er", "erm", "hm", "hmm", "ah", "eh", "mm", "mmm"),
    "-",
    "'",
    '"',
}
"""Said without meaning anything: they stand between two words of a time as if they were not there."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word, normalised."""

    norm: str
    """Lower case, numbers as digits (`5`, `3rd`), `pm`, `oclock`."""
    start: int
    """First character in the text, from 0."""
    end: int
    """One past the last character in the text."""


class Words:
    """A sentence as normalised words joined by single spaces, and the way back to the characters."""

    def __init__(self, text: str, before: str = "") -> None:
        """`before` is put in front as if it had been said, at no place in the text."""
        said = [word for word in _numbered(_spelled(text)) if word.norm not in FILLERS]
        self.words = [*(Word(norm, 0, 0) for norm in before.split()), *said]
        self.norm = " ".join(word.norm for word in self.words)
        self.starts: list[int] = []
        place = 0
        for word in self.words:
            self.starts.append(place)
            place += len(word.norm) + 1

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The characters of the text that stand behind `norm[start:end]`."""
        first, last = self.index(start), bisect_left(self.starts, end) - 1
        return self.words[first].start, self.words[last].end

    def index(self, place: int) -> int:
        """Which word starts at `norm[place]`; as many as there are words when `place` is the end."""
        return bisect_left(self.starts, place)


def _spelled(text: str) -> list[Word]:
    words: list[Word] = []
    for match in _TOKEN.finditer(text):
        norm = match[0].lower().replace("’", "'")
        before = words[-1].norm if words else ""
        if norm == "m" and before in {"a", "p"}:
            words[-1] = Word(before + "m", words[-1].start, match.end())
        elif norm == "clock" and before == "o":
            words[-1] = Word("oclock", words[-1].start, match.end())
        elif norm == "." and match.end() < len(text) and text[match.end()].isalnum():
            continue
        else:
            words.append(Word(_plain(norm), match.start(), match.end()))
    return words


def _plain(norm: str) -> str:
    if norm[0] in "ap" and re.fullmatch(r"[ap]\.\s?m\.?", norm):
        return f"{norm[0]}m"
    if glued := _GLUED.fullmatch(norm):
        return " ".join(filter(None, [":".join(filter(None, [glued[1], glued[2]])), glued[3]]))
    if norm[0].isdigit() and norm.count(":") == 2 and "-" not in norm:
        return norm.rpartition(":")[0]
    return "oclock" if norm.startswith("o'") and norm.endswith("clock") else norm


def _numbered(words: list[Word]) -> list[Word]:
    """With `twenty`, `fifth` made one word, `25th`; digits stay as they are."""
    out: list[Word] = []
    place = 0
    while place < len(words):
        norm, used = _number([word.norm for word in words[place : place + 6]])
        out.append(Word(norm, words[place].start, words[place + used - 1].end))
        place += used
    return out


def _number(norms: list[str]) -> tuple[str, int]:
    """The number some words begin with, and how many it took; the first word itself when it is no number."""
    value, used = _below_hundred(norms)
    if not value.isdecimal():
        return value, used
    for name, factor in (("thousand", 1000), ("hundred", 100)):
        if norms[used : used + 1] == [name]:
            total, used = int(value) * factor, used + 1
            joint = norms[used : used + 1] == ["and"]
            rest, more = _below_hundred(norms[used + joint :])
            if more and rest.isdecimal() and norms[used + joint] in {**UNITS, **TENS}:
                return str(total + int(rest)), used + joint + more
            return str(total), used
    return value, used


def _below_hundred(norms: list[str]) -> tuple[str, int]:
    if not norms:
        return "", 0
    first, second = norms[0], norms[1] if len(norms) > 1 else ""
    if first in TENS:
        if UNITS.get(second, 10) < 10:
            return str(TENS[first] + UNITS[second]), 2
        if ORDINALS.get(second, 10) < 10:
            return f"{TENS[first] + ORDINALS[second]}th", 2
        return str(TENS[first]), 1
    if first in UNITS:
        return str(UNITS[first]), 1
    if first in ORDINALS:
        return f"{ORDINALS[first]}th", 1
    return first, 1
