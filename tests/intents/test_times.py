"""Spoken times: what is found in a sentence, what is left of it, and how an instant is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from intents.times import Spoken, find, next_occurrence, parse, say, say_recurrence

BERLIN, NEW_YORK, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")
NOW = datetime(2026, 3, 10, 13, 20, tzinfo=UTC)
"""Tuesday, 14:20 in Berlin."""


def _table() -> dict[str, list[list[str]]]:
    tables: dict[str, list[list[str]]] = {}
    name = ""
    for line in (Path(__file__).parent / "spoken_times.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif line and not line.startswith("#"):
            tables.setdefault(name, []).append([cell.strip() for cell in line.split("|")])
    return tables


TABLE = _table()
KNOWN, HELD_OUT, NO_TIME = TABLE["known"], TABLE["held out"], TABLE["no time"]
PHRASES = [row[0] for row in KNOWN if not row[3]]
VOCABULARY = sorted({word for row in (*KNOWN, *HELD_OUT, *NO_TIME) for word in row[0].split()})


def _local(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def _at(text: str, now: datetime = NOW, zone: ZoneInfo = BERLIN) -> str | None:
    spoken = parse(text, now, zone)
    return f"{spoken.at.astimezone(zone):%Y-%m-%d %H:%M}" if spoken else None


@pytest.mark.parametrize(("text", "at", "rule", "rest"), KNOWN + HELD_OUT, ids=lambda cell: cell[:40] or "-")
def test_a_sentence_gives_its_time_and_what_is_left(text: str, at: str, rule: str, rest: str) -> None:
    spoken = find(text, NOW, BERLIN)
    assert spoken is not None
    assert (spoken.at, spoken.recurrence or "", spoken.rest) == (_local(at), rule, rest)


@pytest.mark.parametrize("row", NO_TIME, ids=lambda row: row[0][:40])
def test_ordinary_words_are_no_time(row: list[str]) -> None:
    assert find(row[0], NOW, BERLIN) is None


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_time_alone_is_read_as_it_is_found(phrase: str) -> None:
    spoken, found = parse(phrase, NOW, BERLIN), find(phrase, NOW, BERLIN)
    assert spoken is not None
    assert found is not None
    assert (spoken.at, spoken.recurrence) == (found.at, found.recurrence)


@pytest.mark.parametrize(
    ("answer", "at"),
    [
        ("five", "2026-03-10 17:00"),
        ("half five", "2026-03-10 17:30"),
        ("7", "2026-03-10 19:00"),
        ("fifteenth", "2026-03-15 09:00"),
        ("three months", "2026-06-10 09:00"),
        ("morning", "2026-03-11 09:00"),
        ("october", "2026-10-01 09:00"),
        ("christmas eve", "2026-12-24 09:00"),
        ("yesterday at noon", "2026-03-09 12:00"),
        ("now", "2026-03-10 14:20"),
        (" tomorrow, please. ", "2026-03-11 09:00"),
        ("Friday, March 13, 2026 at 15:30", "2026-03-13 15:30"),
        ("12 am", "2026-03-11 00:00"),
        ("twelve thirty", "2026-03-11 12:30"),
        ("quarter to one pm", "2026-03-11 12:45"),
        ("730pm", "2026-03-10 19:30"),
        ("Mon, Wed", "2026-03-11 09:00"),
    ],
)
def test_an_answer_may_leave_out_what_the_question_said(answer: str, at: str) -> None:
    assert _at(answer) == at


@pytest.mark.parametrize(
    "text",
    ["", " ", "call mom tomorrow", "thirty", "0 am", "13 pm", "2027-02-30", "2027-13-01T00:00", "12/24"],
)
def test_what_is_not_only_a_time_is_not_read(text: str) -> None:
    assert parse(text, NOW, BERLIN) is None


@pytest.mark.parametrize(
    ("rule", "at", "kept"),
    [
        ("FREQ=WEEKLY;BYDAY=MO,WE", "2026-03-11 09:00", "FREQ=WEEKLY;BYDAY=MO,WE"),
        ("RRULE:FREQ=DAILY;BYHOUR=7;BYMINUTE=30", "2026-03-11 07:30", "FREQ=DAILY"),
        ("freq=monthly;bymonthday=15;count=3", "2026-03-15 09:00", "FREQ=MONTHLY;BYMONTHDAY=15;COUNT=3"),
    ],
)
def test_an_rrule_is_read_too(rule: str, at: str, kept: str) -> None:
    spoken = parse(rule, NOW, BERLIN)
    assert spoken is not None
    assert (spoken.at, spoken.recurrence) == (_local(at), kept)


@pytest.mark.parametrize(
    "rule", ["FREQ=FOO", "FREQ=DAILY;BYSETPOS=1", "FREQ=DAILY;BYHOUR=7,9", "FREQ=DAILY;X"]
)
def test_an_rrule_we_cannot_follow_is_not_read(rule: str) -> None:
    assert parse(rule, NOW, BERLIN) is None


@pytest.mark.parametrize(
    ("text", "timed"),
    [
        *(
            ("tomorrow", False),
            ("tomorrow at five", True),
            ("tomorrow morning", True),
            ("every monday", False),
        ),
        *(("in two weeks", False), ("in two hours", True), ("every two hours", True), ("2027-03-03", False)),
    ],
)
def test_it_is_known_whether_a_time_of_day_was_said(text: str, timed: bool) -> None:
    spoken = parse(text, NOW, BERLIN)
    assert spoken is not None
    assert spoken.has_time is timed


@pytest.mark.parametrize(
    ("text", "named"),
    [
        *(("at five", False), ("in the morning", False), ("17:00", False), ("tomorrow at five", True)),
        *(("friday", True), ("in two hours", True), ("every day at five", True), ("tonight", True)),
    ],
)
def test_it_is_known_whether_a_day_was_said(text: str, named: bool) -> None:
    spoken = parse(text, NOW, BERLIN)
    assert spoken is not None
    assert spoken.has_day is named


def test_the_words_that_were_the_time_are_known() -> None:
    text = "Every Monday go running, at six."
    spoken = find(text, NOW, BERLIN)
    assert spoken is not None
    assert [text[start:end] for start, end in spoken.spans] == ["Every Monday", "at six"]
    assert spoken.phrase == "Every Monday at six"
    assert spoken.rest == "go running."


@pytest.mark.parametrize(
    ("text", "hour", "expected"),
    [
        ("friday", 8, "2026-03-13 09:00"),
        ("friday", 10, "2026-03-20 09:00"),
        ("friday at five", 16, "2026-03-13 17:00"),
        ("friday at five", 18, "2026-03-20 17:00"),
        ("next friday", 8, "2026-03-20 09:00"),
        ("at seven", 6, "2026-03-13 07:00"),
        ("at seven", 8, "2026-03-13 19:00"),
        ("at seven", 20, "2026-03-14 07:00"),
        ("at five", 4, "2026-03-13 17:00"),
        ("at ten", 20, "2026-03-14 10:00"),
        ("tonight", 22, "2026-03-13 23:00"),
        ("tonight", 23, "2026-03-13 23:59"),
        ("this weekend", 20, "2026-03-14 09:00"),
    ],
)
def test_what_is_open_depends_on_the_hour(text: str, hour: int, expected: str) -> None:
    friday = datetime(2026, 3, 13, hour, 20, tzinfo=BERLIN)
    assert _at(text, friday) == expected


@pytest.mark.parametrize(
    ("zone", "now", "text", "expected"),
    [
        (BERLIN, "2026-03-28T12:00", "tomorrow at two thirty am", "2026-03-29T01:30Z"),  # skipped: 03:30
        (BERLIN, "2026-03-28T12:00", "tomorrow at noon", "2026-03-29T10:00Z"),
        (BERLIN, "2026-03-28T12:00", "in 24 hours", "2026-03-29T11:00Z"),
        (BERLIN, "2026-10-24T12:00", "tomorrow at two thirty am", "2026-10-25T00:30Z"),  # twice: the first
        (BERLIN, "2026-10-24T12:00", "tomorrow at three am", "2026-10-25T02:00Z"),
        (NEW_YORK, "2026-03-07T12:00", "sunday at 2:30 am", "2026-03-08T07:30Z"),
        (NEW_YORK, "2026-03-07T12:00", "in two days at nine", "2026-03-09T13:00Z"),
        (NEW_YORK, "2026-10-31T12:00", "tomorrow at one thirty in the morning", "2026-11-01T05:30Z"),
        (NEW_YORK, "2026-10-31T12:00", "every day at seven", "2026-11-01T12:00Z"),
        (KOLKATA, "2026-03-11T01:30", "tomorrow at 7 am", "2026-03-12T01:30Z"),
        (KOLKATA, "2026-03-11T01:30", "at half past nine", "2026-03-11T04:00Z"),
        (KOLKATA, "2026-03-11T01:30", "2026-03-12T17:00", "2026-03-12T11:30Z"),
    ],
)
def test_wall_time_is_the_users(zone: ZoneInfo, now: str, text: str, expected: str) -> None:
    spoken = parse(text, _local(now, zone), zone)
    assert spoken is not None
    assert spoken.at == datetime.fromisoformat(expected)
    assert spoken.at.tzinfo is UTC


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-03-10 17:00", "today at 5 PM"),
        ("2026-03-10 00:00", "today at 12 AM"),
        ("2026-03-11 07:00", "tomorrow at 7 AM"),
        ("2026-03-11 00:00", "tomorrow at midnight"),
        ("2026-03-09 12:30", "yesterday at 12:30 PM"),
        ("2026-03-13 17:30", "Friday at 5:30 PM"),
        ("2026-03-17 12:00", "March 17 at noon"),
        ("2027-03-03 12:00", "March 3 at noon"),
        ("2027-03-17 09:05", "March 17, 2027 at 9:05 AM"),
        ("2026-03-01 09:00", "March 1, 2026 at 9 AM"),
    ],
)
def test_an_instant_is_said_in_the_users_zone(at: str, words: str) -> None:
    assert say(_local(at), NOW, BERLIN) == words


ZONES = st.sampled_from([BERLIN, NEW_YORK, KOLKATA, ZoneInfo("Pacific/Auckland"), ZoneInfo("UTC")])
NOWS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@settings(deadline=None)
@given(NOWS, st.integers(-3 * 1440, 800 * 1440), ZONES)
def test_what_is_said_is_understood(now: datetime, minutes: int, zone: ZoneInfo) -> None:
    at = now.replace(second=0, microsecond=0) + timedelta(minutes=minutes)
    assume(at.astimezone(zone).fold == 0)  # the second 02:30 of a night cannot be said
    words = say(at, now, zone)
    spoken = parse(words, now, zone)
    assert spoken is not None, words
    assert spoken.at == at


TITLES = st.lists(
    st.sampled_from(["call", "mom", "Dr.", "Smith's", "the", "second", "plumber,", "pay", "Rent", "to-do"]),
    min_size=1,
    max_size=6,
).map(" ".join)


@settings(deadline=None)
@given(TITLES, st.sampled_from(PHRASES))
def test_the_title_is_what_is_left(title: str, phrase: str) -> None:
    assume(not title.endswith((",", "the", "second")))
    spoken = find(f"remind me to {title} {phrase}", NOW, BERLIN)
    alone = find(phrase, NOW, BERLIN)
    assert spoken is not None
    assert alone is not None
    assert (spoken.at, spoken.recurrence, spoken.rest) == (
        alone.at,
        alone.recurrence,
        f"remind me to {title}",
    )
    assert phrase not in spoken.rest


@settings(deadline=None)
@given(st.text() | st.lists(st.sampled_from(VOCABULARY), max_size=12).map(" ".join), NOWS, ZONES)
def test_nothing_that_is_said_raises(text: str, now: datetime, zone: ZoneInfo) -> None:
    for spoken in (find(text, now, zone), parse(text, now, zone)):
        if spoken is not None:
            _check(spoken, text, now, zone)


def _check(spoken: Spoken, text: str, now: datetime, zone: ZoneInfo) -> None:
    edges = [edge for span in spoken.spans for edge in span]
    assert edges == sorted(edges)
    assert all(text[start:end].strip() for start, end in spoken.spans)
    assert spoken.at.tzinfo is UTC
    if spoken.recurrence:
        assert say_recurrence(spoken.recurrence, zone)
        assert spoken.at > now
        following = next_occurrence(spoken.recurrence, spoken.at, spoken.at, zone)
        assert following is None or following > spoken.at


@pytest.mark.parametrize(
    "text",
    [
        *("1 ", "on ", "every monday and ", "no wait ", "tomorrow ", ", ", "the ", "at five thirty ", "um "),
        *("\u0130", "2026-", "a", "half past ", "in 5 ", "every day for two weeks until friday at noon "),
    ],
)
def test_a_long_text_takes_no_long_time(text: str) -> None:
    text *= 100_000 // len(text)
    start = perf_counter()
    find(f"{text} tomorrow", NOW, BERLIN)
    parse(text, NOW, BERLIN)
    assert perf_counter() - start < 2


@pytest.mark.parametrize("text", ["in 99999 years", "in 9999 years", "9999-12-31T23:59:59-12:00"])
def test_a_time_beyond_the_calendar_is_none(text: str) -> None:
    assert find(text, NOW, BERLIN) is None
    assert parse(text, NOW, BERLIN) is None
