"""Words that were misheard, put right by ear: "re mind me", "my gold is", "cap a chino"."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Final

from bridge.upstreams.cascade.thinking.sounds import sound_likeness, sounds
from bridge.upstreams.cascade.thinking.times import Said
from bridge.upstreams.cascade.thinking.words import NOISE, Word, Words

ALIKE: Final = 0.82
"""From here on a word sounds like another."""
SHORT: Final = 0.9
"""The same for words of two or three sounds."""
TOGETHER: Final = 0.95
"""The same for several words of which one is known: "remind her" is "reminder"."""
LONGEST: Final = 3
"""Words that may be one word in pieces."""


def mend(said: Said, known: frozenset[str]) -> Said:
    """The same words, those that sound like a known one changed to it; they keep their place in the text."""
    changes = dict(_changes(said.words, known))
    if not changes:
        return said
    return replace(said, words=_changed(said.words, changes), rest=_changed(said.rest, changes))


def _changes(said: Words, known: frozenset[str]) -> Iterator[tuple[Words, str]]:
    """Words in a row that are one known word; those that sound most like one come first."""
    found = [
        (score, -size, at, word) for at in range(len(said)) for size, score, word in _at(said, at, known)
    ]
    taken: set[int] = set()
    for _, size, at, word in sorted(found, reverse=True):
        places = set(range(at, at - size))
        if not places & taken:
            taken |= places
            yield said[at : at - size], word


def _at(said: Words, at: int, known: frozenset[str]) -> Iterator[tuple[int, float, str]]:
    for size in range(1, LONGEST + 1):
        part = said[at : at + size]
        if len(part) < size or any(word.closes for word in part[:-1]):
            return
        norms = tuple(word.norm for word in part)
        if size == 1 and (norms[0] in known or norms[0] in NOISE):
            continue
        least = TOGETHER if size > 1 and any(norm in known for norm in norms) else 0.0
        best = heard_as(" ".join(norms), known)
        if best and best[0] >= least:
            yield size, *best


@lru_cache(maxsize=16384)
def heard_as(said: str, known: frozenset[str]) -> tuple[float, str] | None:
    """How alike the known word sounds that sounds most like it, and the word; None when none does."""
    length = len(sounds(said))
    if length < 2:
        return None
    near = (word for word in known if abs(len(sounds(word)) - length) <= 2)
    best = max(((sound_likeness(said, word), word) for word in near), default=(0.0, ""))
    return best if best[0] >= (ALIKE if length > 3 else SHORT) else None


def _changed(part: Words, changes: dict[Words, str]) -> Words:
    """A part of a sentence with what changes in it."""
    for misheard, word in changes.items():
        at = next((i for i in range(len(part)) if part[i : i + len(misheard)] == misheard), None)
        if at is not None:
            first, last = misheard[0], misheard[-1]
            part = (*part[:at], Word(word, first.start, last.end, last.closes), *part[at + len(misheard) :])
    return part
