"""What a time in a sentence file means on the day of the run: plain rules, none of the server's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SLACK = timedelta(minutes=2)
"""A time counted from the moment of speaking may be off by that much."""

When = Mapping[str, object]
Span = tuple[datetime, datetime]
"""First and last instant that are right, UTC."""


def instants(when: When, now: datetime) -> list[Span]:
    """What is right, at a local `now`: several when people disagree ("on friday", said on a Friday)."""
    if "in" in when:
        exact = now.astimezone(UTC) + timedelta(**_mapping(when["in"]))
        return [(exact - SLACK, exact + SLACK)]
    clock = time.fromisoformat(str(when.get("next") or when["time"]))
    exactly = [_at(day, clock, now) for day in _days(when, clock, now)]
    return [(at, at) for at in exactly]


def first(when: When, now: datetime) -> datetime:
    """The earliest of them."""
    return min(begin for begin, _ in instants(when, now))


def right(stored: datetime, when: When, now: datetime) -> bool:
    """Whether a stored instant is what was said."""
    return any(begin <= stored <= end for begin, end in instants(when, now))


def _days(when: When, clock: time, now: datetime) -> list[date]:
    today = now.date()
    ahead = [today + timedelta(days=days) for days in range(800)]
    still = [day for day in ahead if _at(day, clock, now) > now.astimezone(UTC)]
    match dict(when):
        case {"next": str()}:
            return still[:1]
        case {"day": int(days)}:
            return [today + timedelta(days=days)]
        case {"weekday": list(names)}:
            return [day for day in still if WEEKDAYS[day.weekday()] in names][:1]
        case {"weekday": str(name)}:
            these = [day for day in still if day.weekday() == WEEKDAYS.index(name)]
            return these[:2] if these[0] == today else these[:1]
        case {"monthday": int(number)}:
            return [day for day in still if day.day == number][:1]
        case {"date": str(written)}:
            month, number = (int(part) for part in written.split("-"))
            return [day for day in still if (day.month, day.day) == (month, number)][:1]
        case _:
            raise ValueError(f"{when}: a time needs in, next, day, weekday, monthday or date")


def _at(day: date, clock: time, now: datetime) -> datetime:
    return datetime.combine(day, clock, now.tzinfo).astimezone(UTC)


def _mapping(value: object) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r}: in: wants {{hours: 2}}")
    return {str(name): float(number) for name, number in value.items()}


def alternatives(value: object) -> Sequence[str]:
    """A text or a list of texts, any of which is right; nothing is the empty text."""
    if isinstance(value, list):
        return [str(one) for one in value]
    return [str(value or "")]
