"""From words to arguments: fills a wish from a matched example, from an answer, or from a correction."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bridge.core.agent import Intent, Kind, Parameter
from bridge.core.model import Thing
from bridge.upstreams.cascade.thinking.laying import Match
from bridge.upstreams.cascade.thinking.matching import ASKING, label_of
from bridge.upstreams.cascade.thinking.templates import Fixed, Slot, tails, templates
from bridge.upstreams.cascade.thinking.things import Memory, Things, pick, resolve
from bridge.upstreams.cascade.thinking.times import (
    Clock,
    Said,
    Timing,
    as_argument,
    corrected,
    whole,
)
from bridge.upstreams.cascade.thinking.values import as_norms, find_boolean, find_choice, find_number
from bridge.upstreams.cascade.thinking.wishes import Argument, Value, Wish, controllers
from bridge.upstreams.cascade.thinking.words import LIGHT, NOISE, Words, excerpt, norms, stem, trim

LEAD_INS: Final = (
    *("it is called", "it is named", "it is about", "it is", "that is", "call it", "name it", "the name is"),
    *("the title is", "the title should be", "i would say", "i think", "i guess", "let us say", "make it"),
    *(
        "my goal is to",
        "my goal is",
        "remind me to",
        "i want to",
        "i would like to",
        "i need to",
        "i have to",
    ),
    *("to", "about", "for"),
)
"""What an answer may begin with that is not part of it."""
PLACEHOLDERS: Final = frozenset(["something", "anything", "some things", "things", "stuff", "one", "some"])
"""What stands for a text that is still to be said."""
HESITATION: Final = NOISE - {"like", "hello", "hi"}
"""What an answer may begin with before it begins."""
TRAILING: Final = frozenset(["please", "thanks", "um", "uh", "hmm", "ok", "and", "then", "now", "actually"])


@dataclass(frozen=True, slots=True)
class Scene:
    """What words mean depends on: the clock, the person's things, what was made last."""

    clock: Clock
    things: Things
    memory: Memory

    def refers(self, kind: str, text: str) -> bool:
        """Whether a text names a thing of that kind."""
        return bool(resolve(text, kind, self.things, self.memory, self.clock))


def from_match(match: Match, said: Said, scene: Scene) -> Wish:
    """The wish a matched example makes."""
    intent, said = match.template.intent, match.said or said
    values: dict[str, Value] = {}
    unclear: dict[str, tuple[Thing, ...]] = {}
    timings: list[Timing] = []
    for name, part in match.slots.items():
        parameter = next(p for p in intent.parameters if p.name == name)
        found = value_of(parameter, said, part, scene)
        if isinstance(found, Value):
            values[name] = found
            timings += [found.timing] if found.timing else []
        elif found is not None:
            unclear[name] = found
    values = _title_from_example(match, said, values)
    wish = Wish(intent).knowing(values).doubting(unclear)
    if len(timings) == 1:
        wish = _retimed(wish, timings[0], scene)
    return beside(wish, said, scene, left=match.left, used=match.template.timeless)


def _retimed(wish: Wish, timing: Timing, scene: Scene) -> Wish:
    """The wish with the time of its slot taken as a change of its thing's: "to six" is six on its day."""
    timed = {name for name, value in wish.values.items() if value.timing}
    without = {name: value for name, value in wish.values.items() if name not in timed}
    return with_time(Wish(wish.intent, without, wish.unclear), timing, scene)


def beside(wish: Wish, said: Said, scene: Scene, *, left: Words = (), used: bool = True) -> Wish:
    """The wish with what else was said: its time, a choice, a number, a text that is led in among `left`.

    `used`: the time is not in a slot yet.
    """
    wish = _led_in(wish, said, left)
    if said.timing and used:
        wish = with_time(wish, said.timing, scene)
    heard = as_norms(said.rest)
    for parameter in wish.open(Kind.CHOICE):
        if parameter.name in controllers(wish.intent):
            continue
        if choice := find_choice(parameter, heard):
            wish = wish.knowing({parameter.name: Value(choice)})
    numbers = [p for p in wish.intent.parameters if p.kind is Kind.NUMBER]
    number = _counted(wish, said) if len(numbers) == 1 and numbers[0].name not in wish.values else None
    return wish if number is None else wish.knowing({numbers[0].name: Value(number)})


def _led_in(wish: Wish, said: Said, left: Words) -> Wish:
    """Texts that an example leads in and that stand at the end of what is left: "… for Anna"."""
    for parameter in wish.open(Kind.TEXT):
        for lead in _leads(wish.intent, parameter):
            at = next((i for i in range(len(left)) if as_norms(left[i : i + len(lead)]) == lead), None)
            if at is not None and (text := cleaned(said, left[at + len(lead) :])):
                wish = wish.knowing({parameter.name: Value(text)})
                break
    return wish


@lru_cache(maxsize=256)
def _leads(intent: Intent, parameter: Parameter) -> list[tuple[str, ...]]:
    """The fixed words right before a parameter in the middle of examples, longest first."""
    found = {
        tuple(e.norm for e in tail.elements if isinstance(e, Fixed))
        for template in templates(intent)
        for tail in tails(template)
        if tail.elements[-1] == template.elements[-1] and tail.elements != template.elements
        if isinstance(last := tail.elements[-1], Slot) and last.parameter is parameter
    }
    return sorted(found, key=lambda lead: -len(lead))


