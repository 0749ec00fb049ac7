"""How people say a day of the calendar: "the third of march", "by the end of june", "2027-03-03"."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from intents.grammar.almanac import (
    MONTH_CODES,
    add_months,
    coming_monthday,
    dated,
    end_of,
    month_of,
    nth_weekday,
    start_of,
    weekday_of,
)
from intents.grammar.pieces import Clock, Day, Impossible, Meaning, Said, phrase

SHARED = {"march", *MONTH_CODES, "sept"}
"""Names of months that are other words too, or people."""
SEASONS = {"spring": 3, "summer": 6, "fall": 9, "autumn": 9, "winter": 12}
"""Their first month, as meteorologists in the north count."""
FEASTS = {
    "christmas eve": (12, 24),
    "christmas": (12, 25),
    "christmas day": (12, 25),
    "halloween": (10, 31),
    "new year": (1, 1),
    "new years": (1, 1),
    "new years day": (1, 1),
    "new years eve": (12, 31),
    "valentines": (2, 14),
    "valentines day": (2, 14),
}
FEAST = "christmas(?: eve| day)?|halloween|valentine'?s(?: day)?|new year(?:'?s(?: eve| day)?)?"
WHICH = {"last": -1, "1st": 1, "2nd": 2, "3rd": 3, **{f"{number}th": number for number in range(1, 6)}}
LIMITS = {"by", "before", "until", "till", "no later than"}


def year_of(said: Said) -> int | None:
    """The year of a date: 2027, or `20 27` as it is spoken."""
    return int(year.replace(" ", "")) if (year := said.get("year")) else None


def _date(said: Said, now: datetime) -> Meaning | None:
    month, number = said["mon"] or "", int(said["d"] or 0)
    plain = said["year"] or said["lead"] or said["safe"] is not None
    if not plain and month in SHARED and (not said["th"] or (month, number) == ("may", 2)):
        return None
    if not 1 <= number <= 31:
        return None
    return Meaning(day=Day(dated(month_of(month), number, year_of(said), now.date())))


def _monthday(said: Said, now: datetime) -> Meaning | None:
    if not (said["wd"] or said["lead"]) or said["lead"] == "at":
        return None
    return Meaning(day=Day(coming_monthday(int(said["d"] or 0), now.date()), "monthday"))


def _of_month(said: Said, now: datetime) -> Meaning:
    """The first of the month, the 15th of next month."""
    number = int(said["d"] or 0)
    if said["which"] == "the":
        return Meaning(day=Day(coming_monthday(number, now.date()), "monthday"))
    month = start_of("month", now.date(), int(said["which"] == "next"))
    return Meaning(day=Day(dated(month.month, number, month.year, now.date())))


def _month_start(said: Said, today: date) -> date:
    """The first of a month by name: of its year, or the coming one that is not over."""
    month, year = month_of(said["mon"] or ""), year_of(said)
    found = date(year or today.year, month, 1)
    return found if year or end_of("month", found) >= today else date(today.year + 1, month, 1)


def _end_of_day(_: Said, __: datetime) -> Meaning:
    return Meaning(clock=Clock(17, sure=True))


def _edge(said: Said, now: datetime) -> Meaning:
    """The beginning, middle or end of a week, month, quarter or year."""
    today, unit, edge = now.date(), said["unit"] or "month", said["edge"]
    if unit == "day":
        return _end_of_day(said, now)
    start = start_of(unit, today, int(said["which"] == "next"))
    if said["mon"]:
        start = _month_start(said, today)
    elif year := year_of(said):
        start, unit = date(year, 1, 1), "year"
    if edge == "end":
        return Meaning(day=Day(end_of(unit, today if unit == "week" and start <= today else start)))
    middle = {"week": 2, "month": 14, "quarter": 45, "year": 181}[unit] if edge in {"mid", "middle"} else 0
    return Meaning(day=Day(start + timedelta(days=middle)))


def _month(said: Said, now: datetime) -> Meaning | None:
    """A month alone is its first day; the one we are in its last, but "by" and "next" make it next year's."""
    name, where = said["mon"] or "", said["where"]
    led = where or said["year"] or said["lead"] in LIMITS
    if not (led or (said["lead"] and said["safe"] is not None and name not in SHARED)) or (
        len(name) < 5 and name in SHARED - {"may"} and not said["year"]
    ):
        return None
    start = _month_start(said, now.date())
    if start <= now.date() and not said["year"]:
        ours = where in {"in", "this"}
        start = end_of("month", start) if ours else start.replace(year=start.year + 1)
    return Meaning(day=Day(start, "month"))


