"""Times as people say them, in English: "every monday at half past five" → an instant and a recurrence rule.

`find` looks for a time in a sentence and gives back what is left; `parse` reads words that are nothing but a
time, ISO 8601 and RRULEs; `say` speaks an instant. Wall times are the user's; `now` and `zone` are arguments.

What speech leaves open is decided so:

- A bare hour is the next one within waking hours, 07:00 to 21:59: "at five" is 17:00, "at seven" 07:00 or
  19:00, whichever comes first; on another day and in a repetition the earlier. "In the morning", "tonight",
  "every evening" decide it, and so do am, pm, 17:00 and 07:30.
- Without a time of day it is 09:00; morning 09:00, afternoon 15:00, evening 19:00, tonight and night 20:00.
  When that has passed and the day was named ("today", "tonight"), it is the next full hour.
- A time that has passed today is tomorrow's, unless the day was named ("today at two" stays in the past).
- "friday" and "this friday" are the next one, today included while the time is still to come. "next friday"
  is the one of the next calendar week; weeks start on Monday.
- "next week" is its Monday, "next month" and "in june" the first, "this week" Friday, "this month" its last
  day; a weekday or a day of the month beside them narrows them. A weekend is its Saturday.
- Midnight is the one to come; with a day, the one that day begins with; with today or tonight, its end.
- A time the clocks skip moves forward; of a time they show twice the first is meant.
- A repetition of which no day was named counts from today; its first occurrence is the first still to come.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from intents.grammar.almanac import dated
from intents.grammar.clocks import CLOCKS
from intents.grammar.dates import DATES
from intents.grammar.days import DAYS
from intents.grammar.joining import Piece, join
from intents.grammar.pieces import SAFE, Clock, Day, Meaning, Part
from intents.grammar.repeats import REPEATS
from intents.grammar.words import Words
from intents.recurrence import MONTHS, WEEKDAYS, Rule, following, local, next_occurrence, say_recurrence

__all__ = ["Spoken", "find", "next_occurrence", "parse", "say", "say_recurrence"]

PHRASES = (*DAYS, *DATES, *REPEATS, *CLOCKS)
PART_HOURS = {"": 9, "morning": 9, "afternoon": 15, "evening": 19, "night": 20}
WAKING = range(7, 22)
MAX_TEXT = 4000
"""Characters that `find` looks at: five minutes of speech. What is beyond is kept in `rest`."""
MAX_PHRASE = 200
"""Characters of a text that may be nothing but a time."""
MAX_PIECES = 20
"""Phrases that are looked at in one sentence."""
LEADS_TO_PARSE = ("", "at", "on", "in", "on the", "~")
"""What an argument may leave unsaid: "five" (at), "fifteenth" (on the); ~ is for "now" and "yesterday"."""
NOT_OURS = {"the", "my", "our", "your", "his", "her", "their", "its", "that"}
"""A time between one of these and a noun describes the noun: "the monday report"."""
GONE = {"last", "past", "previous"}
NUMBERED = {
    *("room", "number", "flight", "route", "gate", "line", "bus", "channel", "level", "chapter", "page"),
    *("version", "unit", "apartment", "extension", "platform", "track", "episode", "step"),
}
"""What a number after it belongs to."""
MOVING = re.compile(
    r"\b(?:mov|chang|reschedul|push|shift|switch|postpon|delay|bring|bump|swap)\w*|\bput\w* (?:off|back)"
)
"""Words of a sentence that gives something another time."""
TO_HOUR = re.compile(MOVING.pattern + r"|\b(?:set|make|update|from)\b")
"""Without one of these "to ten" is no time: "count to ten"."""
FILLER = r"(?:\b(?:um+|uh+m?|er|erm|hm+|mm+|ah|eh)\b[\s,.]*)"
BEFORE = re.compile(FILLER + r"+\Z", re.IGNORECASE)
AFTER = re.compile(r"[\s,.]*" + FILLER + "+", re.IGNORECASE)
BETWEEN = re.compile(rf"[\s,]*(?:(?:and\b[\s,]*|{FILLER}))*", re.IGNORECASE)
IGNORED = {",", ".", "!", "?", "please", "and", "the"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A time that was said."""

    at: datetime
    """The instant, UTC; of a recurrence the first occurrence."""
    recurrence: str | None
    """An RRULE (RFC 5545) without `RRULE:`, as `FREQ=WEEKLY;BYDAY=MO,WE`; days are the user's."""
    has_time: bool
    """A time of day was said, or a part of one; else `at` is at 09:00 local, today at the next full hour."""
    spans: tuple[tuple[int, int], ...]
    """Which characters of the text said it: start and end, from 0, in order, apart from each other."""
    phrase: str
    """Those characters, joined by spaces."""
    rest: str
    """The text without them: "every monday go running at six" leaves "go running"."""


