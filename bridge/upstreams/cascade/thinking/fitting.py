"""How finished a half-heard sentence sounds, and how much sense one makes, as the dialogue stands."""

from typing import Final

from bridge.core.agent import Kind
from bridge.upstreams.cascade.parts import Fit
from bridge.upstreams.cascade.thinking.acts import Act, act_of
from bridge.upstreams.cascade.thinking.answering import answered
from bridge.upstreams.cascade.thinking.dialogue import Dialogue
from bridge.upstreams.cascade.thinking.matching import Book
from bridge.upstreams.cascade.thinking.slots import Scene, from_match
from bridge.upstreams.cascade.thinking.times import Said, read
from bridge.upstreams.cascade.thinking.wishes import Wish
from bridge.upstreams.cascade.thinking.words import DANGLING

NAMED: Final = 0.7
"""What an example whose words are all there is worth."""
FOUND: Final = 0.3
"""What it is worth that every thing that is named is there."""
ANSWERS: Final = 0.6
"""What an answer to the open question is worth."""


def fit(partial: str, dialogue: Dialogue, book: Book, scene: Scene) -> Fit:
    """COMPLETE when it fills an intent or answers the question; UNFINISHED when words are looked for."""
    said = read(partial, scene.clock)
    if not said.words:
        return Fit.OPEN
    act = act_of(said.norms)
    if act is not None:
        return Fit.UNFINISHED if act is Act.PAUSE else Fit.COMPLETE
    if said.words[-1].norm in DANGLING or said.norms[-2:] == ("i", "am"):
        return Fit.UNFINISHED
    if (wish := _filled(said, dialogue, book, scene)) is None:
        return Fit.OPEN
    return Fit.COMPLETE if _is_full(wish, said, scene) else Fit.OPEN


def sense(text: str, dialogue: Dialogue, book: Book, scene: Scene) -> float:
    """How much sense a sentence makes here, 0–1: to choose among what it may have been."""
    said = read(text, scene.clock)
    if act_of(said.norms) is not None:
        return 1.0
    match = book.match(said, scene.clock, scene.refers, mending=False)
    if match is None:
        wish, asked = dialogue.at_hand, dialogue.asking
        return ANSWERS if wish and asked and answered(wish, asked, said, book, scene) else 0.0
    wish = from_match(match, said, scene)
    lost = [name for name, things in wish.unclear.items() if not things]
    whole = min(match.score / match.template.full, 1.0) if match.template.full else 1.0
    return NAMED * max(whole, 0.0) + (0.0 if lost else FOUND)


def _filled(said: Said, dialogue: Dialogue, book: Book, scene: Scene) -> Wish | None:
    if match := book.match(said, scene.clock, scene.refers, mending=False):
        if len(match.slots) < len(match.template.slots):
            return None
        return from_match(match, said, scene)
    wish, asked = dialogue.at_hand, dialogue.asking
    if wish and asked and asked.kind is not Kind.TEXT:
        return answered(wish, asked, said, book, scene)
    return None


def _is_full(wish: Wish, said: Said, scene: Scene) -> bool:
    """Nothing is missing, and no time is likely to follow: not even a time of day after a day."""
    missing = wish.missing()
    unseen = missing and missing.name in wish.unclear and not scene.things.get(missing.refers_to)
    if missing and not unseen:
        return False
    timed = [p for p in wish.intent.parameters if p.kind is Kind.TIME]
    if not timed:
        return True
    timing = said.timing or wish.timing()
    if timing is None:
        return not wish.open(Kind.TIME) or any(p.required_when for p in timed)
    return timing.names_clock or not any(p.required or p.required_when for p in timed)
