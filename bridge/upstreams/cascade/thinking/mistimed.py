"""Times that were misheard or misspelled: "at sicks pm", "in free months", "on fry day", "tomorow"."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from bridge.upstreams.cascade.thinking.sounds import sound_likeness, sounds
from bridge.upstreams.cascade.thinking.words import Words, likeness, stem, word_set, words

NAMES: Final = word_set(
    "today tomorrow yesterday tonight monday tuesday wednesday thursday friday saturday sunday "
    "january february august september october november december morning afternoon evening "
    "summer winter midnight"
)
"""Words that make a time alone."""
HOURS: Final = word_set("one two three four five six seven eight nine ten eleven twelve")
NUMBERS: Final = HOURS | word_set(
    "thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty"
)
HALVES: Final = frozenset(["am", "pm"])
COUNTED: Final = word_set("minutes hours days weeks months years")
UNITS: Final = COUNTED | word_set("minute hour day week month year")
OTHERS: Final = word_set("noon night lunch lunchtime half quarter past next last weekend spring march fall")
TIMED: Final = NAMES | NUMBERS | HALVES | UNITS | OTHERS
"""Words that are meant as they are."""
AFTER_HOUR: Final = HALVES | {"o'clock", "oclock", "thirty", "fifteen", "p"}
LEADS: Final = word_set("on by until for every next this last in before after and or to")
"""What comes before a day."""
BEFORE_HOUR: Final = word_set("at past to by around until")
BEFORE_COUNT: Final = word_set("in within every after by another next")

NAMED: Final = 0.8
"""How much words must sound like a day to be it."""
UNLED: Final = 0.92
"""The same where no preposition leads to it."""
SPELLED: Final = 88
"""How much a word must be spelled like one, 0–100."""
ENCLOSED: Final = 0.7
"""How much a word must sound like a number where only a number can stand."""
LAST: Final = 0.75
"""The same after "at", at the end or before a day."""


Heard = tuple[float, str]
"""How alike it sounds, 0–1, and the word."""


def heard_right(text: str) -> str:
    """A text with its days and numbers put right where they must be meant; other words stay as they are."""
    for part, right in reversed(list(_slips(words(text)))):
        text = text[: part[0].start] + right + text[part[-1].end :]
    return text


def _slips(said: Words) -> Iterator[tuple[Words, str]]:
    at = 0
    while at < len(said):
        found = [(slip[0], -size, slip[1]) for size in (1, 2, 3) if (slip := _slip(said, at, size))]
        _, size, right = max(found, default=(0.0, -1, ""))
        if right:
            yield said[at : at - size], right
        at -= size


def _slip(said: Words, at: int, size: int) -> Heard | None:
    part = said[at : at + size]
    if len(part) < size or part[0].norm in TIMED or _contracted(part):
        return None
    text = " ".join(word.norm for word in part)
    before = tuple(word.norm for word in said[max(at - 2, 0) : at])
    after = said[at + size].norm if at + size < len(said) else ""
    led = bool(before) and before[-1] in LEADS
    return _number(text, before, after) or _half(text, before, after) or _name(text, led=led)


def _contracted(part: Words) -> bool:
    """Some of the words share a place in the text."""
    return len({word.start for word in part}) < len(part)


def _number(text: str, before: tuple[str, ...], after: str) -> Heard | None:
    """A number where an hour or a count must stand: "at for pm", "in too weeks", "tomorrow at ate"."""
    if not before or text.count(" ") > 1 or text.split()[-1] in TIMED:
        return None
    last = before[-1]
    if (last in BEFORE_HOUR and after in AFTER_HOUR) or (last in BEFORE_COUNT and after in COUNTED):
        return _closest(text, NUMBERS, ENCLOSED)
    if last == "at" and (not after or after in NAMES):
        return _closest(text, HOURS, LAST) if " " not in text else None
    return None


def _half(text: str, before: tuple[str, ...], after: str) -> Heard | None:
    """ "At ten a man" is ten am."""
    if len(before) < 2 or before[-1] not in NUMBERS or before[-2] not in BEFORE_HOUR or " " not in text:
        return None
    return _closest(text, HALVES, 0.5) if not after or after in NAMES else None


@lru_cache(maxsize=8192)
def _name(text: str, *, led: bool) -> Heard | None:
    if " " in text:
        return _closest(text, NAMES, NAMED if led else UNLED) if len(text) > 5 else None
    if len(text) < 6 or stem(text) in TIMED:
        return None
    near = ((likeness(name, text), name) for name in sorted(NAMES) if name[0] == text[0])
    return next(((score / 100, name) for score, name in near if score >= SPELLED), None)


@lru_cache(maxsize=8192)
def _closest(text: str, known: frozenset[str], least: float) -> Heard | None:
    """The word that sounds most like it; of equals the one that begins the same way."""
    heard = sounds(text)
    near = [word for word in sorted(known) if abs(len(sounds(word)) - len(heard)) <= 3]
    ranked = ((sound_likeness(text, word), sounds(word)[:1] == heard[:1], word) for word in near)
    score, same_start, word = max(ranked, default=(0.0, False, ""))
    return (score, word) if score >= least and (same_start or len(text) < 6) else None