def _year(said: Said, now: datetime) -> Meaning | None:
    if not (said["where"] or said["lead"] in LIMITS):
        return None
    year = year_of(said) or now.year
    return Meaning(day=Day(date(year, 12, 31) if year == now.year else date(year, 1, 1)))


def _season(said: Said, now: datetime) -> Meaning | None:
    if said["where"] in {None, "the"} and said["lead"] not in LIMITS:
        return None
    return Meaning(day=Day(dated(SEASONS[said["season"] or ""], 1, year_of(said), now.date())))


def _feast(said: Said, now: datetime) -> Meaning | None:
    if not (said["lead"] or said["which"] or re.search("eve|day", said["feast"] or "")):
        return None
    month, number = FEASTS[(said["feast"] or "").replace("'", "")]
    return Meaning(day=Day(dated(month, number, year_of(said), now.date())))


def _nth(said: Said, now: datetime) -> Meaning:
    """The last friday of the month, the first monday of april."""
    which, weekday, today = WHICH[said["which"] or ""], weekday_of(said["wd"] or ""), now.date()
    if said["mon"]:
        start = _month_start(said, today)
        steps = [0] if said["year"] else [0, 12]
    else:
        start = start_of("month", today, int(said["rel"] == "next"))
        steps = [0, 1] if said["rel"] == "the" else [0]
    found = [nth_weekday(which, weekday, add_months(start, step)) for step in steps]
    return Meaning(day=Day(next((day for day in found if day >= today), found[-1])))


def _iso(said: Said, now: datetime) -> Meaning:
    text = (said["iso"] or "").upper().replace(" Z", "Z")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Impossible from None
    if len(text) == 10:
        return Meaning(day=Day(moment.date()))
    return Meaning(exact=(moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)).astimezone(UTC))


_TH = r"(?P<d>\d{1,2})(?:st|nd|rd|th)"

DATES = (
    phrase(
        r"(?:{WD}(?: ,)? )?(?:the )?(?P<d>\d{1,2})(?P<th>st|nd|rd|th)?(?: day)?(?: of)? (?P<mon>{MON}){YEAR}"
        "(?P<safe>{SAFE})?",
        _date,
    ),
    phrase(
        r"(?:{WD}(?: ,)? )?(?P<mon>{MON}) (?:the )?(?P<d>\d{1,2})(?P<th>st|nd|rd|th)?(?! (?:am|pm|oclock))"
        "{YEAR}(?P<safe>{SAFE})?",
        _date,
    ),
    phrase("(?:(?P<wd>{WD}) )?the " + _TH + "{SAFE}", _monthday),
    phrase("(?:the )?" + _TH + " of (?P<which>the|this|next) month", _of_month),
    phrase(
        "(?:the )?(?P<edge>end|middle|mid|beginning|start)(?: of)? (?:(?P<which>the|this|next) )?"
        r"(?:(?P<unit>day|week|month|quarter|year)|(?P<mon>{MON})){YEAR}",
        _edge,
    ),
    phrase("(?:eod|(?:end|close) of business)", _end_of_day),
    phrase("(?:the )?(?P<edge>end) of (?P<which>)(?P<unit>)(?P<mon>)(?P<year>20\\d\\d|20 [2-9]\\d)", _edge),
    phrase(
        "(?:(?P<where>in|this|next) )?(?:early |late |mid |of )?(?P<mon>{MON}){YEAR}(?P<safe>{SAFE})?",
        _month,
    ),
    phrase(r"(?:(?P<where>in) )?(?P<year>20\d\d|20 [2-9]\d){SAFE}", _year),
    phrase(
        "(?:(?P<where>in|in the|this|next|the) )?(?P<season>spring|summer|fall|autumn|winter){YEAR}{SAFE}",
        _season,
    ),
    phrase(
        "(?:(?P<which>this|next) )?(?P<feast>" + FEAST + "){YEAR}{SAFE}",
        _feast,
    ),
    phrase(
        "(?:the )?(?P<which>{ORD}|last) (?P<wd>{WD}) (?:of|in)"
        " (?:(?P<rel>the|this|next) month|(?P<mon>{MON}){YEAR})",
        _nth,
    ),
    phrase(
        r"(?P<iso>\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?z|[+-]\d\d:?\d\d)?)?)",
        _iso,
    ),
)
