"""Which intent a sentence is, by its examples; which words fill which slot."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bridge.core.agent import Effect, Intent, Kind
from bridge.upstreams.cascade.thinking.acts import asks
from bridge.upstreams.cascade.thinking.laying import Match, lay
from bridge.upstreams.cascade.thinking.mending import mend
from bridge.upstreams.cascade.thinking.templates import Fixed, Slot, Template, tails, templates
from bridge.upstreams.cascade.thinking.times import Clock, Said, unprefaced, whole
from bridge.upstreams.cascade.thinking.values import choice_words, find_choice, find_number, number_words
from bridge.upstreams.cascade.thinking.words import (
    LIGHT,
    NOISE,
    PREPOSITIONS,
    alike_among,
    content,
    excerpt,
    norms,
    stem,
    word_set,
)

ENOUGH: Final = 0.6
"""Share of an example's weight that must have been said."""
ASKING: Final = word_set(
    "add create set make new another start something one more help first open submit intent request "
    "next let us thing"
)
"""Words with which people ask for a thing without naming one."""


Refers = Callable[[str, str], bool]
"""Whether some words mean a thing of a kind: (kind, words)."""
PLANNED: Final = frozenset(["goal", "task"])
"""The kinds of things the planner keeps."""
TOLERATED: Final = 0.1
"""What an example may lose to little words before misheard ones are looked for."""
BETTER: Final = 0.15
"""How much better it has to fit with misheard words put right."""
HOLLOW: Final = 1.5
"""What a match loses that has nothing but a preposition in a text."""
REMOVING: Final = word_set("delete remove erase cancel drop clear")
"""Verbs that make the opposite of most wishes."""
LOST: Final = 0.7
"""What a match loses whose reference means nothing."""


