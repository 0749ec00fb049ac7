"""What the mind of rules says: warm, one or two short sentences, varied in turn and never by chance."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

from bridge.core.agent import Agent, Effect, Intent, Kind, Parameter
from bridge.core.model import Thing
from bridge.upstreams.cascade.thinking.matching import Book, label_of
from bridge.upstreams.cascade.thinking.naming import invented, order_of
from bridge.upstreams.cascade.thinking.times import Clock
from bridge.upstreams.cascade.thinking.words import content, norms

_BANK: Final[Mapping[str, tuple[str, ...]]] = {
    "hello": ("Hi! What can I do for you?", "Hello! How can I help?", "Hi there! What would you like to do?"),
    "thanks": (
        "You're welcome! Anything else?",
        "My pleasure. Is there anything else?",
        "Happy to help! What else?",
    ),
    "bye": ("All right. Have a good day!", "Bye for now, take care!", "Okay, talk to you soon!"),
    "go on": ("Sure, go ahead.", "Of course. What is it?", "Okay, I'm listening."),
    "pause": ("Take your time.", "No hurry.", "I'm here."),
    "cancelled": (
        "No problem, I'll leave it. Anything else?",
        "Okay, forgotten. What else can I do?",
        "All right, I won't do that. Anything else?",
    ),
    "nothing to cancel": (
        "Okay. Tell me whenever there is something I can do.",
        "Sure. I'm here if you need me.",
    ),
    "done already": (
        "That one is done already, and I can't take it back from here.",
        "I've already done that one; I can't undo it by voice.",
    ),
    "unclear": (
        "Sorry, I didn't catch that. Could you say it again?",
        "I didn't get that, sorry. Once more, please?",
    ),
    "type": (
        "I'm still not getting it. You can also type it.",
        "I keep missing that. Typing it works too.",
    ),
    "sorry": ("Sorry, I didn't get that.", "I'm not sure I understood.", "Hmm, I missed that."),
    "needed": ("I do need that one.", "I can't do it without that, sorry.", "That one I have to know."),
    "stay": (
        "That's a bit outside of what I do.",
        "I can't help with that one.",
        "That is not something I know.",
    ),
    "got it": ("Sure.", "Okay.", "Got it.", "All right."),
    "more": ("", "Anything else?", "", "What else can I do for you?"),
    "done": ("Done.", "All set.", "That's done."),
    "which": ("Which one do you mean:", "Which one:", "Do you mean"),
}


_QUOTED: Final = re.compile('["“]([^"“”]{1,40})["”]')


class Phrases:
    """The next variant of each phrase. One per dialogue."""

    def __init__(self) -> None:
        self._turn: dict[str, int] = {}

    def say(self, name: str) -> str:
        """The next variant; each comes round before one comes again."""
        turn = self._turn.get(name, 0)
        self._turn[name] = turn + 1
        return _BANK[name][turn % len(_BANK[name])]


def question(parameter: Parameter) -> str:
    """What to ask for a parameter."""
    if parameter.kind is Kind.CHOICE and parameter.choices:
        asked = parameter.question or f"Which {human(parameter.name)} would you like?"
        known = set(norms(asked))
        if not any(set(norms(choice.replace("_", " "))) & known for choice in parameter.choices):
            choices = enumerated([choice.replace("_", " ") for choice in parameter.choices], "or")
            asked += f" {choices.capitalize()}?"
        return asked
    if parameter.question:
        return parameter.question
    match parameter.kind:
        case Kind.TIME:
            return "When should that be?"
        case Kind.RECURRENCE:
            return "How often should that be?"
        case Kind.NUMBER:
            return f"What number should the {human(parameter.name)} be?"
        case Kind.REFERENCE:
            return f"Which {parameter.refers_to} do you mean?"
        case Kind.BOOLEAN:
            return f"{human(parameter.name).capitalize()}: yes or no?"
        case _:
            return f"What should the {human(parameter.name)} be?"


def human(name: str) -> str:
    """A parameter's name as words."""
    return name.replace("_", " ").replace("-", " ").removesuffix(" id")


def which(lead: str, things: Sequence[Thing], clock: Clock) -> str:
    """A question between things: by title, and by time where titles are the same."""
    some = list(things[:4])
    titles = [thing.title for thing in some]
    names = [t.title if titles.count(t.title) == 1 else f"{t.title}{when(t.at, clock)}" for t in some]
    return f"{lead} {enumerated(names, 'or')}?"


def when(at: datetime | None, clock: Clock) -> str:
    """ " tomorrow at 9 AM", " on Friday at noon", " on March 3 at 2:30 PM"; empty without a time."""
    if at is None:
        return ""
    local = clock.local(at)
    days = (local.date() - clock.local(clock.now).date()).days
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(days)
    day = near or (f"on {local:%A}" if 1 < days < 7 else f"on {local:%B} {local.day}")
    minute = f":{local.minute:02}" if local.minute else ""
    hour = f"{local.hour % 12 or 12}{minute} {'AM' if local.hour < 12 else 'PM'}"
    return f" {day} at {'noon' if hour == '12 PM' else hour}"


def enumerated(names: Sequence[str], last: Literal["and", "or"]) -> str:
    """a, b or c; empty without names."""
    return f" {last} ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def abilities(agent: Agent, book: Book) -> str:
    """What this agent can do, as one or two examples of what to say."""
    samples = [f"“{text}”" for intent in book.intents if (text := sample(intent))][:3]
    return f"You could say: {enumerated(samples, 'or')}." if samples else f"I'm {agent.title}."


def sample(intent: Intent) -> str:
    """One of an intent's examples with plain words in its slots; preferably one with a time."""
    made = "" if intent.examples else invented(intent)[0]
    if intent.effect is not Effect.READ and not made.endswith("s"):
        made = made.replace(" the ", " a ")
    plain = sorted(intent.examples or [made], key=lambda example: -len(content(example)))
    usable = [example for example in intent.examples if "{" in example] or plain
    text = next((e for e in usable if Kind.TIME in _kinds(intent, e)), usable[0])
    for parameter in intent.parameters:
        text = text.replace(f"{{{parameter.name}}}", _filler(parameter, text))
    return text


def _kinds(intent: Intent, example: str) -> set[Kind]:
    return {p.kind for p in intent.parameters if f"{{{p.name}}}" in example}


def _filler(parameter: Parameter, text: str) -> str:
    """Words for a slot: those its description quotes, else some of its kind."""
    if quoted := _QUOTED.search(parameter.description):
        return quoted[1]
    match parameter.kind:
        case Kind.TIME:
            return "tomorrow at nine"
        case Kind.RECURRENCE:
            return "every Monday"
        case Kind.CHOICE:
            return parameter.choices[0].replace("_", " ") if parameter.choices else "one"
        case Kind.NUMBER:
            return "ten"
        case Kind.REFERENCE:
            return f"my {parameter.refers_to}"
        case _:
            return "do something" if f"to {{{parameter.name}}}" in text else "something"


def confirmation(intent: Intent, names: Sequence[str]) -> str:
    """Asked before something that cannot be undone; `names`: what it is done to."""
    what = f": {enumerated(names, 'or')}" if names else ""
    return f"Shall I really {order_of(intent) or label_of(intent)}{what}?"
