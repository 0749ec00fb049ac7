"""Recurrence rules: when they happen next, and how they are said."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from intents.recurrence import Rule, next_occurrence, say_recurrence
from intents.times import parse

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
NOW = datetime(2026, 3, 10, 13, 20, tzinfo=UTC)


def _days(rule: str, start: str, many: int, zone: ZoneInfo = BERLIN) -> list[str]:
    """The next occurrences after the first, local."""
    at = datetime.fromisoformat(start).replace(tzinfo=zone)
    found: list[str] = []
    moment: datetime | None = at
    while len(found) < many and moment is not None:
        moment = next_occurrence(rule, moment, at, zone)
        found.append(f"{moment.astimezone(zone):%m-%d %H:%M}" if moment else "over")
    return found


@pytest.mark.parametrize(
    ("rule", "start", "expected"),
    [
        ("FREQ=DAILY", "2026-03-28 07:00", ["03-29 07:00", "03-30 07:00"]),
        ("FREQ=DAILY", "2026-10-24 02:30", ["10-25 02:30", "10-26 02:30"]),
        ("FREQ=DAILY", "2026-03-28 02:30", ["03-29 03:30", "03-30 02:30"]),
        ("FREQ=DAILY;INTERVAL=3", "2026-02-27 07:00", ["03-02 07:00", "03-05 07:00"]),
        ("FREQ=DAILY;BYDAY=MO,TU", "2026-03-10 07:00", ["03-16 07:00", "03-17 07:00"]),
        ("FREQ=WEEKLY", "2026-03-10 07:00", ["03-17 07:00", "03-24 07:00"]),
        ("FREQ=WEEKLY;BYDAY=MO,WE", "2026-03-11 07:00", ["03-16 07:00", "03-18 07:00"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR", "2026-03-13 07:00", ["03-23 07:00", "03-27 07:00"]),
        ("FREQ=MONTHLY", "2026-01-31 07:00", ["03-31 07:00", "05-31 07:00"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-31 07:00", ["02-28 07:00", "03-31 07:00"]),
        ("FREQ=MONTHLY;INTERVAL=3", "2026-01-15 07:00", ["04-15 07:00", "07-15 07:00"]),
        ("FREQ=MONTHLY;BYDAY=1MO", "2026-03-02 07:00", ["04-06 07:00", "05-04 07:00"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", "2026-03-27 07:00", ["04-24 07:00", "05-29 07:00"]),
        ("FREQ=YEARLY", "2024-02-29 07:00", ["02-29 07:00", "02-29 07:00"]),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "2026-11-26 07:00", ["11-25 07:00", "11-23 07:00"]),
        ("FREQ=HOURLY;INTERVAL=2", "2026-03-29 01:00", ["03-29 04:00", "03-29 06:00"]),
        ("FREQ=MINUTELY;INTERVAL=45", "2026-03-10 07:00", ["03-10 07:45", "03-10 08:30"]),
        ("FREQ=DAILY;COUNT=2", "2026-03-10 07:00", ["03-11 07:00", "over"]),
        ("FREQ=HOURLY;COUNT=2", "2026-03-10 07:00", ["03-10 08:00", "over"]),
        ("FREQ=DAILY;UNTIL=20260311T120000Z", "2026-03-10 07:00", ["03-11 07:00", "over"]),
        ("FREQ=DAILY;UNTIL=20260311", "2026-03-10 07:00", ["03-11 07:00", "over"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2026-02-28 07:00", ["over"]),
    ],
)
def test_a_rule_goes_on_at_the_same_wall_time(rule: str, start: str, expected: list[str]) -> None:
    assert _days(rule, start, len(expected)) == expected


def test_the_wall_time_is_that_of_the_users_zone() -> None:
    assert _days("FREQ=WEEKLY;BYDAY=SU", "2026-03-01 19:00", 2, NEW_YORK) == ["03-08 19:00", "03-15 19:00"]


def test_what_is_long_ago_is_skipped_at_once() -> None:
    at = datetime(1950, 1, 1, 7, tzinfo=UTC)
    assert next_occurrence("FREQ=DAILY", NOW, at, BERLIN) == datetime(2026, 3, 11, 7, tzinfo=UTC)
    assert next_occurrence("FREQ=MINUTELY", NOW, at, BERLIN) == datetime(2026, 3, 10, 13, 21, tzinfo=UTC)


def test_before_the_first_occurrence_it_is_the_first() -> None:
    at = datetime(2026, 3, 16, 7, tzinfo=UTC)
    assert next_occurrence("FREQ=DAILY", NOW, at, BERLIN) == at


SAID = [
    ("FREQ=DAILY", "every day"),
    ("FREQ=DAILY;INTERVAL=2", "every other day"),
    ("FREQ=DAILY;INTERVAL=3", "every 3 days"),
    ("FREQ=WEEKLY", "every week"),
    ("FREQ=WEEKLY;BYDAY=MO,WE", "every Monday and Wednesday"),
    ("FREQ=WEEKLY;BYDAY=MO,WE,FR", "every Monday, Wednesday and Friday"),
    ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every weekday"),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=FR", "every other Friday"),
    ("FREQ=WEEKLY;INTERVAL=3;BYDAY=FR", "every 3 weeks on Friday"),
    ("FREQ=MONTHLY", "every month"),
    ("FREQ=MONTHLY;BYMONTHDAY=1", "on the 1st of every month"),
    ("FREQ=MONTHLY;BYMONTHDAY=-1", "on the last day of every month"),
    ("FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=22", "every 3 months on the 22nd"),
    ("FREQ=MONTHLY;BYDAY=1MO", "on the first Monday of every month"),
    ("FREQ=MONTHLY;BYDAY=-1FR", "on the last Friday of every month"),
    ("FREQ=YEARLY", "every year"),
    ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=3", "every year on March 3"),
    ("FREQ=HOURLY;INTERVAL=2", "every other hour"),
    ("FREQ=MINUTELY;INTERVAL=30", "every 30 minutes"),
    ("FREQ=DAILY;UNTIL=20261225T225900Z", "every day until December 25, 2026"),
]


@pytest.mark.parametrize(("rule", "words"), SAID)
def test_a_rule_is_said_in_words_that_are_understood(rule: str, words: str) -> None:
    assert say_recurrence(rule, BERLIN) == words
    spoken = parse(words, NOW, BERLIN)
    assert spoken is not None
    assert spoken.recurrence == rule


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY;BYDAY=MO", "every Monday"),
        ("FREQ=DAILY;COUNT=10", "every day, 10 times"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", "on the 1st and the 15th of every month"),
        ("FREQ=MONTHLY;BYDAY=-2FR", "on the second to last Friday of every month"),
        ("FREQ=MONTHLY;BYMONTHDAY=-2", "on the 2nd to last day of every month"),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "every year on the fourth Thursday in November"),
        ("FREQ=YEARLY;BYMONTH=6,7", "every year in June and July"),
    ],
)
def test_rules_nobody_says_so_have_words_too(rule: str, words: str) -> None:
    assert say_recurrence(rule) == words


@pytest.mark.parametrize(
    "rule",
    [
        *("", "FREQ=SECONDLY", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=x", "FREQ=DAILY;FREQ=WEEKLY"),
        *("FREQ=WEEKLY;BYDAY=1MO", "FREQ=WEEKLY;BYDAY=XX", "FREQ=WEEKLY;BYMONTHDAY=1", "FREQ=DAILY;BYHOUR=7"),
        *("FREQ=HOURLY;BYDAY=MO", "FREQ=DAILY;BYSETPOS=1", "FREQ=DAILY;UNTIL=soon", "FREQ=DAILY;COUNT=0"),
        *("FREQ=WEEKLY;WKST=SU", "FREQ=MONTHLY;BYMONTHDAY=0"),
    ],
)
def test_a_rule_we_cannot_follow_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        say_recurrence(rule)


@pytest.mark.parametrize("rule", [rule for rule, _ in SAID])
def test_a_rule_is_written_as_it_was_read(rule: str) -> None:
    assert str(Rule.read(rule)) == rule
