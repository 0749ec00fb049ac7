"""Recurrence rules (RFC 5545): what of them we understand, when they next happen, how they are said."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from intents.wording import enumerated, ordinal

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = tuple(calendar.month_name)[1:]
CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
UNITS = {
    "MINUTELY": "minute",
    "HOURLY": "hour",
    "DAILY": "day",
    "WEEKLY": "week",
    "MONTHLY": "month",
    "YEARLY": "year",
}
WORKDAYS = tuple((0, day) for day in range(5))
HORIZON_DAYS = 366 * 45
"""How far ahead an occurrence is looked for: a rule that has none by then (30 February) has none."""
MAX_INTERVAL = 1000
"""Units between two occurrences."""
NTH = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The parts of an RRULE we understand; any other part makes a rule invalid.

    Days of the week and month are the user's (local), never UTC's.
    """

    freq: str
    """MINUTELY, HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY."""
    interval: int = 1
    """Every how many units, from 1; weeks start on Monday."""
    days: tuple[tuple[int, int], ...] = ()
    """BYDAY as (which, weekday): 0 is Monday; which is 0 for each, 2 for a month's second, -1 its last."""
    monthdays: tuple[int, ...] = ()
    """BYMONTHDAY: 1 to 31, or -1 (last day of the month) to -31."""
    months: tuple[int, ...] = ()
    """BYMONTH: 1 to 12."""
    until: datetime | None = None
    """The last instant that may be an occurrence, UTC."""
    count: int | None = None
    """How many occurrences there are in all."""

    @classmethod
    def read(cls, text: str) -> Rule:
        """Read `FREQ=WEEKLY;BYDAY=MO,WE`, with or without `RRULE:`.

        Raises ValueError for what we cannot follow.
        """
        text = text.strip().upper().removeprefix("RRULE:")
        parts = [part.partition("=") for part in text.split(";") if part]
        values = {name: value for name, _, value in parts}
        if len(values) != len(parts) or values.pop("WKST", "MO") != "MO":
            raise ValueError("a part is there twice, or weeks do not start on Monday")
        rule = cls(
            freq=values.pop("FREQ", ""),
            interval=int(values.pop("INTERVAL", "1")),
            days=tuple(_read_day(code) for code in _listed(values.pop("BYDAY", ""))),
            monthdays=tuple(int(day) for day in _listed(values.pop("BYMONTHDAY", ""))),
            months=tuple(int(month) for month in _listed(values.pop("BYMONTH", ""))),
            until=_read_until(values.pop("UNTIL", "")),
            count=int(values.pop("COUNT")) if "COUNT" in values else None,
        )
        if values:
            raise ValueError("it has parts we do not know")
        rule._check()
        return rule

    def _check(self) -> None:
        numbered = any(which for which, _ in self.days)
        sound = (
            self.freq in UNITS
            and 1 <= self.interval <= MAX_INTERVAL
            and all(1 <= month <= 12 for month in self.months)
            and all(1 <= abs(day) <= 31 for day in self.monthdays)
            and (self.count is None or 1 <= self.count <= HORIZON_DAYS)
            and (not numbered or self.freq == "MONTHLY" or (self.freq == "YEARLY" and bool(self.months)))
            and (not self.has_days or self.freq not in {"MINUTELY", "HOURLY"})
            and (not self.monthdays or self.freq != "WEEKLY")
        )
        if not sound:
            raise ValueError("the parts of the rule do not fit together")

    @property
    def has_days(self) -> bool:
        """Does the rule itself say which days, or does its first occurrence?"""
        return bool(self.days or self.monthdays or self.months)

    def __str__(self) -> str:
        parts = {
            "FREQ": self.freq,
            "INTERVAL": str(self.interval) if self.interval > 1 else "",
            "BYMONTH": ",".join(map(str, self.months)),
            "BYMONTHDAY": ",".join(map(str, self.monthdays)),
            "BYDAY": ",".join(f"{which or ''}{CODES[day]}" for which, day in self.days),
            "UNTIL": f"{self.until:%Y%m%dT%H%M%SZ}" if self.until else "",
            "COUNT": str(self.count or ""),
        }
        return ";".join(f"{name}={value}" for name, value in parts.items() if value)


def _listed(text: str) -> list[str]:
    return text.split(",") if text else []


def _read_day(code: str) -> tuple[int, int]:
    which = int(code[:-2] or "0")
    if abs(which) > 5 or code[-2:] not in CODES:
        raise ValueError("no such weekday")
    return which, CODES.index(code[-2:])


