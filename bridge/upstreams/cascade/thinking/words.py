"""What was said as words: spelling evened out for comparing, while every word remembers where it stood."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final


def word_set(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


def _find_ratio() -> Callable[[str, str], float]:
    """How alike two texts are, 0–100: rapidfuzz's measure where its wheel is installed."""
    try:
        from rapidfuzz.fuzz import ratio
    except ImportError:
        return lambda left, right: SequenceMatcher(None, left, right).ratio() * 100
    return lambda left, right: ratio(left, right)


_ratio: Final = _find_ratio()


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text."""

    norm: str
    """Lower case, contractions written out; what is compared."""
    start: int
    """Where it begins in the text, in characters."""
    end: int
    """Where it ends; the words of one contraction share a place."""
    closes: bool = False
    """A full stop, question or exclamation mark comes after it."""


Words = tuple[Word, ...]

_WORD: Final = re.compile(r"[\w'’]+(?:[:.,/@&+-][\w'’]+)*")

_LONG: Final = {
    "wanna": "want to",
    "gonna": "going to",
    "gotta": "have to",
    "gimme": "give me",
    "lemme": "let me",
    "cannot": "can not",
    "can't": "can not",
    "won't": "will not",
    "let's": "let us",
    "i'm": "i am",
    "nevermind": "never mind",
    "okay": "ok",
    "alright": "all right",
    "ya": "yes",
    "yeah": "yes",
    "yep": "yes",
    "yup": "yes",
    "nope": "no",
    "nah": "no",
}
_ENDINGS: Final = (("n't", "not"), ("'ll", "will"), ("'d", "would"), ("'ve", "have"), ("'re", "are"))
_IS: Final = {"it's", "that's", "what's", "there's", "here's", "who's", "where's", "how's", "when's"}

SOUND_ALIKE: Final = {
    "too": "to",
    "two": "to",
    "four": "for",
    "bye": "by",
    "buy": "by",
    "ad": "add",
    "their": "there",
    "mined": "mind",
    "goals": "goal",
    "tasks": "task",
    "a": "the",
    "an": "the",
    "my": "the",
    "our": "the",
    "your": "the",
    "his": "the",
    "her": "the",
}
"""Words an ear mixes up, and articles and the like: the same where an example has the other."""

NOISE: Final = word_set(
    "um uh uhm er erm hmm hm mm well so ok oh hey hi please just really actually like maybe now then and "
    "yes hello also"
)
"""Words that may stand anywhere in a wish without meaning anything."""

LIGHT: Final = word_set(
    "i we you me my your a an the to of for on at in by it that this is are am be want would like need "
    "have can could do please and or with from will must should going us let not get there some up when "
    "about what"
)
"""Words too common to tell one wish from another alone."""

PREPOSITIONS: Final = word_set("to for on at by until till from around about in it is be")
"""What is left hanging when the time after it is taken out."""

DANGLING: Final = word_set(
    "to too called named for and or but at on in by of with from the a an my your about because every "
    "until um uh also when if i want would is please then remind new next half quarter past"
)
"""A sentence that ends in one of these is not finished."""


def words(text: str) -> Words:
    """Cut a text into words; punctuation is dropped, contractions are written out."""
    found: list[Word] = []
    for match in _WORD.finditer(text):
        closes = text[match.end() : match.end() + 1] in {".", "?", "!", ";"}
        place = match.start(), match.end(), closes
        found.extend(Word(norm, *place) for norm in _written_out(match[0].lower().replace("’", "'")))
    return tuple(found)


@lru_cache(maxsize=4096)
def _written_out(word: str) -> tuple[str, ...]:
    if word in _LONG:
        return tuple(_LONG[word].split())
    if word in _IS:
        return word[:-2], "is"
    for ending, full in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending):
            return word.removesuffix(ending), full
    return (word.strip("'"),) if word.strip("'") else ()


def norms(text: str) -> tuple[str, ...]:
    """The words of a text as they are compared."""
    return tuple(word.norm for word in words(text))


def excerpt(text: str, part: Sequence[Word]) -> str:
    """The text as it was written, from words that stand in it; gaps between them are left out."""
    pieces: list[str] = []
    end = -1
    for word in part:
        if word.start < end:
            continue
        joined = end >= 0 and not _WORD.search(text[end : word.start])
        pieces.append(_glue(text[end : word.start]) if joined else " " if pieces else "")
        pieces.append(text[word.start : word.end])
        end = word.end
    return "".join(pieces).strip()


def _glue(between: str) -> str:
    return between if between.strip() in {"", ",", "-"} else " "


def same(left: str, right: str) -> bool:
    """Whether two words are the same to somebody who hears badly."""
    if left == right or SOUND_ALIKE.get(left, left) == SOUND_ALIKE.get(right, right):
        return True
    if min(len(left), len(right)) < 5 or left[0] != right[0]:
        return False
    return likeness(left, right) >= 84


@lru_cache(maxsize=65536)
def alike_among(known: frozenset[str], said: str) -> frozenset[str]:
    """Which of the known words a word that was said may be."""
    return frozenset(word for word in known if same(word, said))


@lru_cache(maxsize=8192)
def likeness(left: str, right: str) -> float:
    """How alike two short texts are, 0–100."""
    return float(_ratio(left, right))


def stem(word: str) -> str:
    """A word without its plural ending or its possessive one."""
    word = word.removesuffix("'s")
    if len(word) > 3 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def content(text: str) -> tuple[str, ...]:
    """The words of a text that say something, as stems."""
    return tuple(stem(norm) for norm in norms(text) if norm not in LIGHT and norm not in NOISE)


def overlap(said: str, title: str) -> float:
    """How well `said` names a thing called `title`, 0–1: the share of the said words the title has."""
    wanted, there = content(said), content(title)
    if not wanted or not there:
        return 0.0
    hits = sum(max(_alike(word, other) for other in there) for word in wanted)
    whole = likeness(" ".join(wanted), " ".join(there)) / 100
    return max(whole, hits / len(wanted) * 0.9 + 0.1 * hits / max(len(there), hits))


def _alike(left: str, right: str) -> float:
    if left == right:
        return 1.0
    close = likeness(left, right)
    return close / 100 if close >= 75 else 0.0


def trim(part: Sequence[Word], drop: Iterable[str], *, left: bool = True, right: bool = True) -> Words:
    """Words without those of `drop` at either end."""
    unwanted = frozenset(drop)
    begin, end = 0, len(part)
    while left and begin < end and part[begin].norm in unwanted:
        begin += 1
    while right and end > begin and part[end - 1].norm in unwanted:
        end -= 1
    return tuple(part[begin:end])
