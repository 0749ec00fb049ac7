"""Answers without a function: the person's things, when one of them is, what there is to choose."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from bridge.core.agent import Effect, Kind, Parameter
from bridge.core.model import Thing
from bridge.upstreams.cascade.thinking.matching import Book
from bridge.upstreams.cascade.thinking.phrases import enumerated, when
from bridge.upstreams.cascade.thinking.slots import Scene
from bridge.upstreams.cascade.thinking.things import resolve
from bridge.upstreams.cascade.thinking.times import Clock, Said, Timing
from bridge.upstreams.cascade.thinking.values import spoken_choice
from bridge.upstreams.cascade.thinking.words import excerpt, stem, word_set

MOST: Final = 5
"""How many things are named."""
_QUESTIONS: Final = ("what", "which", "how many", "do i", "are there", "is there", "have i")
"""What a question for things begins with."""
_ORDERS: Final = ("show me", "list", "read", "tell me", "give me", "any")
"""What an order to tell of things begins with; other wishes may, too."""
_POLITE: Final = word_set("can could would you please um uh well so and hey")
_MINE: Final = word_set("my i me")
_LISTS: Final = word_set("list agenda schedule calendar reminder todo appointment plan planned open do have")
"""What people call all they have to do."""
_WHEN: Final = tuple(
    tuple(words.split("-")) for words in word_set("when-is when-do-i-have what-time-is at-what-time-is")
)
_COUNTS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def kind_asked(said: Sequence[str], book: Book) -> str | None:
    """The kind of thing a question is for; None when it asks for none."""
    heard = list(said)
    while heard and heard[0] in _POLITE:
        heard.pop(0)
    kinds = book.told()
    if not kinds or not _begins(heard, _QUESTIONS + _ORDERS) or not _MINE.intersection(heard):
        return None
    stems = {stem(word) for word in heard}
    if named := sorted(kinds & stems):
        return named[0]
    return (
        min(book.scheduled() or book.kinds(), default=None) if stems & _LISTS and heard[0] != "tell" else None
    )


def _begins(heard: Sequence[str], phrases: Sequence[str]) -> bool:
    return any(" ".join(heard[: len(phrase.split())]) == phrase for phrase in phrases)


def tell(said: Said, book: Book, scene: Scene) -> str | None:
    """The answer to a question about things or choices; None when it is none, or a function knows better."""
    match = book.match(said, scene.clock, scene.refers)
    if match and match.template.intent.effect is Effect.READ:
        return None
    if parameter := _choices(said.norms, book):
        choices = [" ".join(spoken_choice(choice)) for choice in parameter.choices]
        return f"There is {enumerated(choices, 'or')}."
    if moment := _moment(said, book, scene):
        return moment
    kind = kind_asked(said.norms, book)
    wished = match and match.slots and not _begins(said.norms, _QUESTIONS)
    return None if kind is None or wished else _listed(kind, said.timing, scene)


def _choices(heard: Sequence[str], book: Book) -> Parameter | None:
    """The choice of which somebody asks what there is: "what sizes do you have"."""
    if heard[:1] not in {("what",), ("which",)} or not {"have", "there", "can"}.intersection(heard):
        return None
    stems = {stem(word) for word in heard}
    every = (p for intent in book.intents for p in intent.parameters if p.kind is Kind.CHOICE)
    return next((p for p in every if {stem(word) for word in p.name.split("_")} & stems), None)


def _moment(said: Said, book: Book, scene: Scene) -> str | None:
    """ "When is my dentist appointment?" """
    begin = next((len(words) for words in _WHEN if said.norms[: len(words)] == words), 0)
    named = excerpt(said.text, said.words[begin:])
    if not begin or not named:
        return None
    for kind in sorted(book.kinds()):
        found = resolve(named, kind, scene.things, scene.memory, scene.clock)
        if len(found) == 1 and found[0].at:
            return f"{_upper(found[0].title)} is{when(found[0].at, scene.clock)}."
    return None


def _listed(kind: str, timing: Timing | None, scene: Scene) -> str:
    things = [t for t in scene.things.get(kind, ()) if timing is None or _falls(t, timing, scene.clock)]
    things.sort(key=lambda thing: (thing.at is None, thing.at and thing.at.timestamp()))
    then = f" {timing.phrase}" if timing else ""
    if not things:
        return f"You don't have any {kind}s{then or ' yet'}."
    count = _COUNTS[len(things)] if len(things) < len(_COUNTS) else str(len(things))
    named = [f"{thing.title}{when(thing.at, scene.clock)}" for thing in things[:MOST]]
    more = [f"{len(things) - MOST} more"] if len(things) > MOST else []
    plural = "s" if len(things) > 1 else ""
    return f"You have {count} {kind}{plural}{then}: {enumerated([*named, *more], 'and')}."


def _falls(thing: Thing, timing: Timing, clock: Clock) -> bool:
    """The thing is on the day that was said, or in the seven days from it when a week was."""
    if thing.at is None or timing.at is None:
        return False
    first = clock.local(clock.now if "this week" in timing.phrase else timing.at).date()
    length = 7 if "week" in timing.phrase.split() else 1
    return first <= clock.local(thing.at).date() < first + timedelta(days=length)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
