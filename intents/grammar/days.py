"""How people say a day as seen from today: "tomorrow", "next friday", "in two weeks"."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from intents.grammar.almanac import amount, coming_weekday, end_of, later, monday, start_of, weekday_of
from intents.grammar.pieces import Day, Meaning, Said, part_of, phrase

AHEAD = {"tomorrow": 1, "tmrw": 1, "tmr": 1, "yesterday": -1}
MINUTES = {"s": 1 / 60, "min": 1, "h": 60}
OTHER_WORDS = {"mon", "wed", "sat", "sun"}
"""Short names of weekdays that are words of their own."""


def _near(said: Said, now: datetime) -> Meaning:
    name = said["day"] or ""
    ahead = 2 if name.startswith("day after") else AHEAD.get(name, 0)
    part = "night" if name in {"tonight", "to night"} else part_of(said)
    return Meaning(day=Day(now.date() + timedelta(days=ahead)), part=part)


def _this_part(said: Said, now: datetime) -> Meaning:
    return Meaning(day=Day(now.date()), part=part_of(said))


def _weekday(said: Said, now: datetime) -> Meaning | None:
    name, mod, week = said["wd"] or "", said["mod"] or "", said["week"] or ""
    if name in OTHER_WORDS and not (said["lead"] or mod):
        return None
    day = coming_weekday(weekday_of(name), now.date())
    if mod == "next" or week.endswith("next week"):
        day = Day(monday(now.date()) + timedelta(days=7 + weekday_of(name)))
    elif week:
        day = Day(day.date + timedelta(days=7))
    return Meaning(day=day, part=part_of(said))


def _whole(said: Said, now: datetime) -> Meaning:
    """A week, month, quarter or year: the last day of this one, the first day of the next."""
    today, unit = now.date(), said["unit"] or ""
    if said["which"] in {"this", "this current"}:
        found = end_of(unit, today)
    else:
        found = start_of(unit, today, 2 if said["twice"] else 1)
    match unit:
        case "week" | "month":
            return Meaning(day=Day(found, unit))
        case _:
            return Meaning(day=Day(found))


def _weekend(said: Said, now: datetime) -> Meaning:
    """Its Saturday, or today when it is Sunday already."""
    today = now.date()
    saturday = monday(today) + timedelta(days=5 + 7 * (said["which"] == "next"))
    return Meaning(day=Day(max(saturday, today)), part=part_of(said))


def _passing(said: Said, now: datetime) -> Meaning | None:
    """In twenty minutes, within six weeks, an hour and a half from now."""
    if not (said["n"] or said.get("next") or said.get("inside") == "within"):
        return None
    count, unit = amount(said["n"]) + 0.5 * bool(said["half"]), said["unit"] or ""
    minutes = next((factor for key, factor in MINUTES.items() if unit.startswith(key)), None)
    if minutes is None:
        return Meaning(day=later(count, unit, now.date()))
    return _after(now, count * minutes + int(said["n2"] or 0))


def _after(now: datetime, minutes: float) -> Meaning:
    return Meaning(exact=now.astimezone(UTC) + timedelta(minutes=minutes))


def _quarters(said: Said, now: datetime) -> Meaning:
    return _after(now, 15 * amount(said["n"]))


def _at_once(_: Said, now: datetime) -> Meaning:
    return _after(now, 0)


def _from_day(said: Said, now: datetime) -> Meaning:
    """A week from tuesday, two days after tomorrow."""
    anchor = said["anchor"] or ""
    start = now.date() + timedelta(days=AHEAD.get(anchor, 0))
    if anchor not in {"today", "tomorrow"}:
        start = coming_weekday(weekday_of(anchor), start).date
    return Meaning(day=Day(later(amount(said["n"]), said["unit"] or "", start).date), part=part_of(said))


_LENGTH = (
    "(?:(?P<n>{N}) )?(?:(?P<half>and a half) )?(?P<unit>{UNIT})"
    r"(?: and (?P<n2>\d{1,2}) (?:minutes?|mins?)| (?P<n3>\d{1,2}) minutes)?"
)


def _length(said: Said, now: datetime) -> Meaning | None:
    half, n2 = said["half"] or said["half2"], said["n2"] or said["n3"]
    return _passing({**said, "half": half, "n2": n2}, now)


DAYS = (
    phrase(
        "(?:(?:later(?: on)?|early|late) )?(?P<day>today|tonight|to night|tomorrow|tmrw|tmr){PART}", _near
    ),
    phrase("(?:the )?(?P<day>day after tomorrow){PART}", _near),
    phrase("~ (?P<day>yesterday){PART}", _near),
    phrase("(?:later )?this (?:early |late )?{PARTS}", _this_part),
    phrase(
        "(?:(?:the )?(?P<mod>next|this|this coming|coming) )?(?P<wd>{WD}|{WA}{SAFE})"
        "(?P<week> week{SAFE}| after next|(?: of)? next week)?{PART}(?: or {WD})?",
        _weekday,
    ),
    phrase("(?P<week>next week)(?: on)? (?P<mod>)(?P<wd>{WD}){PART}", _weekday),
    phrase(
        "(?:of |in |the |early |late |later )?(?P<which>next|this|this current|coming|this coming) "
        "(?P<twice>)?(?P<unit>week|month|quarter|year)",
        _whole,
    ),
    phrase("(?:in )?the (?P<which>)(?P<unit>week|month|year) (?P<twice>after next)", _whole),
    phrase("(?:over |at )?(?P<which>this|next|the|this coming) weekend{PART}", _weekend),
    phrase(
        "(?P<inside>in|within|after|over)(?: about| around| like| roughly)?(?: the)?"
        f"(?: (?P<next>next|coming))? {_LENGTH}(?: (?P<half2>and a half))?(?: from now| time)?",
        _length,
    ),
    phrase(f"{_LENGTH}(?: (?P<half2>and a half))? from now", _length),
    phrase("in (?:(?P<n>a|3) )?quarters? of an hour", _quarters),
    phrase(
        "(?P<n>{N}) (?P<unit>days?|weeks?|months?|years?) (?:from|after) (?:next |this )?"
        "(?P<anchor>today|tomorrow|{WD}){PART}",
        _from_day,
    ),
    phrase("(?:right now|right away|immediately|straight away|~ now)", _at_once),
)
