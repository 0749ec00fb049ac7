"""What cannot be undone: asked first, done once on an answer, for that very thing, never for another user."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.core.agent import Agent, Effect, Intent, Parameter
from bridge.core.model import Outcome, Person, Status
from bridge.core.questions import ASK_FIRST
from tests.intents.rig import NOW, Rig, rig

DELETE = "submit_delete_goal_intent"
REQUEST = "request-1"


@pytest.fixture
async def planner(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(tmp_path) as made:
        for goal in ("learn Spanish", "run a marathon"):
            await made.run("submit_goal_intent", {"goal_statement": goal})
        yield made


async def goals(made: Rig, user: str = "ada") -> list[str]:
    return sorted(goal.statement for goal in await made.record.store.goals(user))


async def delete(
    made: Rig, what: str, call_id: str, answered: Iterable[str] = (), **changes: object
) -> Outcome:
    keys = frozenset((REQUEST, key) for key in answered)
    job = made.of(DELETE, {"goal_id": what}, call_id)
    return await made.executor.run(replace(job, answered=keys, **changes))  # type: ignore[arg-type]


async def test_the_first_call_deletes_nothing_and_says_what_to_ask(planner: Rig) -> None:
    outcome = await delete(planner, "Spanish", "d1")

    assert (outcome.status, outcome.route) == (Status.UNCONFIRMED, "DELETE_GOAL")
    assert outcome.content == "Shall I really delete the goal “learn Spanish”?"
    assert outcome.note.startswith(ASK_FIRST)
    assert await goals(planner) == ["learn Spanish", "run a marathon"]


async def test_answered_it_is_done(planner: Rig) -> None:
    await delete(planner, "Spanish", "d1")
    outcome = await delete(planner, "Spanish", "d2", ["d1"])

    assert (outcome.status, outcome.content) == (Status.DONE, "Deleted the goal: learn Spanish.")
    assert await goals(planner) == ["run a marathon"]
    assert (await delete(planner, "Spanish", "d2", ["d1"])).content == outcome.content


@pytest.mark.parametrize(
    ("what", "call_id", "answered"),
    [
        ("marathon", "d2", ["d1"]),
        ("spanish ", "d2", ["d0", "", "d2", "none"]),
        ("learn Spanish", "d2", ["d1"]),
        ("Spanish", "d1", ["d1"]),
        ("Spanish", "d2", []),
    ],
)
async def test_another_call_another_answer_or_none_is_none(
    planner: Rig, what: str, call_id: str, answered: list[str]
) -> None:
    await delete(planner, "Spanish", "d1")
    outcome = await delete(planner, what, call_id, answered)

    assert outcome.status is Status.UNCONFIRMED
    assert await goals(planner) == ["learn Spanish", "run a marathon"]


async def test_an_answer_is_good_for_one_call_even_when_two_come_at_once(planner: Rig) -> None:
    await delete(planner, "Spanish", "d1")
    await planner.run("submit_goal_intent", {"goal_statement": "speak Spanish"})
    first = await delete(planner, "learn Spanish", "d2")
    assert first.status is Status.UNCONFIRMED

    outcomes = await asyncio.gather(*(delete(planner, "learn Spanish", f"e{n}", ["d2"]) for n in range(8)))

    assert [outcome.status for outcome in outcomes].count(Status.DONE) == 1
    assert await goals(planner) == ["run a marathon", "speak Spanish"]


async def test_the_answer_is_not_used_by_a_call_that_is_withdrawn(planner: Rig) -> None:
    await delete(planner, "Spanish", "d1")
    call = asyncio.ensure_future(delete(planner, "Spanish", "d2", ["d1"]))
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait([call])
    if call.cancelled():
        assert await goals(planner) == ["learn Spanish", "run a marathon"]
        assert (await delete(planner, "Spanish", "d3", ["d1"])).status is Status.DONE
    assert await goals(planner) == ["run a marathon"]


async def test_the_same_words_for_another_thing_are_another_question(planner: Rig) -> None:
    await delete(planner, "Spanish", "d1")
    (spanish,) = [g for g in await planner.record.store.goals("ada") if g.statement == "learn Spanish"]
    await delete(planner, spanish.id, "d2")
    assert (await delete(planner, spanish.id, "d3", ["d2"])).status is Status.DONE
    await planner.run("submit_goal_intent", {"goal_statement": "learn Spanish"}, asked_at=NOW)

    outcome = await delete(planner, "Spanish", "d4", ["d1"])

    assert outcome.status is Status.UNCONFIRMED
    assert await goals(planner) == ["learn Spanish", "run a marathon"]


async def test_another_user_cannot_use_the_answer_nor_reach_the_goal(planner: Rig) -> None:
    (spanish,) = [g for g in await planner.record.store.goals("ada") if g.statement == "learn Spanish"]
    await delete(planner, spanish.id, "d1")
    claim = await planner.record.store.claim("eve", agent="flux", conversation_id=None)
    eve = {"person": Person(id="eve"), "conversation_id": claim.conversation.id, "epoch": claim.epoch}

    for call_id in ("d1", "d2"):
        outcome = await delete(planner, spanish.id, call_id, ["d1"], **eve)
        assert outcome.status is Status.REFUSED

    outcome = await delete(planner, spanish.id, "d9", ["d1"], person=Person(id="eve"))
    assert outcome.status in (Status.FAILED, Status.REFUSED)
    assert await goals(planner) == ["learn Spanish", "run a marathon"]


async def test_an_owner_who_was_taken_over_deletes_nothing(planner: Rig) -> None:
    await delete(planner, "Spanish", "d1")
    await planner.record.store.claim("ada", agent="flux", conversation_id=planner.job.conversation_id)

    assert (await delete(planner, "Spanish", "d2", ["d1"])).status is Status.FAILED
    assert await goals(planner) == ["learn Spanish", "run a marathon"]


async def test_with_the_store_away_nothing_is_noted(planner: Rig) -> None:
    await delete(planner, "Spanish", "d1")
    await planner.record.database.close()

    for answered in ([], ["d1"]):
        outcome = await delete(planner, "Spanish", "d2", answered)
        assert outcome.status is Status.FAILED
        assert outcome.content == "I can't do that right now, so please ask me again in a moment."


async def test_what_was_done_before_and_lost_is_done_again_without_a_question(planner: Rig) -> None:
    assert (await delete(planner, "Spanish", "d1", confirmed=True)).status is Status.DONE
    assert await goals(planner) == ["run a marathon"]


async def test_what_is_not_there_or_not_clear_is_asked_about(planner: Rig) -> None:
    await planner.run("submit_goal_intent", {"goal_statement": "speak Spanish"})

    assert (await delete(planner, "chess", "d1")).content.startswith("There is no goal “chess”")
    unclear = await delete(planner, "Spanish", "d2")
    assert unclear.status is Status.REFUSED
    assert unclear.content == "Which goal do you mean: speak Spanish or learn Spanish?"


async def test_a_task_is_deleted_the_same_way(planner: Rig) -> None:
    task = {"title": "dentist", "trigger_type": "time", "scheduled_at": "tomorrow at five pm"}
    await planner.run("submit_new_task_intent", task)
    first = planner.of("submit_delete_task_intent", {"task_id": "the dentist"}, "d1")
    asked = await planner.executor.run(first)
    assert asked.content == "Shall I really delete the task “dentist”?"
    second = planner.of("submit_delete_task_intent", {"task_id": "the dentist"}, "d2")
    outcome = await planner.executor.run(replace(second, answered=frozenset({(REQUEST, "d1")})))

    assert outcome.content == "Deleted the task: dentist."
    assert await planner.record.store.tasks("ada") == []


def sampler(effect: Effect) -> Agent:
    intent = Intent(
        name="add",
        route="WIPE_ALL",
        description="Does something.",
        handler="python:tests.intents.samples:add",
        parameters=(Parameter(name="what", required=True),),
        effect=effect,
    )
    return Agent(name="sampler", title="Sampler", prompt="You test.", intents=(intent,))


async def test_a_handler_that_says_no_question_gets_one(tmp_path: Path) -> None:
    async with rig(tmp_path, agent=sampler(Effect.DESTRUCTIVE)) as made:
        outcome = await made.run("add", {"what": "a walk"})
        assert outcome.status is Status.UNCONFIRMED
        assert outcome.content == "That cannot be undone: shall I really do it, wipe all?"
        assert await goals(made) == []
        keys = frozenset({(REQUEST, "call-1")})
        assert (await made.run("add", {"what": "a walk"}, answered=keys)).status is Status.DONE
        assert await goals(made) == ["a walk"]


async def test_what_only_reads_writes_nothing(tmp_path: Path) -> None:
    async with rig(tmp_path, agent=sampler(Effect.READ)) as made:
        assert (await made.run("add", {"what": "a walk"})).status is Status.DONE
        assert await goals(made) == []
