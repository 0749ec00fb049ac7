"""What is asked for an argument, and whether a sentence is rather its answer than a new wish."""

from collections.abc import Sequence
from typing import Final

from bridge.core.agent import Kind, Parameter
from bridge.core.model import Thing
from bridge.upstreams.cascade.thinking import phrases
from bridge.upstreams.cascade.thinking.laying import Match
from bridge.upstreams.cascade.thinking.slots import Scene
from bridge.upstreams.cascade.thinking.templates import Slot
from bridge.upstreams.cascade.thinking.wishes import Wish

MOST: Final = 4
"""How many things are named in a question."""


def ask(wish: Wish, parameter: Parameter | None, scene: Scene, say: phrases.Phrases) -> str:
    """The question for an argument of a wish; without one, whether it shall really be done."""
    if parameter is None:
        texts = (v.thing.title if v.thing else v.argument for v in wish.values.values())
        return phrases.confirmation(wish.intent, [text for text in texts if isinstance(text, str)])
    if parameter.kind is Kind.REFERENCE:
        return _which(wish, parameter, scene, say)
    if parameter.kind is Kind.TIME and wish.repeats():
        return "At what time?"
    return phrases.question(parameter)


def _which(wish: Wish, parameter: Parameter, scene: Scene, say: phrases.Phrases) -> str:
    candidates = wish.unclear.get(parameter.name, ())
    if 0 < len(candidates) <= MOST:
        return phrases.which(say.say("which"), candidates, scene.clock)
    there: Sequence[Thing] = scene.things.get(parameter.refers_to, ())
    question = phrases.question(parameter)
    if parameter.name in wish.unclear and not candidates:
        question = f"I can't find that {parameter.refers_to}. {question}"
    if 1 <= len(there) <= MOST:
        return phrases.which(f"{question} There is", there, scene.clock).rstrip("?") + "."
    return question


def answers(match: Match, wish: Wish | None, asked: Parameter | None) -> bool:
    """An example that fits what was said to a question: is that rather the answer?

    Asked what to do, "book a flight" is, though there is an example "book {title}".
    """
    if not match.template.elements:
        return False
    same = wish is not None and match.template.intent is wish.intent
    if not match.slots:
        other = match.template.strong and match.share >= 0.9 and not same
        return not other or asked is None or asked.kind is Kind.TEXT
    if not match.template.strong:
        return same or asked is None or asked.kind is Kind.TEXT or match.share <= 0.99
    if asked is None or asked.kind is not Kind.TEXT:
        return False
    lone = len(match.template.elements) > 1 and isinstance(match.template.elements[1], Slot)
    return lone and (same or match.template.slots[0].parameter.refers_to != "")
