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
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from intents.grammar.almanac import dated
from intents.grammar.joining import Piece, join
from intents.grammar.pieces import Clock, Meaning
from intents.grammar.resolving import resolve
from intents.grammar.scanning import moves, scan
from intents.grammar.words import Words
from intents.recurrence import MONTHS, WEEKDAYS, Rule, next_occurrence, say_recurrence

__all__ = ["Spoken", "find", "next_occurrence", "parse", "say", "say_recurrence"]

MAX_TEXT = 4000
"""Characters that `find` looks at: five minutes of speech. What is beyond is kept in `rest`."""
MAX_PHRASE = 200
"""Characters of a text that may be nothing but a time."""
LEADS_TO_PARSE = ("", "at", "on", "in", "on the", "~")
"""What an argument may leave unsaid: "five" (at), "fifteenth" (on the); ~ is for "now", "yesterday"."""
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
    has_day: bool
    """A day, an instant ("in two hours") or a repetition was said; else `at` is today, or tomorrow."""
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
        pieces, meaning = join(scan(words, _local(now, zone)), moving=moves(words.norm))
        return _spoken(text, _spans(text, words, pieces), meaning, now, zone) if meaning else None
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
        return _spoken(text, [(start, len(text.rstrip()))], meaning, now, zone)
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


def _whole(text: str, now: datetime) -> Meaning | None:
    """What the text means when all of it is a time."""
    for lead in LEADS_TO_PARSE:
        words = Words(text, lead)
        pieces, meaning = join(scan(words, now), moving=False)
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


def _spoken(
    text: str, spans: list[tuple[int, int]], meaning: Meaning, now: datetime, zone: ZoneInfo
) -> Spoken:
    at, rule = resolve(meaning, _local(now, zone), zone)
    timed = bool(
        meaning.clock or meaning.part or meaning.exact or (rule and rule.freq in {"HOURLY", "MINUTELY"})
    )
    return Spoken(
        at=at,
        recurrence=str(rule) if rule else None,
        has_time=timed,
        has_day=bool(meaning.day or meaning.exact or rule),
        spans=tuple(spans),
        phrase=" ".join(text[start:end] for start, end in spans),
        rest=_rest(text, spans),
    )


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