def find(text: str, now: datetime, zone: ZoneInfo) -> Spoken | None:
    """The time said anywhere in a sentence; None when there is none, or no such time ("february 30").

    Pieces that stand apart are joined: "every monday go running at six". `now` is aware (a naive one is UTC).
    Never raises.
    """
    try:
        words = Words(text[:MAX_TEXT])
        moving = bool(MOVING.search(words.norm))
        pieces, meaning = join(_scan(words, _local(now, zone), moving), moving=moving)
        return _spoken(text, _spans(text, words, pieces), meaning, _local(now, zone)) if meaning else None
    except (ValueError, OverflowError):
        return None


def parse(text: str, now: datetime, zone: ZoneInfo) -> Spoken | None:
    """Text that is a time and nothing else: spoken words, ISO 8601, an RRULE; None when it is anything else.

    Words may leave out what a question has said: "five", "friday", "three months". An ISO time without an
    offset is the user's. Never raises.
    """
    try:
        meaning = _rrule(text) or _whole(text, _local(now, zone)) if len(text) <= MAX_PHRASE else None
        if not meaning:
            return None
        start = len(text) - len(text.lstrip())
        return _spoken(text, [(start, len(text.rstrip()))], meaning, _local(now, zone))
    except (ValueError, OverflowError):
        return None