def _counted(wish: Wish, said: Said) -> float | None:
    """A number outside the texts that are known already."""
    texts = {norm for v in wish.values.values() if isinstance(v.argument, str) for norm in norms(v.argument)}
    return find_number(
        [norm for norm in as_norms(said.rest) if norm not in texts and norm not in {"a", "an"}]
    )


def with_time(wish: Wish, timing: Timing, scene: Scene) -> Wish:
    """The wish with its time known, or known better; a shift means something beside a thing alone.

    What repeats without an hour has no time yet; the answer to "at what time?" narrows the repetition.
    """
    if timing.at is None and not any(p.kind is Kind.REFERENCE for p in wish.intent.parameters):
        return wish
    if (often := wish.repeats()) and timing.at and not timing.recurrence:
        timing = whole(f"{often.phrase} {timing.phrase}", scene.clock) or timing
    values: dict[str, Value] = {}
    rule = next((p for p in wish.intent.parameters if p.kind is Kind.RECURRENCE), None)
    if timing.recurrence and rule:
        values[rule.name] = Value(timing.phrase, timing)
    moment = wish.first(Kind.TIME) or next(iter(wish.open(Kind.TIME)), None)
    hourless = timing.recurrence and rule and not timing.names_clock
    if moment and not hourless and (timing.at or not timing.recurrence):
        old = wish.values.get(moment.name)
        better = corrected(old.timing if old else _time_of_thing(wish), timing, scene.clock)
        values[moment.name] = Value(as_argument(better, scene.clock), better)
    return wish.knowing(values)


def at_customary_time(wish: Wish, scene: Scene) -> Wish | None:
    """A wish that repeats, at the hour things have without one; None when it has its hour or repeats not."""
    often = wish.repeats()
    moment = next(iter(wish.open(Kind.TIME)), None)
    if often is None or moment is None:
        return None
    return wish.knowing({moment.name: Value(as_argument(often, scene.clock), often)})


def _time_of_thing(wish: Wish) -> Timing | None:
    """When the thing is now that the wish is about: "move it to six" means six on its day."""
    thing = next((value.thing for value in wish.values.values() if value.thing), None)
    return Timing("at", thing.at, None) if thing and thing.at else None


Found = Value | tuple[Thing, ...] | None
"""A value; or the things a reference may mean; or nothing."""


def value_of(parameter: Parameter, said: Said, part: Words, scene: Scene) -> Found:
    """The value that some words of a sentence give a parameter."""
    heard = as_norms(part)
    match parameter.kind:
        case Kind.TEXT:
            text = cleaned(said, part)
            return Value(text) if text and text.lower() not in PLACEHOLDERS else None
        case Kind.TIME | Kind.RECURRENCE:
            timing = whole(excerpt(said.text, part), scene.clock)
            return Value(as_argument(timing, scene.clock), timing) if timing else None
        case Kind.REFERENCE:
            return reference(parameter, excerpt(said.text, part), scene)
        case _:
            return plain_value(parameter, heard)


def plain_value(parameter: Parameter, heard: tuple[str, ...]) -> Value | None:
    """The choice, number, or yes or no among the words."""
    found: Argument | None
    match parameter.kind:
        case Kind.CHOICE:
            found = find_choice(parameter, heard)
        case Kind.NUMBER:
            found = find_number(heard)
        case _:
            found = find_boolean(heard)
    return None if found is None else Value(found)


def reference(parameter: Parameter, text: str, scene: Scene) -> Found:
    """The thing a text names, or the things it may mean."""
    found = resolve(text, parameter.refers_to, scene.things, scene.memory, scene.clock)
    return Value(found[0].id, thing=found[0]) if len(found) == 1 else found


def chosen(parameter: Parameter, text: str, candidates: tuple[Thing, ...], scene: Scene) -> Found:
    """The thing an answer chooses among candidates, or among all of its kind."""
    found = pick(text, candidates, scene.clock) if candidates else ()
    if len(found) == 1:
        return Value(found[0].id, thing=found[0])
    return found or reference(parameter, text, scene)


def cleaned(said: Said, part: Words) -> str:
    """Words as a text argument: without fillers around them."""
    inner = trim(part, {"um", "uh", "please", "just", "a", "an"}, right=False)
    if as_norms(inner[:1]) == ("some",):
        inner = trim(inner, {"some", "more"}, right=False) or inner
    return excerpt(said.text, trim(inner, TRAILING, left=False))


def answer_text(said: Said, *, timeless: bool) -> str:
    """An answer as a text argument: without "it's called …" before it; `timeless`: without its time."""
    part = trim(said.rest if timeless else said.words, HESITATION, right=False)
    part = trim(part, TRAILING, left=False)
    changed = True
    while changed:
        changed = False
        for lead in LEAD_INS:
            size = len(lead.split())
            if len(part) > size and " ".join(as_norms(part[:size])) == lead:
                part, changed = part[size:], True
    return excerpt(said.text, part)


def _title_from_example(match: Match, said: Said, values: dict[str, Value]) -> dict[str, Value]:
    """An example without a slot for the text it needs says that text itself: "wake me up {time}"."""
    intent = match.template.intent
    needed = next((p for p in intent.parameters if p.kind is Kind.TEXT and p.required), None)
    if needed is None or not match.template.itself:
        return values
    fixed = [element.norm for element in match.template.elements if isinstance(element, Fixed)]
    telling = {stem(norm) for norm in fixed if norm not in LIGHT} - _names(intent)
    return {**values, needed.name: Value(" ".join(fixed))} if telling else values


def _names(intent: Intent) -> set[str]:
    return {stem(word) for word in {*label_of(intent).split(), *ASKING, "reminder", "remind", "schedule"}}
