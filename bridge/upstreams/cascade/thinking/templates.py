"""An intent's examples as templates: fixed words and {slots}, laid over what was said as well as they fit."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from bridge.core.agent import Intent, Kind, Parameter
from bridge.upstreams.cascade.thinking.values import choice_words, number_words
from bridge.upstreams.cascade.thinking.words import (
    LIGHT,
    NOISE,
    PREPOSITIONS,
    Word,
    Words,
    norms,
    same,
)

_SLOT: Final = re.compile(r"\{\s*(\w+)\s*\}")

LIGHT_WEIGHT: Final = 0.2
STRONG_WEIGHT: Final = 1.0
EMPTY_SLOT: Final = 0.5
"""What a slot without words costs."""
MISFIT: Final = 0.3
"""What a word in a slot costs that such a slot cannot hold."""
NEVER: Final = -1e9
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
    """What its fixed words weigh together."""
    strong: frozenset[str] = field(init=False)
    """Its fixed words that are not common ones."""

    def __post_init__(self) -> None:
        fixed = [element for element in self.elements if isinstance(element, Fixed)]
        object.__setattr__(self, "total", sum(element.weight for element in fixed))
        object.__setattr__(self, "strong", frozenset(e.norm for e in fixed if e.norm not in LIGHT))

    @property
    def slots(self) -> list[Slot]:
        return [element for element in self.elements if isinstance(element, Slot)]


@dataclass(frozen=True, slots=True)
class Match:
    """A template laid over what was said."""

    template: Template
    score: float
    """Weight of the fixed words that were said, less what was missing and what was too much."""
    slots: dict[str, Words]
    """Parameter → the words in its slot; slots without words are left out."""

    @property
    def share(self) -> float:
        """The score as a share of the best there could be, at most 1."""
        return self.score / self.template.total if self.template.total else 0.0


def templates(intent: Intent) -> Iterator[Template]:
    """The templates of an intent's examples: as they are, without times, and their bare beginnings."""
    seen: set[tuple[Element, ...]] = set()
    for example in intent.examples:
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
            yield Slot(parameter, _holds(parameter))
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


def lay(template: Template, said: Words) -> Match | None:
    """Lay a template over the words as well as it fits; None when a strong word of it is not even there."""
    if template.strong and not any(same(norm, word.norm) for norm in template.strong for word in said):
        return None
    grid = _grid(template.elements, said)
    slots = _trace(template.elements, said, grid)
    return Match(template, grid.outside[0][0], slots)


@dataclass(frozen=True, slots=True)
class _Grid:
    """Best score from element i and word j on."""

    outside: list[list[float]]
    inside: list[list[float]]
    """The same, while element i is a slot that has at least one word."""


def _grid(elements: Sequence[Element], said: Words) -> _Grid:
    rows, columns = len(elements), len(said)
    outside = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    inside = [[NEVER] * (columns + 1) for _ in range(rows + 1)]
    for j in range(columns - 1, -1, -1):
        outside[rows][j] = outside[rows][j + 1] - _noise(said[j])
    for i in range(rows - 1, -1, -1):
        element = elements[i]
        below = outside[i + 1]
        for j in range(columns, -1, -1):
            if isinstance(element, Slot):
                _slot_cell(element, said, outside[i], inside[i], below, j)
            else:
                _fixed_cell(element, said, outside[i], below, j)
    return _Grid(outside, inside)


def _fixed_cell(element: Fixed, said: Words, row: list[float], below: list[float], j: int) -> None:
    best = below[j] - element.skip
    if j < len(said):
        if same(element.norm, said[j].norm):
            best = max(best, element.weight + below[j + 1])
        best = max(best, row[j + 1] - _noise(said[j]))
    row[j] = best


def _slot_cell(
    slot: Slot, said: Words, row: list[float], within: list[float], below: list[float], j: int
) -> None:
    stay = within[j + 1] + _fit(slot, said[j]) if j < len(said) else NEVER
    within[j] = max(below[j], stay)
    row[j] = max(below[j] - EMPTY_SLOT, stay)


def _trace(elements: Sequence[Element], said: Words, grid: _Grid) -> dict[str, Words]:
    slots: dict[str, Words] = {}
    i = j = 0
    while i < len(elements):
        element = elements[i]
        below = grid.outside[i + 1]
        if isinstance(element, Slot):
            begin = j
            if grid.outside[i][j] > below[j] - EMPTY_SLOT + 1e-9:
                j += 1
                while j < len(said) and grid.inside[i][j] > below[j] + 1e-9:
                    j += 1
                slots[element.parameter.name] = said[begin:j]
            i += 1
        elif abs(grid.outside[i][j] - (below[j] - element.skip)) < 1e-9:
            i += 1
        elif same(element.norm, said[j].norm) and grid.outside[i][j] <= element.weight + below[j + 1] + 1e-9:
            i, j = i + 1, j + 1
        else:
            j += 1
    return slots


def _noise(word: Word) -> float:
    """What a word costs that belongs to nothing."""
    if word.norm in NOISE:
        return 0.02
    return 0.1 if word.norm in LIGHT else 0.35


def _fit(slot: Slot, word: Word) -> float:
    if slot.holds is None:
        return 0.0
    return 0.1 if any(same(word.norm, norm) for norm in slot.holds) else -MISFIT