def _read_until(text: str) -> datetime | None:
    """An UNTIL that is a date alone holds to the end of that day."""
    if not text:
        return None
    if len(text) == 8:
        text += "T235959"
    return datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def local(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The instant (UTC) of a wall time in a zone, in minutes after midnight; from 1,440 on the next day's.

    A time the clocks skip moves forward by the gap; a time they show twice is the first of the two.
    """
    wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minutes)
    return wall.replace(tzinfo=zone).astimezone(UTC)


def next_occurrence(rule: str, after: datetime, at: datetime, zone: ZoneInfo) -> datetime | None:
    """The first occurrence later than `after`, in UTC; None when there are no more.

    `at` is an occurrence of the rule (its DTSTART): it gives the wall-clock time, which is kept across
    daylight saving in `zone`, and is what intervals are counted from. Hours and minutes are counted as they
    elapse.
    Raises ValueError for a rule we cannot follow.
    """
    return following(Rule.read(rule), after, at, zone)


def following(rule: Rule, after: datetime, at: datetime, zone: ZoneInfo) -> datetime | None:
    """As `next_occurrence`, for a rule that has been read."""
    if rule.freq in {"MINUTELY", "HOURLY"}:
        return _following_step(rule, after, at)
    start = at.astimezone(zone)
    skipped = 0 if rule.count else max(0, (after.astimezone(zone).date() - start.date()).days - 1)
    days = _days(rule, start.date(), skipped)
    for moment in (_on(day, start, zone) for day in islice(days, rule.count)):
        if rule.until and moment > rule.until:
            return None
        if moment > after and moment >= at:
            return moment
    return None


def _on(day: date, start: datetime, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, start.time(), zone).replace(fold=0).astimezone(UTC)


def _following_step(rule: Rule, after: datetime, at: datetime) -> datetime | None:
    step = timedelta(minutes=rule.interval) if rule.freq == "MINUTELY" else timedelta(hours=rule.interval)
    taken = max(0, (after - at) // step + 1)
    moment = at.astimezone(UTC) + taken * step
    over = (rule.count and taken >= rule.count) or (rule.until and moment > rule.until)
    return None if over else moment


def _days(rule: Rule, start: date, skipped: int) -> Iterator[date]:
    """The days of the rule from `start` on, without looking at the first `skipped` days."""
    last = min(date.max.toordinal(), start.toordinal() + skipped + HORIZON_DAYS)
    candidates = map(date.fromordinal, range(start.toordinal() + skipped, last + 1))
    return (day for day in candidates if _in_turn(rule, day, start) and _fits(rule, day, start))


def _in_turn(rule: Rule, day: date, start: date) -> bool:
    match rule.freq:
        case "DAILY":
            passed = day.toordinal() - start.toordinal()
        case "WEEKLY":
            passed = (day.toordinal() - 1) // 7 - (start.toordinal() - 1) // 7
        case "MONTHLY":
            passed = (day.year - start.year) * 12 + day.month - start.month
        case _:
            passed = day.year - start.year
    return passed % rule.interval == 0


def _fits(rule: Rule, day: date, start: date) -> bool:
    if rule.months and day.month not in rule.months:
        return False
    if rule.monthdays and not {day.day, day.day - _length(day) - 1} & set(rule.monthdays):
        return False
    if rule.days:
        return any(weekday == day.weekday() and _is_nth(day, which) for which, weekday in rule.days)
    if rule.monthdays or rule.freq == "DAILY":
        return True
    if rule.freq == "WEEKLY":
        return day.weekday() == start.weekday()
    return day.day == start.day and (rule.freq == "MONTHLY" or bool(rule.months) or day.month == start.month)


def _is_nth(day: date, which: int) -> bool:
    if which < 0:
        return (_length(day) - day.day) // 7 + 1 == -which
    return which == 0 or (day.day - 1) // 7 + 1 == which


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def say_recurrence(rule: str, zone: ZoneInfo | None = None) -> str:
    """The rule in words: "every Monday and Wednesday". `zone` is the user's (else UTC), for an UNTIL.

    Raises ValueError for a rule we cannot follow.
    """
    read = Rule.read(rule)
    words = _say_days(read)
    if read.until:
        day = read.until.astimezone(zone or UTC)
        words += f" until {MONTHS[day.month - 1]} {day.day}, {day.year}"
    if read.count:
        words += f", {read.count} times"
    return words


def _say_days(rule: Rule) -> str:
    names = enumerated([WEEKDAYS[day] for _, day in rule.days])
    numbered = any(which for which, _ in rule.days)
    if rule.freq in {"DAILY", "WEEKLY"} and not (rule.monthdays or rule.months):
        if rule.freq == "DAILY" and rule.interval == 1 and names:
            rule = replace(rule, freq="WEEKLY")
        if not names:
            return _every(rule)
        if rule.interval == 1:
            return "every weekday" if rule.days == WORKDAYS else f"every {names}"
        if rule.freq == "WEEKLY" and rule.interval == 2:
            return f"every other {names}"
        return f"{_every(rule)} on {names}"
    if rule.freq == "YEARLY" and len(rule.months) == len(rule.monthdays) == 1 and not rule.days:
        return f"{_every(rule)} on {MONTHS[rule.months[0] - 1]} {rule.monthdays[0]}"
    if numbered:
        names = enumerated([f"{_say_nth(which)}{WEEKDAYS[day]}" for which, day in rule.days])
    which_days = enumerated([*map(_say_monthday, rule.monthdays), *filter(None, [names])])
    if rule.freq == "MONTHLY" and rule.interval == 1 and which_days and not rule.months:
        return f"on {which_days} of every month"
    in_months = f" in {enumerated([MONTHS[month - 1] for month in rule.months])}" if rule.months else ""
    return _every(rule) + (f" on {which_days}" if which_days else "") + in_months


def _every(rule: Rule) -> str:
    unit = UNITS[rule.freq]
    return {1: f"every {unit}", 2: f"every other {unit}"}.get(rule.interval, f"every {rule.interval} {unit}s")


def _say_nth(which: int) -> str:
    if not which:
        return "every "
    return f"the {NTH[which]} " if which in NTH else f"the {NTH[-which]} to last "


def _say_monthday(day: int) -> str:
    if day < 0:
        return "the last day" if day == -1 else f"the {ordinal(-day)} to last day"
    return f"the {ordinal(day)}"
