"""The three functions of the planner, on a real database, in the user's zone (Berlin, Monday 14:30)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.core.model import Status
from tests.intents.rig import Rig, rig


@pytest.fixture
async def flux(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(tmp_path) as made:
        yield made


async def new_task(flux: Rig, **arguments: str) -> str:
    outcome = await flux.run("submit_new_task_intent", {"trigger_type": "time"} | arguments)
    assert outcome.status is Status.DONE, outcome.content
    assert outcome.task_id is not None
    return outcome.task_id


async def test_a_goal_is_saved_with_its_timeline_as_said_and_as_meant(flux: Rig) -> None:
    outcome = await flux.run(
        "submit_goal_intent",
        {"goal_statement": "learn Spanish", "timeline": "in three months", "context_notes": "for Madrid"},
    )

    assert outcome.content == "Goal saved: learn Spanish, in three months."
    (goal,) = await flux.record.store.goals("ada")
    assert (outcome.status, outcome.route, outcome.goal_id) == (Status.DONE, "GOAL", goal.id)
    assert outcome.note == f"goal_id: {goal.id}"
    assert (goal.statement, goal.timeline, goal.context_notes) == (
        "learn Spanish",
        "in three months",
        "for Madrid",
    )
    assert goal.due_at == datetime(2027, 2, 2, 8, tzinfo=UTC)
    assert goal.conversation_id == flux.job.conversation_id


async def test_a_goal_needs_no_timeline_and_keeps_one_that_is_not_understood(flux: Rig) -> None:
    plain = await flux.run("submit_goal_intent", {"goal_statement": "run a marathon"})
    vague = await flux.run("submit_goal_intent", {"goal_statement": "see Japan", "timeline": "some day"})

    assert plain.content == "Goal saved: run a marathon."
    assert vague.content == "Goal saved: see Japan, some day."
    first, second = sorted(await flux.record.store.goals("ada"), key=lambda goal: goal.statement)
    assert (first.timeline, first.due_at) == ("", None)
    assert (second.timeline, second.due_at) == ("some day", None)


async def test_a_task_at_a_time_is_stored_in_utc_and_said_in_the_users_zone(flux: Rig) -> None:
    outcome = await flux.run(
        "submit_new_task_intent",
        {"title": "morning run", "trigger_type": "time", "scheduled_at": "tomorrow at seven am"},
    )

    assert outcome.content == "I'll remind you tomorrow at 7 AM: morning run."
    (task,) = await flux.record.store.tasks("ada")
    assert (outcome.task_id, outcome.note) == (task.id, f"task_id: {task.id}")
    assert task.scheduled_at == datetime(2026, 11, 3, 6, tzinfo=UTC)
    assert (task.trigger_type, task.recurrence_rule, task.location_trigger) == ("time", None, None)


@pytest.mark.parametrize(
    ("scheduled_at", "recurrence_rule"),
    [
        ("at seven am", "every Monday and Wednesday"),
        ("07:00", "FREQ=WEEKLY;BYDAY=MO,WE"),
        ("every Monday and Wednesday at seven am", None),
        (None, "every Monday and Wednesday at seven am"),
        ("2026-11-02T07:00", "every Monday and Wednesday"),
    ],
)
async def test_a_repeated_task_starts_with_its_first_occurrence(
    flux: Rig, scheduled_at: str | None, recurrence_rule: str | None
) -> None:
    outcome = await flux.run(
        "submit_new_task_intent",
        {
            "title": "run",
            "trigger_type": "time",
            "scheduled_at": scheduled_at,
            "recurrence_rule": recurrence_rule,
        },
    )

    assert outcome.content == "I'll remind you every Monday and Wednesday, starting Wednesday at 7 AM: run."
    (task,) = await flux.record.store.tasks("ada")
    assert task.recurrence_rule == "FREQ=WEEKLY;BYDAY=MO,WE"
    assert task.scheduled_at == datetime(2026, 11, 4, 6, tzinfo=UTC)


async def test_a_task_at_a_place_has_no_time(flux: Rig) -> None:
    outcome = await flux.run(
        "submit_new_task_intent",
        {
            "title": "water the plants",
            "trigger_type": "Location",
            "location_trigger": "the office",
            "scheduled_at": "when I arrive",
        },
    )

    assert outcome.content == "I'll remind you at the office: water the plants."
    (task,) = await flux.record.store.tasks("ada")
    assert (task.trigger_type, task.location_trigger, task.scheduled_at) == ("location", "the office", None)


async def test_a_task_is_moved_and_the_old_time_and_reason_are_kept(flux: Rig) -> None:
    task_id = await new_task(flux, title="call mom", scheduled_at="today at 5 pm")

    outcome = await flux.run(
        "submit_reschedule_intent",
        {"task_id": task_id, "preferred_new_time": "tomorrow at six pm", "reason": "a meeting"},
    )

    assert outcome.content == "Moved: call mom, from today at 5 PM to tomorrow at 6 PM."
    (task,) = await flux.record.store.tasks("ada")
    assert (outcome.task_id, outcome.route) == (task.id, "RESCHEDULE_TASK")
    assert task.scheduled_at == datetime(2026, 11, 3, 17, tzinfo=UTC)
    assert task.previous_time == datetime(2026, 11, 2, 16, tzinfo=UTC)
    assert task.reschedule_reason == "a meeting"


@pytest.mark.parametrize(
    ("words", "spoken"),
    [
        ("tomorrow", "tomorrow at 10 AM"),
        ("at eleven", "Friday at 11 AM"),
        ("by two hours", "Friday at noon"),
        ("one day earlier", "Thursday at 10 AM"),
        ("half an hour later", "Friday at 10:30 AM"),
        ("today at six", "today at 6 PM"),
        ("in an hour", "today at 3:30 PM"),
        ("2026-11-07T08:00", "Saturday at 8 AM"),
    ],
)
async def test_a_new_time_keeps_what_it_does_not_say(flux: Rig, words: str, spoken: str) -> None:
    task_id = await new_task(flux, title="dentist", scheduled_at="friday at ten am")

    outcome = await flux.run("submit_reschedule_intent", {"task_id": task_id, "preferred_new_time": words})

    assert outcome.content == f"Moved: dentist, from Friday at 10 AM to {spoken}."


async def test_a_task_that_is_there_already_is_not_moved(flux: Rig) -> None:
    task_id = await new_task(flux, title="dentist", scheduled_at="friday at ten am")

    outcome = await flux.run("submit_reschedule_intent", {"task_id": task_id, "preferred_new_time": "friday"})

    assert (outcome.status, outcome.content) == (Status.DONE, "Dentist is Friday at 10 AM already.")
    (task,) = await flux.record.store.tasks("ada")
    assert task.previous_time is None


@pytest.mark.parametrize("said", ["call mom", "Call Mom.", "the call", "my call to mom task"])
async def test_a_task_may_be_named_by_its_title(flux: Rig, said: str) -> None:
    await new_task(flux, title="water the plants", scheduled_at="tomorrow at 9 am")
    task_id = await new_task(flux, title="call mom", scheduled_at="tomorrow at 10 am")

    outcome = await flux.run(
        "submit_reschedule_intent", {"task_id": said, "preferred_new_time": "tomorrow at 11 am"}
    )

    assert (outcome.status, outcome.task_id) == (Status.DONE, task_id)


async def test_a_title_that_fits_several_tasks_is_asked_about(flux: Rig) -> None:
    first = await new_task(flux, title="call mom", scheduled_at="tomorrow at 10 am")
    second = await new_task(flux, title="call the bank", scheduled_at="tomorrow at 11 am")

    outcome = await flux.run("submit_reschedule_intent", {"task_id": "call", "preferred_new_time": "friday"})

    assert outcome.status is Status.REFUSED
    assert outcome.content == (
        "Which one do you mean: call mom tomorrow at 10 AM or call the bank tomorrow at 11 AM?"
    )
    assert outcome.note == f"task_id: {first}, task_id: {second}"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "To what time should I move dentist?"),
        (
            {"preferred_new_time": "banana o'clock"},
            "I don't know what time “banana o'clock” is: when should dentist be?",
        ),
        (
            {"preferred_new_time": "yesterday at five"},
            "That was yesterday at 5 PM, which has passed already: when should it be instead?",
        ),
        (
            {"preferred_new_time": "a week earlier"},
            "That was October 30, 2026 at 10 AM, which has passed already: when should dentist be?",
        ),
        (
            {"preferred_new_time": "every tuesday at nine"},
            "I can't change how often dentist is, but I can move it once: when should it be?",
        ),
        (
            {"task_id": "gym", "preferred_new_time": "tomorrow"},
            "There is no open task “gym”: which task do you mean?",
        ),
        (
            {"task_id": "9999", "preferred_new_time": "tomorrow"},
            "There is no open task “9999”: which task do you mean?",
        ),
    ],
)
async def test_what_cannot_be_moved_is_asked_about_and_stays(
    flux: Rig, arguments: dict[str, str], sentence: str
) -> None:
    task_id = await new_task(flux, title="dentist", scheduled_at="friday at ten am")

    outcome = await flux.run("submit_reschedule_intent", {"task_id": task_id} | arguments)

    assert (outcome.status, outcome.content) == (Status.REFUSED, sentence)
    (task,) = await flux.record.store.tasks("ada")
    assert task.scheduled_at == datetime(2026, 11, 6, 9, tzinfo=UTC)
    assert task.previous_time is None


async def test_nobody_moves_somebody_elses_task(flux: Rig, tmp_path: Path) -> None:
    task_id = await new_task(flux, title="dentist", scheduled_at="friday at ten am")

    async with rig(tmp_path / "other", user="eve") as other:
        claim = await flux.record.store.claim("eve", agent="flux", conversation_id=None)
        outcome = await flux.run(
            "submit_reschedule_intent",
            {"task_id": task_id, "preferred_new_time": "tomorrow", "user_id": "ada"},
            person=other.job.person,
            conversation_id=claim.conversation.id,
            epoch=claim.epoch,
        )

    assert outcome.status is Status.REFUSED
    (task,) = await flux.record.store.tasks("ada")
    assert task.previous_time is None


async def test_the_conversation_is_linked_to_what_was_made(flux: Rig) -> None:
    task_id = await new_task(flux, title="dentist", scheduled_at="friday at ten am")

    conversation = await flux.record.store.conversation("ada", flux.job.conversation_id)
    assert conversation.linked_task_id == task_id
    assert conversation.extracted_intent == "NEW_TASK"
    assert conversation.intent_payload == {
        "title": "dentist",
        "trigger_type": "time",
        "scheduled_at": "friday at ten am",
    }