@dataclass(frozen=True, slots=True)
class Book:
    """The intents of an agent, ready to be looked up."""

    intents: tuple[Intent, ...]
    templates: tuple[Template, ...]
    tails: tuple[Template, ...]
    labels: tuple[tuple[frozenset[str], Intent], ...]
    """What intents are called, as stems."""
    fixed: frozenset[str]
    """The fixed words of all templates."""
    telling: frozenset[str]
    """Words that a misheard one may be: fixed ones, and those of choices."""
    numbers: frozenset[str]
    """Names of the parameters that are numbers."""
    openings: frozenset[tuple[tuple[str, ...], bool]]
    """The fixed words examples begin with; whether one of them is no common word."""

    @classmethod
    def of(cls, intents: Sequence[Intent]) -> "Book":
        """Read the examples of all intents."""
        every = tuple(template for intent in intents for template in templates(intent))
        written = [template for template in every if template.intent.examples]
        ends = {(t.intent.name, t.elements): t for template in written for t in tails(template)}
        fixed = frozenset(e.norm for t in every for e in t.elements if isinstance(e, Fixed))
        choices = frozenset(w for i in intents for p in i.parameters for w in choice_words(p))
        telling = frozenset(word for word in fixed | choices if len(word) > 2)
        openings = frozenset((t.opening, not t.strong.isdisjoint(t.opening)) for t in every if t.opening)
        labels = tuple(_labels(intents))
        numbers = frozenset(p.name for i in intents for p in i.parameters if p.kind is Kind.NUMBER)
        return cls(tuple(intents), every, tuple(ends.values()), labels, fixed, telling, numbers, openings)

    def intent(self, name: str) -> Intent | None:
        return next((intent for intent in self.intents if intent.name == name), None)

    def kinds(self) -> frozenset[str]:
        """The kinds of things any argument may refer to."""
        return frozenset(p.refers_to for intent in self.intents for p in intent.parameters if p.refers_to)

    def scheduled(self) -> frozenset[str]:
        """Those of them that something is said to be at a time about."""
        timed = (i for i in self.intents if any(p.kind is Kind.TIME for p in i.parameters))
        return frozenset(p.refers_to for intent in timed for p in intent.parameters if p.refers_to)

    def told(self) -> frozenset[str]:
        """The kinds of things a person may ask for: those, and the planner's where it is used."""
        planned = any(intent.handler.startswith("planner.") for intent in self.intents)
        return self.kinds() | (PLANNED if planned else frozenset())

    def match(
        self, said: Said, clock: Clock, refers: Refers | None = None, *, mending: bool = True
    ) -> Match | None:
        """The example that fits best, if one fits well enough; misheard words are put right when that helps.

        One whose reference means nothing is believed less.
        """
        said = unprefaced(said)
        if plain := self._counted(said, clock, refers) or self.asked_for(said):
            return plain
        literal = self._best(said, clock, refers)
        if not mending or (literal and literal.score >= literal.template.full - TOLERATED):
            return literal
        mended = said if REMOVING.intersection(said.norms) else mend(said, self.telling)
        better = None if mended is said else self.asked_for(mended) or self._best(mended, clock, refers)
        if better is None or (literal and better.score < literal.score + BETTER):
            return literal
        return replace(better, said=mended)

    def _counted(self, said: Said, clock: Clock, refers: Refers | None) -> Match | None:
        """The example whose number is what could be a time: "a table for two"."""
        out = [word for word in said.words if word not in said.rest and word.norm not in PREPOSITIONS]
        if not self.numbers or not out or any(word.norm not in number_words() for word in out):
            return None
        counted = replace(said, rest=said.words, timing=None)
        match = self._best(counted, clock, refers)
        held = {word for name in self.numbers for word in match.slots.get(name, ())} if match else set()
        return replace(match, said=counted) if match and held >= set(out) else None

    def _best(self, said: Said, clock: Clock, refers: Refers | None) -> Match | None:
        """Templates that can be worth most come first; the rest is left out when it cannot be worth more."""
        over = {True: said.rest, False: said.words}
        alike = {way: [alike_among(self.fixed, word.norm) for word in part] for way, part in over.items()}
        there = {way: frozenset[str]().union(*some) for way, some in alike.items()}
        bounds = ((template.best(there[template.timeless]), i) for i, template in enumerate(self.templates))
        likely = [(bound, i) for bound, i in bounds if bound >= ENOUGH * self.templates[i].total]
        best, rank = None, (0.0, 0.0)
        for bound, i in sorted(likely, key=lambda pair: (-pair[0], pair[1])):
            if bound < rank[0]:
                break
            template = self.templates[i]
            match = _judged(lay(template, over[template.timeless], alike[template.timeless]))
            if match.share < ENOUGH or match.score <= 0 or (match.score, match.share) <= rank:
                continue
            new = _believed(match, said, refers), match.share
            if new > rank and (template.timeless or _times_fit(match, said, clock)):
                best, rank = match, new
        return best

    def tail(self, intent: Intent, said: Said) -> Match | None:
        """The end of an example that an answer alone may be: "when I get home"."""
        alike = [alike_among(self.fixed, word.norm) for word in said.rest]
        found = [
            match
            for template in self.tails
            if template.intent.name == intent.name and template.timeless
            if template.best(frozenset[str]().union(*alike)) >= 0.8 * template.total
            if (match := lay(template, said.rest, alike)).share >= 0.8 and match.slots
        ]
        return max(found, key=lambda match: match.score, default=None)

    def asked_for(self, said: Said) -> Match | None:
        """An intent that is asked for by name alone: "I want to add a task"."""
        heard = (word.norm for word in said.rest)
        left = {stem(norm) for norm in heard if norm not in LIGHT and norm not in NOISE}
        named = left - {stem(word) for word in ASKING}
        if not named or len(said.rest) > 9:
            return None
        fitting = [(len(named) / len(label), intent) for label, intent in self.labels if named <= label]
        reads = asks(said.norms)

        def rank(pair: tuple[float, Intent]) -> tuple[bool, float, bool]:
            return reads is (pair[1].effect is Effect.READ), pair[0], not _needs_thing(pair[1])

        best = max(fitting, key=rank, default=None)
        return Match(Template(best[1], ()), best[0], {}) if best else None

    def guess(self, said: Said) -> Intent | None:
        """The only intent that what was said could be about, though no example fits.

        A time makes it one that needs a time and a text; a choice of an intent's makes it that intent.
        """
        scored = [(self._guess_score(intent, said), intent) for intent in self.intents]
        best = max((score for score, _ in scored), default=0.0)
        winners = [intent for score, intent in scored if score == best]
        return winners[0] if best >= 1 and len(winners) == 1 else None

    def _guess_score(self, intent: Intent, said: Said) -> float:
        score = 0.0
        heard = tuple(word.norm for word in said.rest)
        named = {stem(word) for word in label_of(intent).split()} - {stem(word) for word in ASKING}
        score += 0.6 * len(named & {stem(word) for word in heard})
        for parameter in intent.parameters:
            if parameter.kind is Kind.CHOICE and find_choice(parameter, heard):
                score += 1.0
            elif parameter.kind is Kind.NUMBER and find_number(heard) is not None:
                score += 0.2
        if said.timing and said.rest and _takes_time(intent):
            score += 1.0
        if score >= 1:
            score += 0.1 * len(_described(intent, heard))
        return score


