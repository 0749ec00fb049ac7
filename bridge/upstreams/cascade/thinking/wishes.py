"""A wish: an intent and what is known of its arguments; what is missing, and what follows from the rest."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from bridge.core.agent import Effect, Intent, Kind, Parameter
from bridge.core.hints import CLIENT
from bridge.core.model import Thing
from bridge.upstreams.cascade.thinking.times import Timing

Argument = str | float | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of one argument."""

    argument: Argument
    """As the function gets it."""
    timing: Timing | None = None
    """For times: what it means."""
    thing: Thing | None = None
    """For references: what it points at."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Something a person wants done. Never changed; `knowing` gives a new one."""

    intent: Intent
    values: Mapping[str, Value] = field(default_factory=dict)
    unclear: Mapping[str, tuple[Thing, ...]] = field(default_factory=dict)
    """Reference → the things it may be; none when nothing is called that."""
    asked: bool = False
    """Its function answered that the person is to be asked whether it shall really be done."""
    confirmed: bool = False
    """The person said yes to something that cannot be undone."""

    @property
    def to_be_confirmed(self) -> bool:
        """The person is to say yes first: its function asks so, or cannot be undone and nobody else asks."""
        theirs = self.intent.handler == CLIENT and self.intent.effect is Effect.DESTRUCTIVE
        return (self.asked or theirs) and not self.confirmed

    def knowing(self, values: Mapping[str, Value]) -> "Wish":
        """The same wish with more known, or known better; choices that follow from it are drawn anew.

        What is known for another value of such a choice is dropped: a place takes the place of a time.
        """
        unclear = {name: things for name, things in self.unclear.items() if name not in values}
        kept = {
            name: value for name, value in self.values.items() if not _replaced(self.intent, name, values)
        }
        known = _inferred(self.intent, {**kept, **values})
        return replace(self, values=known, unclear=unclear, asked=False, confirmed=False)

    def doubting(self, unclear: Mapping[str, tuple[Thing, ...]]) -> "Wish":
        """The same wish with references that are not clear."""
        fresh = {name: things for name, things in unclear.items() if name not in self.values}
        return replace(self, unclear={**self.unclear, **fresh})

    def missing(self) -> Parameter | None:
        """The argument to ask for next; None when the wish is complete."""
        return next(self._missing(), None)

    def _missing(self) -> Iterator[Parameter]:
        for parameter in self.intent.parameters:
            if parameter.name in self.values:
                continue
            if parameter.required or parameter.name in self.unclear or self._needed(parameter):
                yield parameter
        if self._changes_nothing():
            yield from self._changes()

    def _needed(self, parameter: Parameter) -> bool:
        if parameter.required_when is None:
            return False
        other, value = parameter.required_when
        known = self.values.get(other)
        return known is not None and str(known.argument).lower() == value.lower()

    def repeats(self) -> Timing | None:
        """How often it is to be, while its time of day is not known."""
        rule = self.first(Kind.RECURRENCE)
        return self.values[rule.name].timing if rule and self.first(Kind.TIME) is None else None

    def _changes_nothing(self) -> bool:
        """It says which thing, of parameters that could say how to change it, none."""
        kinds = {p.kind for p in self.intent.parameters if p.name in self.values}
        return kinds == {Kind.REFERENCE}

    def _changes(self) -> Iterator[Parameter]:
        wanted = {Kind.TIME, Kind.CHOICE, Kind.NUMBER}
        yield from [p for p in self.intent.parameters if p.kind in wanted and p.question][:1]

    def open(self, *kinds: Kind) -> list[Parameter]:
        """Parameters of these kinds that are not known yet, those that must be known first."""
        found = [p for p in self.intent.parameters if p.kind in kinds and p.name not in self.values]
        return sorted(found, key=lambda p: not (p.required or self._needed(p)))

    def first(self, kind: Kind) -> Parameter | None:
        """The first known parameter of a kind."""
        return next((p for p in self.intent.parameters if p.kind is kind and p.name in self.values), None)

    def timing(self) -> Timing | None:
        """The time in it, if there is one."""
        return next((value.timing for value in self.values.values() if value.timing), None)

    def thing(self, kind: str, identity: str) -> Thing:
        """The thing this wish made or moved, as far as its arguments tell."""
        given = (value.thing for value in self.values.values() if value.thing)
        same = next((thing for thing in given if thing.id == identity), None)
        text = self.first(Kind.TEXT)
        title = same.title if same else str(self.values[text.name].argument) if text else ""
        timing = self.timing()
        return Thing(kind, identity, title, timing.at if timing else same.at if same else None)

    def arguments(self) -> str:
        """The arguments as JSON, in the order of the intent's parameters."""
        known = [p.name for p in self.intent.parameters if p.name in self.values]
        return json.dumps({name: _number(self.values[name].argument) for name in known}, ensure_ascii=False)


def controllers(intent: Intent) -> frozenset[str]:
    """Names of the parameters whose value decides which others are required."""
    return frozenset(p.required_when[0] for p in intent.parameters if p.required_when)


def _inferred(intent: Intent, values: dict[str, Value]) -> dict[str, Value]:
    """What follows: a choice that others depend on has the value that fits what is known of those."""
    for parameter in intent.parameters:
        needed = _needed_for(intent, parameter)
        if needed is None or parameter.name not in values:
            continue
        other, value = needed
        known = values.get(other)
        if known is None or not _supported(intent, values, other, str(known.argument)):
            values[other] = Value(value)
    return values


def _needed_for(intent: Intent, parameter: Parameter) -> tuple[str, str] | None:
    """The choice a parameter belongs to; a repetition belongs where the intent's time does."""
    if parameter.kind is Kind.RECURRENCE and parameter.required_when is None:
        times = (p.required_when for p in intent.parameters if p.kind is Kind.TIME)
        return next(times, None)
    return parameter.required_when


def _supported(intent: Intent, values: Mapping[str, Value], other: str, value: str) -> bool:
    return any(_needed_for(intent, p) == (other, value) and p.name in values for p in intent.parameters)


def _replaced(intent: Intent, name: str, new: Mapping[str, Value]) -> bool:
    """Whether something new belongs to another value of the choice that `name` belongs to."""
    belongs = {p.name: _needed_for(intent, p) for p in intent.parameters}
    mine = belongs.get(name)
    theirs = (belongs.get(other) for other in new if other != name)
    return mine is not None and any(its and its[0] == mine[0] and its[1] != mine[1] for its in theirs)


def _number(argument: Argument) -> Argument:
    if isinstance(argument, float) and argument.is_integer():
        return int(argument)
    return argument
