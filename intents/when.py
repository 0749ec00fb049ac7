"""A time or repetition as an argument: what its words mean alone, together, or beside an older time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from intents import times

FARTHEST = timedelta(days=100 * 366)
BESIDE = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*")
"""What a model adds in brackets: "tomorrow at 5pm (Tuesday)"."""
SHIFT = re.compile(
    r"(?:(?P<by>by|for|back|another)\s+)*(?P<span>.+?)(?:\s+(?P<way>later|after|earlier|sooner|before|forward))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class When:
    """A time or a repetition: as it was said, and what it means."""

    words: str
    at: datetime | None = None
    """UTC; of a repetition the first occurrence. None = not understood."""
    rule: str | None = None
    """RFC 5545 RRULE without its prefix."""
    has_time: bool = False
    """A time of day was said; otherwise `at` has a customary one."""
    has_day: bool = False
    """A day was said; otherwise `at` is the next such time of day."""


def read(words: str, now: datetime, zone: ZoneInfo) -> When:
    """What the words mean, if anything."""
    spoken = times.parse(BESIDE.sub(" ", words), now, zone)
    if spoken is None or spoken.at > now + FARTHEST:
        return When(words)
    return When(words, spoken.at, spoken.recurrence, spoken.has_time, spoken.has_day)


def join(time: When | None, repetition: When | None, now: datetime, zone: ZoneInfo) -> When | None:
    """A time ("at seven") and a repetition ("every monday") that belong together: the first occurrence.

    The day and the time of day come from whichever of the two said one.
    """
    if repetition is None or repetition.at is None or repetition.rule is None:
        return time
    if time is None:
        return repetition if repetition.has_time else None
    if time.at is None:
        return time
    start = time.at
    if repetition.has_time and not time.has_time:
        start = at_time_of(start, repetition.at, zone)
    earliest = max(start - timedelta(seconds=1), now)
    first = times.next_occurrence(repetition.rule, earliest, start, zone)
    return When(time.words, first or start, repetition.rule, has_time=time.has_time or repetition.has_time)


def move(old: datetime | None, new: When, now: datetime, zone: ZoneInfo) -> datetime | None:
    """Where a thing moves to from `old`: "tomorrow" keeps its time of day, "at six" its day.

    None when the words mean none of these.
    """
    if old is None:
        return new.at
    if new.at is None:
        return _shift(old, new.words, zone)
    if not new.has_time:
        return at_time_of(new.at, old, zone)
    if old > now and not new.has_day:
        midnight = old.astimezone(zone).replace(hour=0, minute=1)
        there = times.parse(new.words, midnight, zone)
        return there.at if there and there.at > now else new.at
    return new.at


def at_time_of(day: datetime, clock: datetime, zone: ZoneInfo) -> datetime:
    """The local day of one instant at the local time of day of another, UTC."""
    there = clock.astimezone(zone)
    wall = datetime.combine(day.astimezone(zone).date(), there.time(), zone)
    return wall.astimezone(clock.tzinfo)


def _shift(old: datetime, words: str, zone: ZoneInfo) -> datetime | None:
    """ "by two hours", "an hour later", "one day earlier": counted from the old time."""
    said = SHIFT.fullmatch(words.strip())
    if said is None or not (said["by"] or said["way"]):
        return None
    span = times.parse(f"in {said['span']}", old, zone)
    if span is None or span.recurrence:
        return None
    later = span.at if span.has_time else at_time_of(span.at, old, zone)
    if (said["way"] or "").casefold() in {"earlier", "sooner", "before", "forward"}:
        back = later.astimezone(zone).replace(tzinfo=None) - old.astimezone(zone).replace(tzinfo=None)
        return (old.astimezone(zone) - back).astimezone(old.tzinfo)
    return later
