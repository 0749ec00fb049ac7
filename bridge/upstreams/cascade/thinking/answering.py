"""From an answer to arguments: what was asked for, and whatever else was said with it."""

from collections.abc import Mapping

from bridge.core.agent import Intent, Kind, Parameter
from bridge.upstreams.cascade.thinking.matching import Book
from bridge.upstreams.cascade.thinking.slots import (
    Found,
    Scene,
    answer_text,
    beside,
    chosen,
    plain_value,
    reference,
    value_of,
    with_time,
)
from bridge.upstreams.cascade.thinking.times import Said, Timing, whole
from bridge.upstreams.cascade.thinking.wishes import Value, Wish
from bridge.upstreams.cascade.thinking.words import NOISE, Words, content, excerpt, trim


def answered(wish: Wish, asked: Parameter, said: Said, book: Book, scene: Scene) -> Wish | None:
    """The wish after an answer to the question for `asked`; None when it is no answer."""
    before = wish
    if timing := _answered_time(wish, asked, said, scene):
        wish = with_time(wish, timing, scene)
    if choice := _choice(wish.intent, asked, said):
        wish = wish.knowing({asked.name: choice})
    elif (end := book.tail(wish.intent, said)) and asked.kind is not Kind.REFERENCE:
        wish = _with_tail(wish, end.slots, said, scene)
    if asked.name not in wish.values:
        wish = _direct(wish, asked, said, scene)
    wish = beside(wish, said, scene, used=False)
    return None if wish.values == before.values and wish.unclear == before.unclear else wish


def _answered_time(wish: Wish, asked: Parameter, said: Said, scene: Scene) -> Timing | None:
    """The time in an answer; asked for one, a bare "six" is a time too."""
    if asked.kind is Kind.REFERENCE:
        return None
    if asked.kind in {Kind.TIME, Kind.RECURRENCE}:
        return said.timing or whole(said.text, scene.clock)
    return said.timing if asked.kind is Kind.CHOICE or wish.open(Kind.TIME) else None


def _with_tail(wish: Wish, slots: Mapping[str, Words], said: Said, scene: Scene) -> Wish:
    for name, part in slots.items():
        parameter = next(p for p in wish.intent.parameters if p.name == name)
        found = value_of(parameter, said, part, scene)
        if name not in wish.values and isinstance(found, Value):
            wish = wish.knowing({name: found})
    return wish


def _direct(wish: Wish, asked: Parameter, said: Said, scene: Scene) -> Wish:
    found: Found = None
    if asked.kind is Kind.REFERENCE:
        found = chosen(asked, said.text, wish.unclear.get(asked.name, ()), scene)
        if retimed := _with_its_time(wish, asked, said, scene):
            return retimed
    elif asked.kind is Kind.TEXT:
        text = answer_text(said, timeless=bool(wish.open(Kind.TIME)) or said.timing is not None)
        found = Value(text) if text else None
    elif asked.kind in {Kind.CHOICE, Kind.NUMBER, Kind.BOOLEAN}:
        found = plain_value(asked, said.norms)
        if found is None and (texts := _dependents(wish.intent, asked)):
            return _with_dependent(wish, texts[0], said)
    if isinstance(found, Value):
        return wish.knowing({asked.name: found})
    return wish.doubting({asked.name: found}) if found else wish


def _with_its_time(wish: Wish, asked: Parameter, said: Said, scene: Scene) -> Wish | None:
    """ "The team meeting to friday" answers which one and when; "the one on friday" only which."""
    named = reference(asked, excerpt(said.text, said.rest), scene) if said.timing and said.rest else None
    if not isinstance(named, Value) or named.thing is None or said.timing is None:
        return None
    old, new = named.thing.at, said.timing.at
    if (
        old
        and new
        and not said.timing.names_clock
        and scene.clock.local(old).date() == scene.clock.local(new).date()
    ):
        return None
    return with_time(wish.knowing({asked.name: named}), said.timing, scene)


def _choice(intent: Intent, asked: Parameter, said: Said) -> Value | None:
    """A choice by its name or in the question's own words: "at a place", where it is called location."""
    if asked.kind is not Kind.CHOICE:
        return None
    if plain := plain_value(asked, said.norms):
        return plain
    telling = set(content(said.text))
    if not telling or not telling <= set(content(asked.question)):
        return None
    for choice in asked.choices:
        needed = [p for p in intent.parameters if p.required_when == (asked.name, choice)]
        about = {word for p in needed for word in content(f"{p.name} {p.description} {p.question}")}
        if telling & about:
            return Value(choice)
    return None


def _with_dependent(wish: Wish, text: Parameter, said: Said) -> Wish:
    """Asked "at a time or at a place?", "at the office" is the place."""
    words = trim(said.rest, {"at", "in", "when", "i", "am", "get", "to", "on", *NOISE}, right=False)
    if said.timing or not 0 < len(words) <= 4:
        return wish
    return wish.knowing({text.name: Value(excerpt(said.text, words))})


def _dependents(intent: Intent, asked: Parameter) -> list[Parameter]:
    """Texts that are needed for one value of a choice."""
    return [
        p
        for p in intent.parameters
        if p.kind is Kind.TEXT and p.required_when and p.required_when[0] == asked.name
    ]
