"""Two wishes in one sentence: where one ends and the next begins."""

from collections.abc import Iterator
from typing import Final

from bridge.upstreams.cascade.thinking.laying import Match
from bridge.upstreams.cascade.thinking.matching import Book
from bridge.upstreams.cascade.thinking.templates import Fixed
from bridge.upstreams.cascade.thinking.times import Clock, Said, read
from bridge.upstreams.cascade.thinking.words import excerpt, trim

LINKS: Final = frozenset(["and", "also", "then", "plus", "oh", "besides", "additionally", "furthermore"])
CLEAR: Final = (
    "and also",
    "and then",
    "also",
    "plus",
    "oh and",
    "besides",
    "one more thing",
    "another thing",
)
SURE: Final = 0.85
"""How well the second half has to fit its example after an "and" alone."""


def split(said: Said, book: Book, clock: Clock) -> list[Said]:
    """The sentences of several wishes; a single one when it is one."""
    for at in _places(said):
        left = read(excerpt(said.text, said.words[:at]), clock)
        tail = trim(said.words[at:], LINKS, right=False)
        if not left.words or not tail:
            continue
        first = book.match(left, clock)
        if first is None or first.share < SURE or not _is_whole(first):
            continue
        if second := _second(first, left, read(excerpt(said.text, tail), clock), said, at, book, clock):
            return [left, *split(second, book, clock)]
    return [said]


def _places(said: Said) -> Iterator[int]:
    """Where the second half could begin, before its linking words."""
    for at in range(1, len(said.words)):
        word, before = said.words[at], said.words[at - 1]
        if before.closes or (word.norm in LINKS and before.norm not in LINKS):
            yield at


def _second(
    first: Match, left: Said, right: Said, said: Said, at: int, book: Book, clock: Clock
) -> Said | None:
    heard = said.norms
    begin = " ".join(heard[at : at + 2])
    clear = said.words[at - 1].closes or any(begin.startswith(link) for link in CLEAR)
    match = book.match(right, clock)
    if (
        match
        and match.template.elements
        and match.share >= (0.6 if clear else SURE)
        and _begins(match, right)
    ):
        return right
    if left.timing and right.timing and right.norms[:1] == ("to",):
        again = read(f"{_opening(first)} {right.text}", clock)
        return again if book.match(again, clock) else None
    return None


def _is_whole(match: Match) -> bool:
    """Every slot of the example has words."""
    return bool(match.template.elements) and len(match.slots) == len(match.template.slots)


def _begins(match: Match, said: Said) -> bool:
    """The example's first word is said at the beginning, not somewhere inside."""
    first = match.template.elements[0]
    return not isinstance(first, Fixed) or first.norm in said.norms[:4]


def _opening(match: Match) -> str:
    """An example's fixed words before its first slot, without a "to" at their end."""
    fixed: list[str] = []
    for element in match.template.elements:
        if not isinstance(element, Fixed):
            break
        fixed.append(element.norm)
    return " ".join(fixed[:-1] if fixed[-1:] == ["to"] else fixed)
