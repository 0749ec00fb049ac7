"""What a model sends as arguments: understood when it can be, refused with one sentence when it cannot."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.agent import Intent, Kind, Parameter
from bridge.core.model import Outcome, Status
from intents.agents import load_agent
from intents.arguments import Arguments, understand
from tests.intents.rig import AGENTS, BERLIN, NOW

GOAL, TASK, MOVE, *_ = load_agent(AGENTS / "flux").intents
ORDER = Intent(
    name="order",
    route="ORDER",
    description="Orders something.",
    handler="planner.add_goal",
    parameters=(
        Parameter(name="size", kind=Kind.CHOICE, choices=("extra-large", "small", "none"), required=True),
        Parameter(name="count", kind=Kind.NUMBER),
        Parameter(name="gift_wrapped", kind=Kind.BOOLEAN),
        Parameter(name="repeat", kind=Kind.RECURRENCE),
        Parameter(name="note"),
        Parameter(name="delivery", kind=Kind.TIME),
    ),
)


def checked(intent: Intent, arguments: object) -> Arguments:
    found = understand(json.dumps(arguments), intent, now=NOW, zone=BERLIN)
    assert isinstance(found, Arguments), found
    return found


def refused(intent: Intent, arguments: object) -> Outcome:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    found = understand(text, intent, now=NOW, zone=BERLIN)
    assert isinstance(found, Outcome), found.values
    assert found.status is Status.REFUSED
    return found


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "learn Spanish",
        "[]",
        '"goal"',
        "17",
        "null",
        '{"goal_statement": NaN}',
        "[" * 9000,
        '{"a": "\\ud800"}',
    ],
)
def test_what_is_no_json_object_is_refused(text: str) -> None:
    outcome = refused(GOAL, text)

    assert outcome.content == "I couldn't read that request, so please say it again."
    assert outcome.note


def test_arguments_over_16_kib_are_refused() -> None:
    fits = {"goal_statement": "run", "unknown": "ä" * 8000}
    found = understand(json.dumps(fits, ensure_ascii=False), GOAL, now=NOW, zone=BERLIN)
    assert isinstance(found, Arguments)

    outcome = refused(GOAL, json.dumps(fits | {"unknown": "ä" * 8200}, ensure_ascii=False))
    assert outcome.content == "That is too much at once, so please say it in fewer words."


def test_what_is_unknown_or_empty_is_dropped() -> None:
    found = checked(
        GOAL,
        {
            "goal_statement": " learn\n Spanish\0 ",
            "timeline": "",
            "context_notes": None,
            "user_id": "eve",
            "x": [],
        },
    )

    assert found.values == found.said == {"goal_statement": "learn Spanish"}


def test_no_arguments_at_all_are_none() -> None:
    assert refused(GOAL, "").content == "I need the goal statement: what would you like to achieve?"


@pytest.mark.parametrize(
    ("intent", "arguments", "sentence"),
    [
        (GOAL, {}, "I need the goal statement: what would you like to achieve?"),
        (
            GOAL,
            {"goal_statement": "  "},
            "I need the goal statement: what would you like to achieve?",
        ),
        (
            GOAL,
            {"goal_statement": ["run"]},
            "I didn't get the goal statement: what would you like to achieve?",
        ),
        (
            GOAL,
            {"goal_statement": {"a": 1}},
            "I didn't get the goal statement: what would you like to achieve?",
        ),
        (GOAL, {"goal_statement": True}, "I didn't get the goal statement: what would you like to achieve?"),
        (
            GOAL,
            {"goal_statement": "a" * 2001},
            "The goal statement is too long, so please say it in fewer words.",
        ),
        (
            GOAL,
            {"goal_statement": "run", "timeline": "a" * 201},
            "The timeline is too long, so please say it in fewer words.",
        ),
        (TASK, {"trigger_type": "time"}, "I need the title for that task: what should I remind you of?"),
        (
            TASK,
            {"title": "run"},
            "I need the trigger type for that task: "
            "should I remind you at a certain time, or at a certain place?",
        ),
        (
            TASK,
            {"title": "run", "trigger_type": "time"},
            "I need a time for that task: when should I remind you?",
        ),
        (
            TASK,
            {"title": "run", "trigger_type": "time", "recurrence_rule": "every monday"},
            "I need a time for that task: when should I remind you?",
        ),
        (
            TASK,
            {"title": "run", "trigger_type": "location", "scheduled_at": "tomorrow"},
            "I need the location trigger for that task: where should I remind you?",
        ),
        (
            TASK,
            {"title": "run", "trigger_type": "mood"},
            "The trigger type has to be time or location: "
            "should I remind you at a certain time, or at a certain place?",
        ),
        (
            TASK,
            {"title": "run", "trigger_type": "time", "scheduled_at": "banana o'clock"},
            "I don't know what time “banana o'clock” is: when should I remind you?",
        ),
        (
            TASK,
            {"title": "run", "trigger_type": "time", "scheduled_at": "today at two"},
            "That was today at 2 PM, which has passed already: when should I remind you?",
        ),
        (
            TASK,
            {"title": "run", "trigger_type": "time", "scheduled_at": "2020-01-01T08:00:00Z"},
            "That was January 1, 2020 at 9 AM, which has passed already: when should I remind you?",
        ),
        (
            TASK,
            {"title": "run", "trigger_type": "time", "scheduled_at": "9999-12-31T23:59:59Z"},
            "I don't know what time “9999-12-31T23:59:59Z” is: when should I remind you?",
        ),
        (
            TASK,
            {
                "title": "run",
                "trigger_type": "time",
                "scheduled_at": "at six",
                "recurrence_rule": "when it rains",
            },
            "I don't know how often “when it rains” is: how often should it repeat?",
        ),
        (
            GOAL,
            {"goal_statement": "run", "timeline": "yesterday"},
            "That was yesterday at 9 AM, which has passed already: by when would you like to reach it?",
        ),
        (
            MOVE,
            {"preferred_new_time": "tomorrow"},
            "I need to know which task: which task should I move?",
        ),
        (ORDER, {"size": "huge"}, "The size has to be extra-large, small or none."),
        (ORDER, {"size": "small", "count": "many"}, "The count has to be a number."),
        (ORDER, {"size": "small", "count": True}, "The count has to be a number."),
        (ORDER, {"size": "small", "gift_wrapped": "maybe"}, "The gift wrapped has to be yes or no."),
        (ORDER, {"size": "small", "gift_wrapped": 1}, "The gift wrapped has to be yes or no."),
    ],
)
def test_each_problem_is_one_sentence(intent: Intent, arguments: dict[str, object], sentence: str) -> None:
    outcome = refused(intent, arguments)

    assert outcome.content == sentence
    assert outcome.note


def test_a_note_names_what_is_wrong_for_the_agent_alone() -> None:
    assert refused(TASK, {"title": "run", "trigger_type": "time"}).note == "missing: scheduled_at"
    assert refused(TASK, {"title": "run", "trigger_type": 5}).note == "wrong: trigger_type"


@pytest.mark.parametrize("size", ["extra-large", "Extra Large", " EXTRA_LARGE ", "extralarge"])
def test_a_choice_may_be_written_differently(size: str) -> None:
    assert checked(ORDER, {"size": size}).text("size") == "extra-large"


def test_a_careless_model_is_understood() -> None:
    found = checked(
        ORDER,
        {
            "size": "none",
            "count": "2.5",
            "gift_wrapped": "Yes",
            "repeat": "does not repeat",
            "note": 12,
            "delivery": "N/A",
        },
    )

    assert found.values == {"size": "none", "count": 2.5, "gift_wrapped": True, "note": "12"}
    assert checked(ORDER, {"size": "small", "count": 3}).values["count"] == 3.0
    assert checked(MOVE, {"task_id": 12}).text("task_id") == "12"


def test_a_time_is_understood_in_the_users_zone_and_its_words_are_kept() -> None:
    found = checked(TASK, {"title": "run", "trigger_type": "time", "scheduled_at": "tomorrow at seven am"})

    when = found.when("scheduled_at")
    assert when is not None
    assert (when.at, when.rule, when.has_time) == (datetime(2026, 11, 3, 6, tzinfo=UTC), None, True)
    assert found.text("scheduled_at") == found.said["scheduled_at"] == "tomorrow at seven am"
    assert found.understood(TASK)["scheduled_at"] == "2026-11-03T06:00:00+00:00"


@pytest.mark.parametrize(
    ("words", "hour"),
    [
        ("2026-11-03T07:00:00", 6),
        ("2026-11-03T07:00:00Z", 7),
        ("2026-11-03T07:00+02:00", 5),
        ("tomorrow at 7 am (Tuesday)", 6),
    ],
)
def test_a_time_may_be_iso_8601_or_have_a_remark(words: str, hour: int) -> None:
    when = checked(TASK, {"title": "run", "trigger_type": "time", "scheduled_at": words}).when("scheduled_at")

    assert when is not None
    assert when.at == datetime(2026, 11, 3, hour, tzinfo=UTC)


def test_now_is_not_in_the_past() -> None:
    for at in ("now", (NOW - timedelta(seconds=90)).isoformat()):
        assert (
            checked(TASK, {"title": "run", "trigger_type": "time", "scheduled_at": at}).text("title") == "run"
        )
    refused(
        TASK,
        {"title": "run", "trigger_type": "time", "scheduled_at": (NOW - timedelta(minutes=3)).isoformat()},
    )


def test_a_time_and_a_repetition_become_the_first_occurrence() -> None:
    found = checked(
        TASK,
        {
            "title": "run",
            "trigger_type": "time",
            "scheduled_at": "next monday",
            "recurrence_rule": "every friday at six pm",
        },
    )

    assert found.understood(TASK) == {
        "title": "run",
        "trigger_type": "time",
        "scheduled_at": "2026-11-13T17:00:00+00:00",
        "recurrence_rule": "FREQ=WEEKLY;BYDAY=FR",
    }


def test_a_repetition_inside_a_time_counts() -> None:
    found = checked(TASK, {"title": "run", "trigger_type": "time", "scheduled_at": "every day at eight am"})

    assert found.understood(TASK)["recurrence_rule"] == "FREQ=DAILY"
    assert found.understood(TASK)["scheduled_at"] == "2026-11-03T07:00:00+00:00"


def test_an_optional_time_that_is_not_understood_keeps_its_words() -> None:
    found = checked(GOAL, {"goal_statement": "run", "timeline": "when I am ready"})

    assert found.text("timeline") == found.understood(GOAL)["timeline"] == "when I am ready"
    when = found.when("timeline")
    assert when is not None
    assert when.at is None


def test_a_parameter_without_a_question_gets_a_plain_sentence() -> None:
    intent = replace(TASK, parameters=(Parameter(name="new_title", required=True),), route="TASK")

    assert refused(intent, {}).content == "I need the new title for that task."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    arguments=st.dictionaries(st.sampled_from([p.name for i in (TASK, ORDER) for p in i.parameters]), JSON)
)
def test_nothing_that_is_sent_raises(arguments: dict[str, object]) -> None:
    for intent in (TASK, ORDER):
        found = understand(json.dumps(arguments), intent, now=NOW, zone=BERLIN)
        if isinstance(found, Outcome):
            assert found.status is Status.REFUSED
            assert found.content.endswith((".", "?"))


@given(text=st.text(st.characters(codec=None, exclude_categories=())))
def test_no_text_raises(text: str) -> None:
    outcome = understand(text, TASK, now=NOW, zone=BERLIN)
    assert isinstance(outcome, Outcome)