def _labels(intents: Sequence[Intent]) -> Iterator[tuple[frozenset[str], Intent]]:
    for intent in intents:
        label = {stem(word) for word in label_of(intent).split()} - {stem(word) for word in ASKING}
        kinds = {p.refers_to for p in intent.parameters if p.refers_to}
        if label | kinds:
            yield frozenset(label | kinds), intent


def _described(intent: Intent, heard: Sequence[str]) -> set[str]:
    """The words that begin as a word of the intent's description does: "warmer", where it says "warm"."""
    telling = {word[:4] for word in content(intent.description) if len(word) >= 4}
    return {word for word in heard if len(word) >= 4 and word[:4] in telling}


def _believed(match: Match, said: Said, refers: Refers | None) -> float:
    if refers is None:
        return match.score
    for slot in match.template.slots:
        part = match.slots.get(slot.parameter.name, ())
        if (
            slot.parameter.refers_to
            and part
            and not refers(slot.parameter.refers_to, excerpt(said.text, part))
        ):
            return match.score - LOST
    return match.score


def label_of(intent: Intent) -> str:
    """An intent's name as words, without what only programmers say: submit_new_task_intent → new task."""
    parts = norms(intent.name.replace("_", " ").replace("-", " "))
    label = " ".join(part for part in parts if part not in {"submit", "intent", "function", "handle", "do"})
    return label or intent.name


def _needs_thing(intent: Intent) -> bool:
    return any(p.kind is Kind.REFERENCE and p.required for p in intent.parameters)


def _takes_time(intent: Intent) -> bool:
    """It needs a text and a time, and nothing that has to be there already."""
    if _needs_thing(intent):
        return False
    timed = [p for p in intent.parameters if p.kind is Kind.TIME and (p.required or p.required_when)]
    return bool(timed) and any(p.kind is Kind.TEXT and p.required for p in intent.parameters)


def _times_fit(match: Match, said: Said, clock: Clock) -> bool:
    """Every slot for a time holds a time and nothing else."""
    slots = _anchored(match.template)
    parts = [match.slots.get(slot.parameter.name, ()) for slot in slots or ()]
    return bool(parts) and all(part and whole(excerpt(said.text, part), clock) for part in parts)


def _anchored(template: Template) -> list[Slot] | None:
    """The slots for times, if each stands between fixed words or the ends; else None."""
    found: list[Slot] = []
    for index, element in enumerate(template.elements):
        if not isinstance(element, Slot) or element.parameter.kind not in {Kind.TIME, Kind.RECURRENCE}:
            continue
        around = template.elements[max(index - 1, 0) : index + 2]
        if sum(isinstance(one, Slot) for one in around) > 1:
            return None
        found.append(element)
    return found


def _judged(match: Match) -> Match:
    """A match is believed less when one of its texts says nothing, or is a lone word before a common one.

    So it is when the rest of the sentence takes something away: "delete my …".
    """
    elements = match.template.elements
    if any(word.norm in REMOVING for word in match.left):
        return replace(match, score=match.score - HOLLOW)
    for index, element in enumerate(elements):
        if not isinstance(element, Slot) or element.parameter.kind is not Kind.TEXT:
            continue
        part = match.slots.get(element.parameter.name, ())
        if part and all(word.norm in PREPOSITIONS for word in part):
            return replace(match, score=match.score - HOLLOW)
        between, *then = elements[index + 1 : index + 3] or [None]
        split = (
            isinstance(between, Fixed) and between.norm in LIGHT and any(isinstance(e, Slot) for e in then)
        )
        if split and len(part) < 2:
            return replace(match, score=match.score - 0.5)
    return match
