"""How people would ask for a function that has no examples: phrases made from its name and description."""

import re
from collections.abc import Iterator
from typing import Final

from bridge.core.agent import Intent, Kind, Parameter
from bridge.upstreams.cascade.thinking.words import LIGHT, norms, stem, word_set

_VERBS: Final = tuple(
    group.split()
    for group in (
        "add create make write save take put new log record",
        "get show list read find fetch check tell look see view search",
        "book order reserve call get need",
        "buy add put get need order",
        "delete remove cancel drop erase",
        "set change update edit adjust turn make put",
        "send write text",
        "start begin run",
        "stop end pause",
        "play start",
        "move reschedule postpone",
        "schedule plan add create",
        "open unlock",
        "close lock",
        "turn switch",
        "call phone ring",
    )
)
"""Verbs of functions; whoever says one of a row may mean the first."""
_ASKED: Final = ("what is the", "what are the", "tell me the", "show me the", "how is the", "show me all the")
_LEADS: Final = ("", "to", "for", "about", "called", "of", "with", "that says", "saying", "that")
"""What may come between a function's noun and its text."""
_PLACES: Final = word_set("city place location town country destination address room where area")
_PEOPLE: Final = word_set("recipient to person who contact receiver attendee guest user whom")
_WORDS: Final = word_set("text message content body note words comment title name subject description")
_FIRST: Final = re.compile(r"^\s*([A-Za-z]+?)(?:e?s)?\s+(.+?)[.;:]?\s*$")


def name_words(name: str) -> list[str]:
    """`sendMessage`, `send_message` → send, message; without what only programmers say."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", " ", name).lower().split()
    return [part for part in parts if part not in {"submit", "intent", "function", "handle", "do", "user"}]


def invented(intent: Intent) -> list[str]:
    """Examples with {slots}, as somebody writes them who knows name, description and schema alone."""
    verb, noun = _verb_and_noun(intent)
    slots = [
        p for p in intent.parameters if p.required and p.kind in {Kind.TEXT, Kind.NUMBER, Kind.REFERENCE}
    ]
    return list(dict.fromkeys(" ".join(p.split()) for p in _phrases(intent, verb, noun, slots)))


def order_of(intent: Intent) -> str:
    """The description as an order: "Unlocks the front door." is "unlock the front door"."""
    first, _, rest = intent.description.split(". ")[0].rstrip(" .").partition(" ")
    if not rest or not first.endswith("s") or not first.isalpha():
        return ""
    verb = re.sub(r"ies$", "y", re.sub(r"(?<=ss|sh|ch)es$|(?<=[xzo])es$|(?<!s)s$", "", first.lower()))
    return f"{verb} {rest}".replace("the person's", "your").replace("the user's", "your")


def _verb_and_noun(intent: Intent) -> tuple[str, str]:
    words = name_words(intent.name) or [intent.name]
    described = norms(intent.description)[:1]
    known = any(words[0] in group for group in _VERBS)
    if len(words) > 1 and (known or (described and stem(described[0]) == stem(words[0]))):
        return words[0], " ".join(words[1:])
    return "", " ".join(words)


def _phrases(intent: Intent, verb: str, noun: str, slots: list[Parameter]) -> Iterator[str]:
    for begin in _beginnings(verb, noun):
        yield begin
        for index, slot in enumerate(slots):
            others = slots[:index] + slots[index + 1 :]
            if verb and set(name_words(slot.name)) & _PEOPLE:
                order = f"{verb} {{{slot.name}}} the {noun}"
                yield from (order, *(f"{order} {{{other.name}}}" for other in others))
            for lead in _leads(slot):
                yield f"{begin} {lead} {{{slot.name}}}"
                yield from (
                    f"{begin} {lead} {{{slot.name}}} {after} {{{other.name}}}"
                    for other in others
                    for after in _leads(other)
                    if after
                )
    yield from _described(intent, noun, slots)


def _beginnings(verb: str, noun: str) -> Iterator[str]:
    verbs = sorted({other for group in _VERBS if verb == group[0] for other in group} | {verb} - {""})
    for other in verbs:
        yield f"{other} the {noun}"
    if verb in _VERBS[1] or not verb:
        yield from (f"{asked} {noun}" for asked in _ASKED)
    yield noun


def _leads(slot: Parameter) -> tuple[str, ...]:
    """What may lead to a slot, by what its name says it is."""
    name = set(name_words(slot.name))
    if name & _PEOPLE:
        return ("to", "for")
    if name & _PLACES:
        return ("in", "for", "to", "at", "from")
    if name & _WORDS or slot.kind is Kind.REFERENCE:
        return _LEADS
    return ("to", "") if slot.kind is Kind.NUMBER else _LEADS


def _described(intent: Intent, noun: str, slots: list[Parameter]) -> Iterator[str]:
    """The description as an order, its noun as a slot: "put {items} on the shopping list"."""
    sentence = _FIRST.match(intent.description.split(". ")[0])
    texts = [slot for slot in slots if slot.kind is Kind.TEXT]
    if sentence is None or len(texts) != 1:
        return
    verb, rest = sentence[1].lower(), sentence[2].lower()
    for said in (noun, f"a {noun}", f"an {noun}", f"the {noun}"):
        if not rest.startswith(f"{said} ") or not set(norms(rest.removeprefix(said))) - LIGHT:
            continue
        groups = [g for g in _VERBS if verb == g[0]] or [g for g in _VERBS if verb in g]
        for other in sorted({other for group in groups for other in group} | {verb}):
            order = f"{other} {{{texts[0].name}}}{rest.removeprefix(said)}"
            yield from (re.sub(r"\b(?:on|to|in)(?= the )", place, order) for place in ("on", "to", "in"))
