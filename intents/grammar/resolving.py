"""From what was said to the instant that is meant, and the rule it repeats by."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from intents.grammar.pieces import Clock, Day, Impossible, Meaning, Part
from intents.recurrence import Rule, following, local

PART_HOURS = {"": 9, "morning": 9, "afternoon": 15, "evening": 19, "night": 20}
DAY = 24 * 60
"""Minutes."""
WAKING = range(7, 22)


def resolve(meaning: Meaning, now: datetime, zone: ZoneInfo) -> tuple[datetime, Rule | None]:
    """The instant (UTC), of a repetition the first to come, and its rule; `now` is the user's wall time."""
    rule = _completed(meaning)
    if rule is None:
        return _instant(meaning, now, zone), None
    at = _first(rule, meaning, now, zone)
    ending = meaning.ending
    if meaning.lasting is not None:
        ending = at.astimezone(zone).date() + timedelta(days=meaning.lasting - 1)
    if ending:
        rule = replace(rule, until=local(ending, DAY - 1, zone))
    if rule.until and at > rule.until:
        raise Impossible
    return at, rule


def _completed(meaning: Meaning) -> Rule | None:
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
        start = meaning.exact
    elif rule.freq in {"HOURLY", "MINUTELY"} and not (meaning.clock or meaning.day or meaning.part):
        start = now.astimezone(UTC).replace(second=0, microsecond=0)
    else:
        day = meaning.day.date if meaning.day else now.date()
        start = local(day, _minutes(meaning)[0] % DAY, zone)
    plain = replace(rule, interval=1 if rule.has_days else rule.interval, count=None, until=None)
    first = following(plain, now, start, zone)
    if first is None:
        raise Impossible
    return first


def _instant(meaning: Meaning, now: datetime, zone: ZoneInfo) -> datetime:
    if meaning.exact:
        return meaning.exact
    today = now.date()
    day = meaning.day or Day(today, roll=1)
    minutes = _minutes(meaning)
    if minutes[0] == DAY and meaning.part != "night" and day.date != today:
        minutes = (0,)
    for days in (0, day.roll):
        for minute in minutes:
            if (at := local(day.date + timedelta(days=days), minute, zone)) > now:
                return at
    if day.date == today and not meaning.clock:
        return local(today, min((now.hour + 1) * 60, DAY - 1), zone)
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
