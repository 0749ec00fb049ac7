"""Times in what was said: which words they are, what they mean, and what a correction changes about them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bridge.ports import SpokenTime, TimeGrammar
from bridge.upstreams.cascade.thinking.mistimed import heard_right
from bridge.upstreams.cascade.thinking.shifts import find_shift
from bridge.upstreams.cascade.thinking.words import (
    PREPOSITIONS,
    Words,
    norms,
    word_set,
    words,
)

HALVES: Final = word_set("am pm m morning afternoon evening night tonight noon")
DAYS: Final = word_set(
    "today tonight tomorrow yesterday day days week weeks weekend month months year years next "
    "this in monday tuesday wednesday thursday friday saturday sunday january february march "
    "april may june july august september october november december minutes minute hours hour "
    "after"
)
"""Words that say which day; a time without one is a time of day alone."""
ORDINAL_ENDINGS: Final = ("st", "nd", "rd", "th", "first", "second", "third")
PREFACES: Final = (
    *("i was wondering if you could", "i was wondering whether you could", "i wonder if you could"),
    *("do you think you could", "would you be so kind to", "would you be able to", "is it possible to"),
    *("would it be possible to", "would you mind", "would you please", "i would like you to"),
    *("i want you to", "i need you to", "i think", "could you possibly", "if you could"),
)
"""Polite beginnings that say nothing."""
CLOCKS: Final = word_set(
    "at o'clock clock oclock noon midnight half quarter past am pm m morning afternoon evening "
    "night tonight lunchtime lunch hour hours minutes"
)
"""Words that say a time of day."""


@dataclass(frozen=True, slots=True)
class Timing:
    """A time as it was said."""

    phrase: str
    """The words, without the preposition before them."""
    at: datetime | None
    """UTC; of a recurrence, the first; None when it is counted from another time: "an hour later"."""
    recurrence: str | None
    """RFC 5545 RRULE without its prefix."""
    exact: bool = False
    """The words alone no longer say it (a corrected time): `at` does."""

    @property
    def names_day(self) -> bool:
        """It says which day, and not the time of day alone."""
        said = norms(self.phrase)
        return any(word in DAYS or word.endswith(ORDINAL_ENDINGS) or "-" in word for word in said)

    @property
    def names_clock(self) -> bool:
        """It says a time of day."""
        said = norms(self.phrase)
        return any(word in CLOCKS or ":" in word or word.endswith(("am", "pm")) for word in said)


@dataclass(frozen=True, slots=True)
class Clock:
    """What a time needs to mean something."""

    now: datetime
    """With a zone."""
    zone: ZoneInfo
    """The user's."""
    grammar: TimeGrammar
    _found: dict[str, SpokenTime | None] = field(default_factory=dict, compare=False, repr=False)

    def find(self, text: str) -> SpokenTime | None:
        """The time in a text."""
        if text not in self._found:
            self._found[text] = self.grammar(text, self.now, self.zone) if text.strip() else None
        return self._found[text]

    def local(self, at: datetime) -> datetime:
        """An instant on the user's clock."""
        return at.astimezone(self.zone)


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence with its time taken out."""

    text: str
    words: Words
    rest: Words
    """The words that are not the time, without a preposition left hanging."""
    timing: Timing | None

    @property
    def norms(self) -> tuple[str, ...]:
        return tuple(word.norm for word in self.words)


def read(text: str, clock: Clock) -> Said:
    """Find the time in a sentence and take it out."""
    text = heard_right(text)
    all_words = words(text)
    if shift := find_shift(text):
        phrase, start, end = shift
        kept = tuple(word for word in all_words if word.end <= start or word.start >= end)
        return Said(text, all_words, kept, Timing(phrase, None, None))
    found = clock.find(text)
    if found is None:
        return Said(text, all_words, all_words, None)
    rest = _without(all_words, norms(found.rest))
    return Said(text, all_words, rest, Timing(found.phrase.strip(" ,."), found.at, found.recurrence))


def unprefaced(said: Said) -> Said:
    """A sentence without the polite words it begins with: "I was wondering if you could …"."""
    heard = " ".join(said.norms)
    polite = next((preface for preface in PREFACES if heard.startswith(f"{preface} ")), None)
    if polite is None:
        return said
    drop = said.words[: len(polite.split())]
    rest = tuple(word for word in said.rest if word not in drop)
    return Said(said.text, said.words[len(drop) :], rest, said.timing)


def whole(text: str, clock: Clock) -> Timing | None:
    """The time a text is, when it is nothing else: "six", "to friday at three"."""
    for attempt in (text, f"at {text}"):
        found = clock.find(attempt)
        if found and not [word for word in norms(found.rest) if word not in PREPOSITIONS]:
            return Timing(found.phrase.strip(" ,."), found.at, found.recurrence)
    return None


def _without(all_words: Words, rest: Sequence[str]) -> Words:
    """The words of `rest` where they stand among all; prepositions before a gap are left out."""
    kept: list[int] = []
    at = len(all_words) - 1
    for norm in reversed(rest):
        while at >= 0 and all_words[at].norm != norm:
            at -= 1
        if at < 0:
            break
        kept.append(at)
        at -= 1
    kept.reverse()
    gaps = {index for index in range(len(all_words)) if index not in set(kept)}
    while hanging := [i for i in kept if i + 1 in gaps and all_words[i].norm in PREPOSITIONS]:
        gaps.update(hanging)
        kept = [index for index in kept if index not in hanging]
    return tuple(all_words[index] for index in kept)


def corrected(old: Timing | None, new: Timing, clock: Clock) -> Timing:
    """What is meant by a new time where there was an old one: "at six" keeps the day, "tuesday" the hour."""
    if old is None or old.at is None or new.at is None or new.recurrence or old.at < clock.now:
        return new
    before, after = clock.local(old.at), clock.local(new.at)
    if not new.names_day:
        hour = after.hour
        if not set(norms(new.phrase)) & HALVES and _half_open(new.phrase):
            hour = _nearest(before, hour % 12, after.minute)
        moved = before.replace(hour=hour, minute=after.minute, second=0, microsecond=0)
    elif not new.names_clock and old.names_clock:
        moved = after.replace(hour=before.hour, minute=before.minute, second=0, microsecond=0)
    else:
        return new
    if moved <= clock.now:
        moved += timedelta(days=1)
    return Timing(new.phrase, moved.astimezone(UTC), old.recurrence, exact=True)


def _nearest(before: datetime, hour: int, minute: int) -> int:
    """The half of the day an open hour is meant in: nearer to what it was; at night only if much nearer."""
    was = before.hour * 60 + before.minute
    ways = [(abs(h * 60 + minute - was) + (0 if 7 <= h < 22 else 180), h) for h in (hour, hour + 12)]
    return min(ways)[1]


def _half_open(phrase: str) -> bool:
    """Neither am nor pm is glued to the hour."""
    return not any(word.endswith(("am", "pm")) for word in norms(phrase))


def as_argument(timing: Timing, clock: Clock) -> str:
    """A time as an argument: the words that were said when they say it alone, else local ISO 8601."""
    if timing.at is None:
        return timing.phrase
    if not timing.exact and not timing.recurrence:
        again = clock.find(timing.phrase)
        if again and again.at == timing.at:
            return timing.phrase
    return clock.local(timing.at).isoformat(timespec="seconds")
