"""Counting with days: weeks, months, the names they have, and the next day that fits."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from intents.grammar.pieces import Day, Impossible

WEEKDAY_CODES = ("mo", "tu", "we", "th", "fr", "sa", "su")
MONTH_CODES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = {"d": 1, "w": 7, "f": 14}
MONTHS = {"mo": 1, "q": 3, "y": 12}
NUMBERS = {"a": 1.0, "an": 1.0, "half": 0.5, "half a": 0.5, "half an": 0.5}


def weekday_of(name: str) -> int:
    """Monday is 0; names may be cut short."""
    return WEEKDAY_CODES.index(name[:2])


def month_of(name: str) -> int:
    """January is 1; names may be cut short."""
    return MONTH_CODES.index(name[:3]) + 1


def amount(text: str | None) -> float:
    """The number before a unit, 1 when there is none; "a couple" is 2, "a few" 3."""
    words = (text or "a").strip()
    if "couple" in words:
        return 2
    return 3 if "few" in words or words == "several" else NUMBERS.get(words) or float(words)


def monday(day: date) -> date:
    """The first day of its week."""
    return day - timedelta(days=day.weekday())


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last when it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def last_of_month(day: date) -> date:
    """The last day of its month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def start_of(unit: str, day: date, ahead: int) -> date:
    """The first day of the week, month, quarter or year that is `ahead` of the day's own."""
    match unit:
        case "week":
            return monday(day) + timedelta(days=7 * ahead)
        case "quarter":
            return add_months(day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1), 3 * ahead)
        case "year":
            return date(day.year + ahead, 1, 1)
        case _:
            return add_months(day.replace(day=1), ahead)


def end_of(unit: str, day: date) -> date:
    """The last day of the day's own unit; a week ends on Friday, or on Sunday when Friday is over."""
    if unit == "week":
        return monday(day) + timedelta(days=4 if day.weekday() < 5 else 6)
    return start_of(unit, day, 1) - timedelta(days=1)


def later(count: float, unit: str, day: date) -> Day:
    """The day some days, weeks, months or years after another."""
    short = next(key for key in (*MONTHS, *DAYS) if unit.startswith(key))
    if short in MONTHS:
        months = count * MONTHS[short]
        found = add_months(day, int(months)) + timedelta(days=30 * (months % 1))
        return Day(found, "month" if short == "mo" else "date")
    return Day(day + timedelta(days=round(count * DAYS[short])), "week" if short == "w" else "date")


def dated(month: int, number: int, year: int | None, today: date) -> date:
    """A date of the calendar; without a year the next one there is, today included."""
    for candidate in [year] if year else range(today.year, today.year + 9):
        leap_day_missing = (month, number) == (2, 29) and not calendar.isleap(candidate)
        if leap_day_missing and not year:
            continue
        if not 1 <= number <= calendar.monthrange(candidate, month)[1]:
            raise Impossible
        found = date(candidate, month, number)
        if year or found >= today:
            return found
    raise Impossible


def coming_weekday(weekday: int, today: date) -> Day:
    """The next one, today included; a week later when the time has passed."""
    return Day(today + timedelta(days=(weekday - today.weekday()) % 7), "weekday", roll=7)


def coming_monthday(number: int, today: date) -> date:
    """The next day of that number, today included; months without it are passed over."""
    if not 1 <= number <= 31:
        raise Impossible
    for ahead in range(13):
        month = add_months(today.replace(day=1), ahead)
        if number <= last_of_month(month).day and (found := month.replace(day=number)) >= today:
            return found
    raise Impossible


def nth_weekday(which: int, weekday: int, month: date) -> date:
    """The second Tuesday, the last Friday of the month that starts with `month`."""
    if which < 0:
        last = last_of_month(month)
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    found = month + timedelta(days=(weekday - month.weekday()) % 7 + 7 * (which - 1))
    if found.month != month.month:
        raise Impossible
    return found
