"""What one phrase of a time means, and how the patterns of phrases are written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from intents.recurrence import Rule


class Impossible(ValueError):
    """It was said as a time, but there is no such day or hour: 30 February."""


Part = Literal["", "morning", "afternoon", "evening", "night"]


@dataclass(frozen=True, slots=True)
class Day:
    """A day that was said, in the user's zone."""

    date: date
    kind: Literal["date", "weekday", "monthday", "week", "month", "year"] = "date"
    """How it was said: a week or month can be narrowed by a weekday or a day of the month said elsewhere."""
    roll: int = 0
    """Days to add when the time has passed by then: 7 for "friday", 0 for a day that was named."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day as it was said."""

    hour: int
    """0 to 23, or 24 for the midnight a day ends with."""
    minute: int = 0
    sure: bool = False
    """No half of the day is open: am, pm, noon, or a 24-hour time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What one phrase says; phrases with different fields join into one time."""

    day: Day | None = None
    clock: Clock | None = None
    part: Part = ""
    """A part of the day; it also decides the half of the day of a clock."""
    exact: datetime | None = None
    """An instant, UTC: "in twenty minutes"."""
    rule: Rule | None = None
    ending: date | None = None
    """The last day of a repetition: "until friday"."""
    lasting: int | None = None
    """How many days a repetition goes on: "for two weeks"."""

    def __bool__(self) -> bool:
        """Does it say when? An end alone does not."""
        return bool(self.day or self.clock or self.part or self.exact or self.rule)


Said = dict[str, str | None]
"""The named groups of a phrase's pattern."""
Reading = Callable[[Said, datetime], Meaning | None]
"""Groups and the user's wall-clock now → what is meant; None when it is no time after all."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A way to say a time."""

    pattern: re.Pattern[str]
    read: Reading


_VOCABULARY = {
    "WD": "(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)",
    "WA": "(?:mon|tues?|wed|thu|thurs?|fri|sat|sun)",
    "MON": "(?:january|february|march|april|may|june|july|august|september|october|november|december"
    "|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)",
    "ORD": r"\d{1,2}(?:st|nd|rd|th)",
    "YEAR": r"(?:(?: ,)?(?: of| in)? (?P<year>20\d\d|20 [2-9]\d))?",
    "PARTS": "(?P<part>morning|afternoon|evening|night)",
    "PART": "(?: (?:early |late )?(?P<part>morning|afternoon|evening|night))?",
    "N": r"(?:\d{1,4}|an?|(?:a )?couple(?: of)?|(?:a )?few|several|half an?|half)",
    "UNIT": "(?:seconds|minutes?|mins?|hours?|hrs?|days?|weeks?|fortnights?|months?|quarters?|years?)",
    "H": r"(?P<h>\d{1,2})",
    "M": r"(?P<m>[0-5]\d|oh \d|o \d)",
    "AP": "(?P<ap>am|pm)",
    "SAFE": r"(?=$| (?:[^\w\s]|at|on|in|by|for|to|and|or|from|every|each|until|till|before|after|around|about"
    r"|with|tomorrow|today|tonight|this|next|morning|afternoon|evening|night|noon|midnight|please|but|then"
    r"|that|because|so|when|if|i|we|my|not|no|actually|instead|also|too|again|daily|weekly|monthly|ish|sharp|latest"
    r"|exactly|is|as|like|maybe|{WD}|{MON}|\d{1,2} (?:am|pm|oclock)|\d{1,2}:\d\d)(?: |$))",
}
_VOCABULARY["NO_NOUN"] = (
    r"(?! (?:[a-z]*[^\W\daisuy]s|percent|degrees|people|main|street|avenue|different|other|more|of)(?: |$))"
)
"""After a bare hour: "at five houses", "at five percent" are no times."""

_FIX = "no|wait|actually|sorry|rather|or rather|i mean|make that|make it|scratch that"
_SOFT = (
    r"sometime|some time|from now on|maybe|perhaps|probably|around|about|approximately|roughly|exactly"
    r"|starting|beginning|let's say|lets say|due"
    r"|like(?= (?:at|on|in|by|every|next|this|around|about|tomorrow|the {ORD}|{WD}))"
)
_LEAD = "at|@|on|by|no later than|for|from|to|until|till|through|before|after|as of"
_HEAD = (
    rf"(?P<fix>(?:(?:{_FIX})(?: ,)? ){{1,3}})?(?P<soft>(?:(?:{_SOFT}) ){{0,2}})"
    rf"(?:(?P<lead>{_LEAD}) (?:(?:{_SOFT}|like|say) ){{0,2}})?"
)
_TAIL = r"(?: (?:sharp|exactly|ish|or so|on the dot|on the hour|at the latest|latest))?(?!\S)"


def phrase(pattern: str, read: Reading) -> Phrase:
    """A phrase from its pattern, over words joined by single spaces, and its reading.

    `{NAME}` stands for an entry of the vocabulary. What leads to a time ("no, actually", "around",
    "by", "until about") may stand before every phrase and is in the groups fix, soft and lead.
    """
    return Phrase(re.compile(_filled(_HEAD) + _filled(pattern) + _TAIL), read)


def _filled(pattern: str) -> str:
    for _ in range(2):
        for name, words in _VOCABULARY.items():
            pattern = pattern.replace("{" + name + "}", words)
    return pattern


SAFE = re.compile(_filled("{SAFE}"))
"""After a word that a time may end with: the sentence ends, or goes on with something that is no noun."""


def part_of(said: Said) -> Part:
    """The part of the day that was said with it."""
    match said.get("part"):
        case "morning" | "afternoon" | "evening" | "night" as part:
            return part
        case _:
            return ""
