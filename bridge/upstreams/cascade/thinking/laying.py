"""Lays a template over what was said, as well as it fits: which words are its own, which fill its slots."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bridge.core.agent import Kind
from bridge.upstreams.cascade.thinking.templates import Element, Fixed, Slot, Template
from bridge.upstreams.cascade.thinking.times import Said
from bridge.upstreams.cascade.thinking.words import LIGHT, NOISE, Word, Words, alike_among

HELD: Final = 0.1
"""What a word is worth in a slot that holds only such words."""
MISFIT: Final = 0.3
"""What a word in a slot costs that such a slot cannot hold."""
UNLED: Final = 0.5
"""What a text costs whose fixed word before it was not said."""
FIRST: Final = 0.12
"""What one of the first three words costs at most: an ear hears words in a breath."""
NEVER: Final = -1e9
"""Less than any way of laying a template is worth."""
CLOSE: Final = 1e-9
"""Two sums of the same weights differ by no more."""


@dataclass(frozen=True, slots=True)
class Match:
    """A template laid over what was said."""

    template: Template
    score: float
    """Weight of the fixed words that were said, less what was missing and what was too much."""
    slots: dict[str, Words]
    """Parameter → the words in its slot; slots without words are left out."""
    left: Words = ()
    """The words that belong to nothing."""
    said: Said | None = None
    """The sentence as it was understood, when it had to be put right."""

    @property
    def share(self) -> float:
        """The score as a share of the best there could be."""
        return self.score / self.template.total if self.template.total else 0.0


Alike = Sequence[frozenset[str]]
"""For each word that was said, the fixed words it may be."""


def lay(template: Template, said: Words, alike: Alike) -> Match:
    """Lay a template over the words as well as it fits; `alike` goes with `said`."""
    grid = _Grid.of(template, said, alike)
    traced = _Trace(template.elements, said, alike, grid)
    traced.run()
    lost = [name for name in traced.unled if name in traced.slots]
    slots = {name: part for name, part in traced.slots.items() if name not in lost}
    left = (*traced.left, *(word for name in lost for word in traced.slots[name]))
    return Match(template, grid.outside[0][0] - UNLED * len(lost), slots, left)


@dataclass(frozen=True, slots=True)
class _Grid:
    """Best score from element i and word j on."""

    outside: list[list[float]]
    inside: list[list[float]]
    """The same, while element i is a slot that has at least one word."""

    @classmethod
    def of(cls, template: Template, said: Words, alike: Alike) -> "_Grid":
        elements = template.elements
        rows, columns = len(elements), len(said)
        outside = [[0.0] * (columns + 1) for _ in range(rows + 1)]
        inside = [[NEVER] * (columns + 1) for _ in range(rows + 1)]
        noise = [min(_noise(word, template.held), FIRST if j < 3 else 1.0) for j, word in enumerate(said)]
        for j in range(columns - 1, -1, -1):
            outside[rows][j] = outside[rows][j + 1] - noise[j]
        for i in range(rows - 1, -1, -1):
            element = elements[i]
            if isinstance(element, Slot):
                _fill_slot(element, said, outside[i], inside[i], outside[i + 1])
            else:
                _fill_fixed(element, alike, noise, outside[i], outside[i + 1])
        return cls(outside, inside)


def _fill_fixed(
    element: Fixed, alike: Alike, noise: list[float], row: list[float], below: list[float]
) -> None:
    skip, norm, weight = element.skip, element.norm, element.weight
    best = row[-1] = below[-1] - skip
    for j in range(len(alike) - 1, -1, -1):
        best -= noise[j]
        if (skipped := below[j] - skip) > best:
            best = skipped
        if norm in alike[j] and (matched := weight + below[j + 1]) > best:
            best = matched
        row[j] = best


def _fill_slot(slot: Slot, said: Words, row: list[float], within: list[float], below: list[float]) -> None:
    within[-1] = below[-1]
    row[-1] = below[-1] - slot.empty
    for j in range(len(said) - 1, -1, -1):
        stay = within[j + 1] + (_fit(slot, said[j]) if slot.holds is not None else 0.0)
        within[j] = max(below[j], stay)
        row[j] = max(below[j] - slot.empty, stay)


class _Trace:
    """Walks the best way through a grid."""

    def __init__(self, elements: Sequence[Element], said: Words, alike: Alike, grid: _Grid) -> None:
        self._elements = elements
        self._said = said
        self._alike = alike
        self._grid = grid
        self.slots: dict[str, Words] = {}
        self.left: list[Word] = []
        self.unled: list[str] = []
        """Texts whose fixed word right before them was not said."""
        self._skipped = False

    def run(self) -> None:
        """Walk."""
        j = 0
        for i, element in enumerate(self._elements):
            j = self._slot(i, element, j) if isinstance(element, Slot) else self._fixed(i, element, j)
        self.left += self._said[j:]

    def _slot(self, i: int, slot: Slot, j: int) -> int:
        below, begin = self._grid.outside[i + 1], j
        if self._grid.outside[i][j] > below[j] - slot.empty + CLOSE:
            j += 1
            while j < len(self._said) and self._grid.inside[i][j] > below[j] + CLOSE:
                j += 1
            self.slots[slot.parameter.name] = self._said[begin:j]
            if self._skipped and slot.parameter.kind is Kind.TEXT and not _opens(self._elements[:i]):
                self.unled.append(slot.parameter.name)
        self._skipped = False
        return j

    def _fixed(self, i: int, element: Fixed, j: int) -> int:
        row, below = self._grid.outside[i], self._grid.outside[i + 1]
        while True:
            if abs(row[j] - (below[j] - element.skip)) < CLOSE:
                self._skipped = True
                return j
            if element.norm in self._alike[j] and abs(row[j] - element.weight - below[j + 1]) < CLOSE:
                self._skipped = False
                return j + 1
            self.left.append(self._said[j])
            j += 1


def _opens(elements: Sequence[Element]) -> bool:
    """The fixed words before a slot open the template and have a strong one: its last may be missing."""
    fixed = [element for element in elements if isinstance(element, Fixed)]
    return len(fixed) == len(elements) and any(element.weight >= 1 for element in fixed)


def _noise(word: Word, held: frozenset[str]) -> float:
    """What a word costs that belongs to nothing."""
    if word.norm in NOISE or word.norm in held:
        return 0.02
    return 0.1 if word.norm in LIGHT else 0.35


def _fit(slot: Slot, word: Word) -> float:
    holds = slot.holds or frozenset()
    return (
        HELD if word.norm in holds or (word.norm not in LIGHT and alike_among(holds, word.norm)) else -MISFIT
    )
