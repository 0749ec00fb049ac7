"""`make eval` itself: two sentences through the whole bridge, and what it judges by."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.eval import dates, voices
from tests.eval.cases import Case, load
from tests.eval.judging import Stored, judge
from tests.eval.lane import Job, run
from tests.eval.report import Report
from tests.eval.wording import errors, key, rule_key, words

BERLIN = ZoneInfo("Europe/Berlin")
FRIDAY = datetime(2026, 3, 27, 14, 20, tzinfo=BERLIN)
"""Two days before the clocks go forward."""


def case(**changes: object) -> Case:
    plain = {"set": "tuning", "kind": "time", "say": ("x",), "answer": "x"}
    return Case(**{**plain, **changes})  # type: ignore[arg-type]


def task(title: str, at: str | None, **changes: object) -> dict[str, object]:
    plain = {
        "id": "7", "title": title, "trigger_type": "time", "scheduled_at": at, "recurrence_rule": None,
        "location_trigger": None, "previous_time": None, "reschedule_reason": "",
    }  # fmt: skip
    return {**plain, **changes}


async def test_a_goal_and_a_move_are_typed_through_the_whole_bridge_and_judged(tmp_path: Path) -> None:
    cases = load("tuning")
    goal, move = cases[0], next(case for case in cases if case.given)
    assert goal.say == ("I want to learn Spanish in three months",)
    jobs = [Job(case=goal, voice=""), Job(case=move, voice="")]
    found = await run(jobs, lanes=1, folder=tmp_path, voiced={})
    assert [(str(r.verdict), r.verdict.right, r.problem) for r in found.results] == [("", 1, ""), ("", 1, "")]
    assert found.results[0].heard == goal.say
    assert found.faults == []
    assert "100.0 %" in Report(found.results).text()


@pytest.mark.skipif(not shutil.which("flite"), reason="flite is missing: sudo apt-get install flite")
async def test_every_voice_speaks_and_speech_ends_before_the_sound_does() -> None:
    for voice in voices.VOICES:
        spoken = await voices.speak("Remind me to call mom tomorrow at ten am", voice)
        assert 1.5 < spoken.last_loud / voices.RATE < len(spoken.pcm) / 2 / voices.RATE


def test_the_held_out_sentences_are_others_than_those_for_tuning() -> None:
    tuning, held_out = (
        {turn.lower() for c in load(name) for turn in c.say} for name in ("tuning", "held_out")
    )
    assert len(load("tuning")) >= 60
    assert len(load("held_out")) >= 40
    assert not tuning & held_out


@pytest.mark.parametrize(
    ("when", "right"),
    [
        ({"day": 1, "time": "17:00"}, ["2026-03-28T17:00+01:00"]),
        ({"day": 3, "time": "17:00"}, ["2026-03-30T17:00+02:00"]),
        ({"weekday": "monday", "time": "09:00"}, ["2026-03-30T09:00+02:00"]),
        ({"weekday": "friday", "time": "18:00"}, ["2026-03-27T18:00+01:00", "2026-04-03T18:00+02:00"]),
        ({"weekday": "friday", "time": "09:00"}, ["2026-04-03T09:00+02:00"]),
        ({"weekday": ["friday", "tuesday"], "time": "09:00"}, ["2026-03-31T09:00+02:00"]),
        ({"next": "14:00"}, ["2026-03-28T14:00+01:00"]),
        ({"next": "14:30"}, ["2026-03-27T14:30+01:00"]),
        ({"monthday": 1, "time": "09:00"}, ["2026-04-01T09:00+02:00"]),
        ({"date": "03-27", "time": "09:00"}, ["2027-03-27T09:00+01:00"]),
    ],
)
def test_days_and_hours_are_instants_on_the_day_of_the_run(when: dates.When, right: list[str]) -> None:
    wanted = [datetime.fromisoformat(text) for text in right]
    assert [begin for begin, _ in dates.instants(when, FRIDAY)] == wanted
    assert dates.first(when, FRIDAY) == wanted[0]
    assert not dates.right(wanted[0] + timedelta(minutes=1), when, FRIDAY)


def test_a_time_from_now_may_be_off_by_as_long_as_a_talk_takes() -> None:
    when = {"in": {"minutes": 20}}
    assert dates.right(FRIDAY + timedelta(minutes=21), when, FRIDAY)
    assert not dates.right(FRIDAY + timedelta(minutes=23), when, FRIDAY)


def test_wordings_are_compared_as_they_sound() -> None:
    assert words("At 5 p.m., I'm 42-ish") == ["at", "five", "pm", "i'm", "forty", "two", "ish"]
    assert words("5,000 at 7 A M") == ["five", "thousand", "at", "seven", "am"]
    assert key("The Office") == key("office") != key("at the office")
    assert key("at the office", leading=True) == key("office")
    assert rule_key("RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=WE,MO") == rule_key("BYDAY=MO,WE;FREQ=WEEKLY")
    assert rule_key("FREQ=WEEKLY;BYDAY=MO") != rule_key("FREQ=WEEKLY;BYDAY=TU")
    assert errors(["call mom at 5"], ["call tom five"]) == (2, 4)


def test_a_wish_is_right_only_with_every_argument() -> None:
    wish = case(made=({"task": "call mom", "at": {"day": 1, "time": "17:00"}},))
    good = task("Call Mom", "2026-03-28T16:00:00Z")
    assert judge(wish, Stored([], [good], []), FRIDAY).good
    for change in ({"title": "call tom"}, {"scheduled_at": "2026-03-28T17:00:00Z"}, {"scheduled_at": None},
                   {"recurrence_rule": "FREQ=DAILY"}, {"location_trigger": "home"},
                   {"trigger_type": "location"}):  # fmt: skip
        verdict = judge(wish, Stored([], [{**good, **change}], []), FRIDAY)
        assert (verdict.right, len(verdict.wrong)) == (0, 1), change


def test_what_nobody_wished_is_a_wrong_action() -> None:
    goal: dict[str, object] = {"statement": "fly", "timeline": "", "context_notes": ""}
    moved = task("run", "2026-03-28T16:00:00Z", previous_time="2026-03-28T06:00:00Z")
    verdict = judge(case(), Stored([goal], [task("x", None)], [moved]), FRIDAY)
    assert verdict.extra == ("goal fly", "task x", "moved run")
    assert judge(case(), Stored([], [], [task("run", "2026-03-28T16:00:00Z")]), FRIDAY).good


def test_a_wish_that_is_not_there_is_missing() -> None:
    wish = case(made=({"moved": "run", "at": {"day": 1, "time": "17:00"}},))
    still = task("run", "2026-03-28T06:00:00Z")
    assert judge(wish, Stored([], [], [still]), FRIDAY).missing == ("moved run",)