def say(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """An instant as one says it, in the user's zone, to the minute: "tomorrow at 7 AM", "March 3 at noon"."""
    there, today = at.astimezone(zone), _local(now, zone).date()
    day = {0: "today", 1: "tomorrow", -1: "yesterday"}.get((there.date() - today).days, "")
    if not day and 1 < (there.date() - today).days < 7:
        day = WEEKDAYS[there.weekday()]
    if not day:
        coming = dated(there.month, there.day, None, today) == there.date()
        day = f"{MONTHS[there.month - 1]} {there.day}" + ("" if coming else f", {there.year}")
    return f"{day} at {_say_clock(there, midnight=day != 'today')}"


def _say_clock(there: datetime, *, midnight: bool) -> str:
    if there.minute == 0 and (there.hour == 12 or (there.hour == 0 and midnight)):
        return "noon" if there.hour else "midnight"
    minutes = f":{there.minute:02}" if there.minute else ""
    return f"{(there.hour - 1) % 12 + 1}{minutes} {'PM' if there.hour >= 12 else 'AM'}"


def _local(now: datetime, zone: ZoneInfo) -> datetime:
    return (now if now.tzinfo else now.replace(tzinfo=UTC)).astimezone(zone)


def _scan(words: Words, now: datetime, moving: bool) -> list[Piece]:
    """Every phrase of a time in the words, from the left, the longest at each place."""
    pieces: list[Piece] = []
    index = 0
    while index < len(words.words) and len(pieces) < MAX_PIECES:
        piece = _longest(words, index, now, moving)
        index = words.index(piece.end + 1) if piece else index + 1
        pieces += [piece] if piece else []
    return pieces


def _longest(words: Words, index: int, now: datetime, moving: bool) -> Piece | None:
    start = words.starts[index]
    before = words.words[index - 1].norm if index else ""
    found = [(match, way) for way in PHRASES if (match := way.pattern.match(words.norm, start))]
    for match, way in sorted(found, key=lambda pair: -pair[0].end()):
        safe = SAFE.match(words.norm, match.end()) is not None
        if not _stands(match, before, safe, moving):
            continue
        if (meaning := way.read(match.groupdict(), now)) is not None:
            lead = match["lead"]
            noun = index > 0 and not lead and not safe and meaning.day and meaning.day.kind == "weekday"
            weak = bool(noun or (lead == "for" and meaning.clock))
            return Piece(
                meaning=meaning, start=start, end=match.end(), lead=lead, fix=bool(match["fix"]), weak=weak
            )
    return None


def _stands(match: re.Match[str], before: str, safe: bool, moving: bool) -> bool:
    """Is it a time by what stands around it?"""
    said = match.groupdict()
    if before in GONE or (moving and said.get("range")):
        return False
    if said.get("h") and (
        (before in NUMBERED and not said["lead"])
        or (said["lead"] == "to" and not TO_HOUR.search(match.string))
    ):
        return False
    return safe or not (said["lead"] == "to" or (before in NOT_OURS and not said["lead"]))


def _whole(text: str, now: datetime) -> Meaning | None:
    """What the text means when all of it is a time."""
    for lead in LEADS_TO_PARSE:
        words = Words(text, lead)
        pieces, meaning = join(_scan(words, now, moving=False), moving=False)
        said = {
            index for piece in pieces for index in range(words.index(piece.start), words.index(piece.end))
        }
        if meaning and all(
            word.norm in IGNORED for index, word in enumerate(words.words) if index not in said
        ):
            return meaning
    return None


def _rrule(text: str) -> Meaning | None:
    """An RRULE; an hour and a minute in it are the time of day."""
    if not re.match(r"\s*(?:RRULE:)?FREQ=", text, re.IGNORECASE):
        return None
    parts = [part.partition("=") for part in text.strip().upper().split(";")]
    times = {name: int(value) for name, _, value in parts if name in {"BYHOUR", "BYMINUTE", "BYSECOND"}}
    rule = Rule.read(";".join(name + equals + value for name, equals, value in parts if name not in times))
    hour, minute = times.get("BYHOUR"), times.get("BYMINUTE", 0)
    return Meaning(rule=rule, clock=None if hour is None else Clock(hour, minute, sure=True))


def _spoken(text: str, spans: list[tuple[int, int]], meaning: Meaning, now: datetime) -> Spoken:
    zone = ZoneInfo(str(now.tzinfo))
    rule = _rule(meaning)
    at = _first(rule, meaning, now, zone) if rule else _instant(meaning, now, zone)
    ending = meaning.ending
    if rule and meaning.lasting is not None:
        ending = at.astimezone(zone).date() + timedelta(days=meaning.lasting - 1)
    if rule and ending:
        rule = replace(rule, until=local(ending, 24 * 60 - 1, zone))
    if rule and rule.until and at > rule.until:
        raise ValueError("it ends before it begins")
    timed = bool(
        meaning.clock or meaning.part or meaning.exact or (rule and rule.freq in {"HOURLY", "MINUTELY"})
    )
    return Spoken(
        at=at,
        recurrence=str(rule) if rule else None,
        has_time=timed,
        spans=tuple(spans),
        phrase=" ".join(text[start:end] for start, end in spans),
        rest=_rest(text, spans),
    )


def _rule(meaning: Meaning) -> Rule | None:
    """The rule with the day that was said beside it: weekly, on monday."""
    rule, day = meaning.rule, meaning.day
    if rule is None or day is None or rule.has_days:
        return rule
    match rule.freq, day.kind:
        case "WEEKLY", "weekday":
            return replace(rule, days=((0, day.date.weekday()),))
        case "MONTHLY", "monthday":
            return replace(rule, monthdays=(day.date.day,))
        case "YEARLY", "date":
            return replace(rule, months=(day.date.month,), monthdays=(day.date.day,))
        case _:
            return rule


def _first(rule: Rule, meaning: Meaning, now: datetime, zone: ZoneInfo) -> datetime:
    """The first occurrence that is still to come."""
    if meaning.exact:
        return meaning.exact
    if rule.freq in {"HOURLY", "MINUTELY"} and not (meaning.clock or meaning.day or meaning.part):
        start = now.astimezone(UTC).replace(second=0, microsecond=0)
    else:
        day = meaning.day.date if meaning.day else now.date()
        start = local(day, _minutes(meaning)[0] % (24 * 60), zone)
    plain = replace(rule, interval=1 if rule.has_days else rule.interval, count=None, until=None)
    first = following(plain, now, start, zone)
    if first is None:
        raise ValueError("it never happens")
    return first


def _instant(meaning: Meaning, now: datetime, zone: ZoneInfo) -> datetime:
    if meaning.exact:
        return meaning.exact
    today = now.date()
    day = meaning.day or Day(today, roll=1)
    minutes = _minutes(meaning)
    if minutes[0] == 24 * 60 and meaning.part != "night" and day.date != today:
        minutes = (0,)
    for days in (0, day.roll):
        for minute in minutes:
            if (at := local(day.date + timedelta(days=days), minute, zone)) > now:
                return at
    if day.date == today and not meaning.clock:
        return local(today, min((now.hour + 1) * 60, 24 * 60 - 1), zone)
    return local(day.date, minutes[0], zone)


def _minutes(meaning: Meaning) -> tuple[int, ...]:
    """The minutes after midnight that may be meant, the earliest first."""
    clock = meaning.clock
    if clock is None:
        return (PART_HOURS[meaning.part] * 60,)
    return tuple(hour * 60 + clock.minute for hour in _hours(clock, meaning.part))


def _hours(clock: Clock, part: Part) -> tuple[int, ...]:
    hour = clock.hour
    if clock.sure:
        return (hour + 24 if part == "night" and hour < 5 else hour,)
    match part:
        case "morning":
            return (hour % 12,)
        case "afternoon":
            return (hour % 12 + 12,)
        case "evening":
            return (hour + 12,)
        case "night":
            return (hour + 12 if hour >= 5 else hour + 24,)
        case "":
            return tuple(open_hour for open_hour in (hour, hour + 12) if open_hour in WAKING)


def _spans(text: str, words: Words, pieces: list[Piece]) -> list[tuple[int, int]]:
    """Where the pieces stand in the text, with what dangles before them; neighbours are one."""
    spans: list[tuple[int, int]] = []
    for start, end in sorted(_reach(text, words, piece) for piece in pieces):
        if spans and BETWEEN.fullmatch(text, spans[-1][1], max(start, spans[-1][1])):
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _reach(text: str, words: Words, piece: Piece) -> tuple[int, int]:
    first = words.index(piece.start)
    if not piece.lead and first and words.words[first - 1].norm == "the":
        led = first > 1 and words.words[first - 2].norm in {"on", "at", "by", "for", "from", "until"}
        first -= 2 if led else 1
    start, (_, end) = words.words[first].start, words.span(piece.start, piece.end)
    if before := BEFORE.search(text, max(0, start - 20), start):
        start = before.start()
    if after := AFTER.match(text, end):
        end = after.end()
    return start, end


def _rest(text: str, spans: list[tuple[int, int]]) -> str:
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    left = " ".join(text[start:end].strip() for start, end in zip(edges[::2], edges[1::2], strict=True))
    left = re.sub(r"(?<![\s,;])[\s,;]+([.!?])| (?=[,;])", r"\1", " ".join(left.split()))
    return left.lstrip(" ,.;:!?").removeprefix("and ").rstrip(" ,;:")
