"""Two wishes in one sentence: where one ends and the next begins."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice
from typing import Final

from bridge.core.agent import Kind
from bridge.upstreams.cascade.thinking.laying import Match
from bridge.upstreams.cascade.thinking.matching import Book
from bridge.upstreams.cascade.thinking.slots import Scene, from_match
from bridge.upstreams.cascade.thinking.templates import Fixed
from bridge.upstreams.cascade.thinking.times import Said, read
from bridge.upstreams.cascade.thinking.wishes import Wish
from bridge.upstreams.cascade.thinking.words import DANGLING, excerpt, trim

LINKS: Final = frozenset(["and", "also", "then", "plus", "oh", "besides", "additionally", "furthermore"])
CLEAR: Final = (
    *("and also", "and then", "also", "then", "plus", "oh and", "besides", "one more thing"),
    *("another thing", "additionally", "furthermore"),
)
LIKE_AND: Final = frozenset(["an", "on", "in", "end", "um", "uh"])
"""What an ear makes of "and"."""
MOST: Final = 6
"""Wishes in one sentence."""
MOST_PLACES: Final = 12
"""Places of a sentence that are looked at."""
SURE: Final = 0.85
"""How well a half has to fit its example after an "and" alone."""
LIKELY: Final = 0.6
"""The same for the second one after clearer words."""


class Link(IntEnum):
    """How clearly a place in a sentence parts two wishes."""

    NONE = 0
    """Only the beginning of an example stands there: "… at five remind me to …"."""
    AND = 1
    CLEAR = 2
    """ "And also", or the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place where the second wish could begin."""

    ends: int
    """Words of the first."""
    begins: int
    """The first word of the second."""
    link: Link


def split(said: Said, book: Book, scene: Scene, most: int = MOST) -> list[Said]:
    """The sentences of several wishes, `most` at most; a single one when it is one."""
    for place in islice(_places(said, book), MOST_PLACES if most > 1 else 0):
        left = read(excerpt(said.text, said.words[: place.ends]), scene.clock)
        right = read(excerpt(said.text, said.words[place.begins :]), scene.clock)
        first = book.match(left, scene.clock, scene.refers) if left.words and right.words else None
        if first is None or first.share < SURE or not _is_whole(first, place.link):
            continue
        if _stands(right, place.link, book, scene):
            return [left, *split(right, book, scene, most - 1)]
        if again := _continued(first, left, right, place.link, book, scene):
            return [left, *split(again, book, scene, most - 1)]
    return [said]


def _places(said: Said, book: Book) -> Iterator[Place]:
    for at in range(1, len(said.words)):
        word, before = said.words[at], said.words[at - 1]
        begins = len(said.words) - len(trim(said.words[at:], LINKS, right=False))
        if before.closes or (word.norm in LINKS and before.norm not in LINKS):
            heard = " ".join(said.norms[at : at + 3])
            clear = before.closes or any(f"{heard} ".startswith(f"{link} ") for link in CLEAR)
            yield Place(at, begins, Link.CLEAR if clear else Link.AND)
        elif begins == at and before.norm not in DANGLING - LIKE_AND:
            ends = at - 1 if before.norm in LIKE_AND else at
            if ends and _opens(said.norms[at:], book, linked=ends < at):
                yield Place(ends, at, Link.NONE)


def _opens(heard: tuple[str, ...], book: Book, *, linked: bool) -> bool:
    """The words begin as an example does: with two words, one of them its own; with less when linked."""
    return any(
        heard[: len(opening)] == opening
        for opening, strong in book.openings
        if (len(opening) > 1 and (strong or linked)) or (strong and linked)
    )


def _stands(right: Said, link: Link, book: Book, scene: Scene) -> bool:
    """The second half is a wish of its own."""
    match = book.match(right, scene.clock, scene.refers)
    if match is None or not match.template.elements:
        return match is not None and match.score >= 1
    first = match.template.elements[0]
    begins = not isinstance(first, Fixed) or first.norm in (match.said or right).norms[:4]
    return begins and match.share >= (LIKELY if link is Link.CLEAR else SURE)


def _continued(first: Match, left: Said, right: Said, link: Link, book: Book, scene: Scene) -> Said | None:
    """The second half with the beginning of the first: "… at six and feed the cat at seven".

    Both have to be complete, and both say the same kind of thing of their own: a time, a choice.
    """
    if link is Link.NONE or not right.rest:
        return None
    opening = list(first.template.opening)
    if right.norms[:1] == ("to",) and opening[-1:] == ["to"]:
        opening.pop()
    again = read(f"{' '.join(opening)} {right.text}", scene.clock)
    match = book.match(again, scene.clock, scene.refers)
    if match is None or match.template.intent is not first.template.intent:
        return None
    one, other = from_match(first, left, scene), from_match(match, again, scene)
    if one.missing() or other.missing() or not _anchors(one, link) & _anchors(other, link):
        return None
    return again


def _anchors(wish: Wish, link: Link) -> set[str]:
    """What is said beside texts; after a clear link a time and a place are the same."""
    known = [p for p in wish.intent.parameters if p.name in wish.values]
    loose = {p.required_when[0] for p in known if p.required_when}
    own = {p.name for p in known if p.kind is not Kind.TEXT or p.required_when} - loose
    return own | loose if link is Link.CLEAR else own


def _is_whole(match: Match, link: Link) -> bool:
    """Every slot of the example has words; without a linking word it must have some."""
    slots = match.template.slots
    return bool(match.template.elements) and len(match.slots) == len(slots) >= (link is Link.NONE)
