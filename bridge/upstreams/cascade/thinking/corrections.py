"""Corrections: "no, at six", "I meant Tuesday", "make that the dentist". What they change in a wish."""

from typing import Final

from bridge.core.agent import Intent, Kind, Parameter
from bridge.upstreams.cascade.thinking.acts import corrects
from bridge.upstreams.cascade.thinking.matching import Book
from bridge.upstreams.cascade.thinking.slots import Scene, answer_text, reference, with_time
from bridge.upstreams.cascade.thinking.things import PRONOUNS
from bridge.upstreams.cascade.thinking.times import Said, Timing, as_argument, corrected, read, whole
from bridge.upstreams.cascade.thinking.values import as_norms, find_choice, find_number
from bridge.upstreams.cascade.thinking.wishes import Value, Wish, controllers
from bridge.upstreams.cascade.thinking.words import NOISE, PREPOSITIONS, Words, excerpt, norms, trim

LED: Final = frozenset([("at",), ("in",), ("when",)])
"""What leads to a place."""
LITTLE: Final = PREPOSITIONS | {"the", "a"}
"""Words that may stand before what is not meant."""


def remainder(said: Said, wish: Wish | None, scene: Scene) -> Said | None:
    """What a sentence says in place of what it corrects; None when it corrects nothing.

    "I meant friday not saturday" and "not saturday but friday" leave "friday"; "not six seven" leaves "seven"
    when the wish has a six.
    """
    known = _words_of(wish)
    begin = corrects(said.norms)
    kept = said.words[begin:]
    if "not" in said.norms[:begin]:
        kept = _after_not(kept, known)
    heard = as_norms(kept)
    if "not" in heard[1:] and (begin or set(heard[heard.index("not") + 1 :]) - LITTLE <= known):
        kept, begin = kept[: heard.index("not", 1)], 1
    kept = trim(kept, {"instead"}, left=False)
    if not begin or not kept:
        return None
    text = excerpt(said.text, kept)
    again = read(text, scene.clock)
    if again.timing is None and (timing := whole(text, scene.clock)):
        return Said(again.text, again.words, (), timing)
    return again


def _after_not(said: Words, known: frozenset[str]) -> Words:
    """What comes after the words that are not meant: after "but", or after those the wish has."""
    heard = as_norms(said)
    if "but" in heard[1:]:
        return said[heard.index("but", 1) + 1 :]
    at = next((i for i, word in enumerate(heard) if word not in known | LITTLE), 0)
    return said[at:]


def _words_of(wish: Wish | None) -> frozenset[str]:
    """The words of a wish's arguments."""
    values = wish.values.values() if wish else ()
    texts = (
        f"{v.argument} {v.timing.phrase if v.timing else v.thing.title if v.thing else ''}" for v in values
    )
    return frozenset(norm for text in texts for norm in norms(text))


def correct(wish: Wish, said: Said, scene: Scene, asked: Parameter | None = None) -> Wish | None:
    """The wish with what the words correct; None when they fit nothing in it."""
    if said.timing and (wish.first(Kind.TIME) or wish.open(Kind.TIME)):
        timed = with_time(wish, said.timing, scene)
        left = answer_text(said, timeless=True)
        return (_retold(timed, left, said, asked) if _telling(left) else None) or timed
    heard = tuple(word.norm for word in said.rest)
    for parameter in wish.intent.parameters:
        if parameter.name in controllers(wish.intent):
            continue
        if parameter.kind is Kind.CHOICE and (choice := find_choice(parameter, heard)):
            return wish.knowing({parameter.name: Value(choice)})
        if parameter.kind is Kind.NUMBER and (number := find_number(heard)) is not None:
            return wish.knowing({parameter.name: Value(number)})
        if parameter.kind is Kind.REFERENCE:
            found = reference(parameter, said.text, scene)
            if isinstance(found, Value):
                return wish.knowing({parameter.name: found})
    return _retold(wish, answer_text(said, timeless=True), said, asked)


def correct_done(done: Wish | None, said: Said, book: Book, scene: Scene) -> Wish | None:
    """The wish that corrects what was done already: moves it, or does it anew."""
    if done is None:
        return None
    bare = all(word.norm in NOISE or word.norm in PRONOUNS for word in said.rest)
    if said.timing and bare and (wish := mover(book, done, scene, said.timing)):
        return wish
    better = correct(done, said, scene)
    return None if better is None or better.values == done.values else better


def _telling(text: str) -> bool:
    return len(norms(text)) > 1 or (bool(text) and norms(text)[0] not in PRONOUNS)


def _retold(wish: Wish, text: str, said: Said, asked: Parameter | None) -> Wish | None:
    """The corrected text with the words that are new: "French" makes "learn Spanish" "learn French"."""
    if not text:
        return None
    known = [
        p for p in wish.intent.parameters if p.name in wish.values and p.kind is Kind.TEXT and p is not asked
    ]
    if not known:
        return None
    placed = [p for p in known if p.required_when]
    if placed and as_norms(said.words[:1]) in LED:
        words = trim(said.words, {"at", "in", "when", "i", "am", "get", "to", "arrive", "on"}, right=False)
        return wish.knowing({placed[0].name: Value(excerpt(said.text, words))})
    target = max(known, key=lambda p: len(_shared(wish, p, text)))
    old = str(wish.values[target.name].argument)
    return wish.knowing({target.name: Value(spliced(old, text))})


def _shared(wish: Wish, parameter: Parameter, text: str) -> set[str]:
    return set(norms(str(wish.values[parameter.name].argument))) & set(norms(text))


def spliced(old: str, new: str) -> str:
    """`new` in place of the end of `old` when it is shorter and does not begin the same way."""
    before, after = old.split(), new.split()
    same_start = before[:1] and after[:1] and before[0].lower() == after[0].lower()
    if same_start or len(after) >= len(before):
        return new
    return " ".join([*before[: len(before) - len(after)], *after])


def mover(book: Book, done: Wish, scene: Scene, timing: Timing) -> Wish | None:
    """The wish that gives the last thing another time, for agents that have an intent for that."""
    for kind in sorted(scene.memory.last):
        thing = scene.memory.of(kind, scene.things)
        intent = next((i for i in book.intents if _moves(i, kind)), None)
        if thing is None or intent is None or (intent is done.intent and not done.first(Kind.REFERENCE)):
            continue
        old = done.timing() or (Timing("at", thing.at, None) if thing.at else None)
        better = corrected(old, timing, scene.clock)
        values = {
            next(p.name for p in intent.parameters if p.refers_to == kind): Value(thing.id, thing=thing),
            next(p.name for p in intent.parameters if p.kind is Kind.TIME): Value(
                as_argument(better, scene.clock), better
            ),
        }
        return Wish(intent).knowing(values)
    return None


def _moves(intent: Intent, kind: str) -> bool:
    kinds = {p.kind for p in intent.parameters}
    return Kind.TIME in kinds and any(p.refers_to == kind and p.required for p in intent.parameters)
