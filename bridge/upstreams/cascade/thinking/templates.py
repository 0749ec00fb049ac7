"""An intent's examples as templates: fixed words and {slots}, laid over what was said as well as they fit."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final

from bridge.core.agent import Intent, Kind, Parameter
from bridge.upstreams.cascade.thinking.naming import invented
from bridge.upstreams.cascade.thinking.values import choice_words, number_words
from bridge.upstreams.cascade.thinking.words import LIGHT, NOISE, PREPOSITIONS, norms

_SLOT: Final = re.compile(r"\{\s*(\w+)\s*\}")

EMPTY: Final = 0.5
"""What a slot without words costs."""
EMPTY_CLOSED: Final = 0.1
"""The same of a choice or a number: it may be said elsewhere, or be asked for."""
LIGHT_WEIGHT: Final = 0.2
"""What a common word is worth."""
STRONG_WEIGHT: Final = 1.0
"""What any other word is worth."""
HANGING: Final = PREPOSITIONS | {"my", "the", "a", "called", "of", "with"}
"""What a bare beginning does not end in."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A word that has to be said."""

    norm: str
    weight: float
    skip: float
    """What it costs when it was not said."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for an argument."""

    parameter: Parameter
    holds: frozenset[str] | None = None
    """The only words it can hold; None = any."""
    empty: float = EMPTY
    """What it costs when nothing is in it."""


Element = Fixed | Slot


@dataclass(frozen=True, slots=True)
class Template:
    """One example of an intent."""

    intent: Intent
    elements: tuple[Element, ...]
    timeless: bool = False
    """Its slots for times are taken out; the time is looked for beside it."""
    itself: bool = False
    """Its example has slots for times alone: its fixed words say what is wanted ("wake me up {time}")."""
    total: float = field(init=False)
    """What its fixed words weigh together; common words count half beside others."""
    strong: frozenset[str] = field(init=False)
    """Its fixed words that are not common ones."""
    held: frozenset[str] = field(init=False)
    """What its intent's choices and numbers are said with: it may stand anywhere."""
    gains: tuple[tuple[str, float], ...] = field(init=False)
    """Its fixed words, and what is won when one is said and not missing."""
    least: float = field(init=False)
    """What it is worth without any of them, with all its choices and numbers said."""
    full: float = field(init=False)
    """What all its fixed words are worth when they are said."""

    def __post_init__(self) -> None:
        fixed = [element for element in self.elements if isinstance(element, Fixed)]
        strong = frozenset(element.norm for element in fixed if element.weight == STRONG_WEIGHT)
        share = 0.5 if strong else 1.0
        total = sum(e.weight if e.weight == STRONG_WEIGHT else e.weight * share for e in fixed)
        object.__setattr__(self, "strong", strong)
        object.__setattr__(self, "total", total)
        closed = sum(slot.holds is not None for slot in self.slots)
        object.__setattr__(self, "gains", tuple((e.norm, e.weight + e.skip) for e in fixed))
        object.__setattr__(self, "least", closed - sum(e.skip for e in fixed))
        held = frozenset[str]().union(*(_holds(p) or () for p in self.intent.parameters))
        object.__setattr__(self, "held", held)
        object.__setattr__(self, "full", sum(element.weight for element in fixed))

    def best(self, there: frozenset[str]) -> float:
        """The most it can be worth when these fixed words are there; 0 without a strong one of its own."""
        if self.strong and self.strong.isdisjoint(there):
            return 0.0
        return self.least + sum([gain for norm, gain in self.gains if norm in there])

    @property
    def opening(self) -> tuple[str, ...]:
        """Its fixed words before the first slot."""
        fixed = takewhile(lambda element: isinstance(element, Fixed), self.elements)
        return tuple(element.norm for element in fixed if isinstance(element, Fixed))

    @property
    def slots(self) -> list[Slot]:
        return [element for element in self.elements if isinstance(element, Slot)]


def templates(intent: Intent) -> Iterator[Template]:
    """The templates of an intent's examples: as they are, without times, and their bare beginnings."""
    seen: set[tuple[Element, ...]] = set()
    for example in intent.examples or invented(intent):
        elements = tuple(_elements(intent, example))
        slots = [element for element in elements if isinstance(element, Slot)]
        itself = bool(slots) and all(_timed(slot) for slot in slots)
        for found in (without_times(elements), elements, _beginning(elements)):
            if found not in seen and any(isinstance(element, Fixed) for element in found):
                seen.add(found)
                yield Template(intent, found, not any(_timed(e) for e in found), itself)


def _beginning(elements: Sequence[Element]) -> tuple[Element, ...]:
    """The fixed words before the first slot, if they can be said alone: "set a reminder"."""
    fixed: list[Element] = []
    for element in elements:
        if isinstance(element, Slot):
            break
        fixed.append(element)
    while fixed and isinstance(last := fixed[-1], Fixed) and last.norm in HANGING:
        fixed.pop()
    telling = any(isinstance(element, Fixed) and element.norm not in LIGHT for element in fixed)
    return tuple(fixed) if telling and len(fixed) > 1 else ()


def without_times(elements: Sequence[Element]) -> tuple[Element, ...]:
    """Elements without slots for times, and without the prepositions that led to those."""
    kept: list[Element] = []
    for element in elements:
        if not _timed(element):
            kept.append(element)
            continue
        while kept and isinstance(last := kept[-1], Fixed) and last.norm in PREPOSITIONS:
            kept.pop()
    return tuple(kept)


def tails(template: Template) -> Iterator[Template]:
    """The pieces of a template that end in a slot and begin with fixed words: "when I get to {place}"."""
    fixed: list[Element] = []
    for element in template.elements:
        if isinstance(element, Fixed):
            fixed.append(element)
            continue
        if fixed:
            yield Template(template.intent, (*fixed, element), template.timeless)
        fixed = []


def _timed(element: Element) -> bool:
    return isinstance(element, Slot) and element.parameter.kind in {Kind.TIME, Kind.RECURRENCE}


def _elements(intent: Intent, example: str) -> Iterator[Element]:
    known = {parameter.name: parameter for parameter in intent.parameters}
    end = 0
    for match in _SLOT.finditer(example):
        yield from _fixed(example[end : match.start()])
        if parameter := known.get(match[1]):
            holds = _holds(parameter)
            yield Slot(parameter, holds, EMPTY if holds is None else EMPTY_CLOSED)
        end = match.end()
    yield from _fixed(example[end:])


def _fixed(text: str) -> Iterator[Element]:
    for norm in norms(text):
        weight = LIGHT_WEIGHT if norm in LIGHT or norm in NOISE else STRONG_WEIGHT
        yield Fixed(norm, weight, weight * 0.75 if weight < STRONG_WEIGHT else weight)


def _holds(parameter: Parameter) -> frozenset[str] | None:
    match parameter.kind:
        case Kind.CHOICE:
            return choice_words(parameter)
        case Kind.NUMBER:
            return number_words()
        case _:
            return None
