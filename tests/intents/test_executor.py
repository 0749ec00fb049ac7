"""Calls executed on a real ledger: once, within their time, and always answered with a sentence."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.core.agent import Agent, Effect, Intent, Parameter
from bridge.core.model import Outcome, Person, Status
from bridge.errors import BadConfig
from intents.handlers.http import HttpSettings
from tests.intents.rig import Rig, rig


def sample(name: str, **changes: object) -> Intent:
    """An intent whose handler is one of the samples."""
    plain = Intent(
        name=name,
        route=name.upper(),
        description="Does something.",
        handler=f"python:tests.intents.samples:{name}",
        parameters=(Parameter(name="what", required=True, question="What?"),),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


SAMPLER = Agent(
    name="sampler",
    title="Sampler",
    prompt="You test.",
    intents=(
        sample("add"),
        sample("add_and_refuse"),
        sample("add_and_break"),
        sample("add_and_hang", limit_seconds=0.2),
        sample("time_out"),
        sample("lose_the_store"),
        sample("look", handler="python:tests.intents.samples:add", effect=Effect.READ),
        sample("answer_with_a_number"),
        sample("answer_with_half_a_character"),
        sample("gone", handler="python:tests.intents.samples:gone"),
        sample("once", handler="python:tests.intents.samples:add", dedupe=("what",)),
    ),
)


@pytest.fixture
async def sampler(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(tmp_path, agent=SAMPLER) as made:
        yield made


async def goals(made: Rig) -> list[str]:
    return sorted(goal.statement for goal in await made.record.store.goals("ada"))


async def test_a_sentence_is_an_outcome_that_is_done(sampler: Rig) -> None:
    outcome = await sampler.run("add", {"what": "a walk"})

    assert (outcome.status, outcome.content, outcome.route) == (Status.DONE, "Added a walk for Ada.", "ADD")
    assert 0 <= outcome.duration_ms < 5000
    assert await goals(sampler) == ["a walk"]


async def test_the_same_call_again_gets_the_stored_outcome(sampler: Rig) -> None:
    job = sampler.of("add", {"what": "a walk"}, "call-1")

    first, second = [await sampler.executor.run(job) for _ in range(2)]

    assert first.content == second.content
    assert await goals(sampler) == ["a walk"]


async def test_the_same_call_at_the_same_time_runs_once(sampler: Rig) -> None:
    job = sampler.of("add", {"what": "a walk"}, "call-1")

    outcomes = await asyncio.gather(*(sampler.executor.run(job) for _ in range(8)))

    assert {outcome.content for outcome in outcomes} == {"Added a walk for Ada."}
    assert await goals(sampler) == ["a walk"]


async def test_the_same_call_with_other_arguments_is_refused(sampler: Rig) -> None:
    await sampler.executor.run(sampler.of("add", {"what": "a walk"}, "call-1"))
    outcome = await sampler.executor.run(sampler.of("add", {"what": "a swim"}, "call-1"))

    assert outcome.status is Status.REFUSED
    assert outcome.content == "That call was made before with other arguments, so it isn't done again."
    assert await goals(sampler) == ["a walk"]


async def test_the_same_wish_under_another_id_runs_once(sampler: Rig) -> None:
    for wish in ("a walk", "A  Walk", "a swim"):
        assert (await sampler.run("once", {"what": wish})).status is Status.DONE

    assert await goals(sampler) == ["a swim", "a walk"]


async def test_an_unknown_function_is_answered(sampler: Rig) -> None:
    outcome = await sampler.run("fly_" * 30, {})

    assert outcome.status is Status.REFUSED
    assert outcome.content.startswith("I can't do that: there is no function called “fly_fly_")
    assert len(outcome.content) < 120
    assert outcome.route == ""


async def test_wrong_arguments_are_answered_before_anything_happens(sampler: Rig) -> None:
    outcome = await sampler.run("add", {})

    assert (outcome.status, outcome.route) == (Status.REFUSED, "ADD")
    assert outcome.content == "I need the what for that add: what?"
    assert await goals(sampler) == []


async def test_what_a_handler_refuses_leaves_nothing(sampler: Rig) -> None:
    outcome = await sampler.run("add_and_refuse", {"what": "a walk"})

    assert (outcome.status, outcome.content) == (Status.REFUSED, "Rather not.")
    assert await goals(sampler) == []


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("add_and_break", "RuntimeError"),
        ("time_out", "TimeoutError"),
        ("answer_with_a_number", "TypeError"),
        ("gone", "BadConfig"),
    ],
)
async def test_a_fault_in_a_handler_is_a_sentence_and_a_line_in_the_log(
    sampler: Rig, name: str, error: str
) -> None:
    with capture_logs() as lines:
        outcome = await sampler.run(name, {"what": "my secret"})

    assert (outcome.status, outcome.content) == (
        Status.FAILED,
        "Sorry, something went wrong, so that isn't done.",
    )
    assert await goals(sampler) == []
    (line,) = [line for line in lines if line["event"] == "intent_failed"]
    assert (line["intent"], line["error"], line["log_level"]) == (name, error, "error")
    assert "executor.py" in line["traceback"]
    assert "my secret" not in repr(lines)


async def test_half_a_character_of_a_handler_is_a_question_mark(sampler: Rig) -> None:
    outcome = await sampler.run("answer_with_half_a_character", {"what": "x"})

    assert (outcome.status, outcome.content, outcome.note) == (Status.DONE, "Played ?.", "by ?")


async def test_a_handler_that_hangs_is_cut_off_and_has_no_late_effect(sampler: Rig) -> None:
    outcome = await sampler.run("add_and_hang", {"what": "a walk"})

    assert outcome.status is Status.TIMED_OUT
    assert outcome.content == "Sorry, that took too long, so it isn't done."
    assert 150 <= outcome.duration_ms < 3000
    assert (await sampler.run("add", {"what": "a swim"})).status is Status.DONE
    assert await goals(sampler) == ["a swim"]


async def test_a_call_that_is_withdrawn_leaves_nothing(sampler: Rig) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await sampler.run("add_and_hang", {"what": "a walk"})

    assert await goals(sampler) == []


async def test_a_store_that_goes_away_is_said(sampler: Rig) -> None:
    outcome = await sampler.run("lose_the_store", {"what": "a walk"})

    assert (outcome.status, outcome.route) == (Status.NOTED, "LOSE_THE_STORE")
    assert outcome.content == "I've noted that, and I'll save it in a moment."


async def test_with_the_store_away_what_writes_is_noted_and_what_reads_is_not(sampler: Rig) -> None:
    await sampler.record.database.close()

    noted = await sampler.run("add", {"what": "a walk"})
    failed = await sampler.run("look", {"what": "a walk"})

    assert noted.status is Status.NOTED
    assert failed.status is Status.FAILED
    assert failed.content == "I can't look that up right now, so please try again in a moment."


async def test_wrong_arguments_are_not_noted(sampler: Rig) -> None:
    await sampler.record.database.close()

    assert (await sampler.run("add", {})).status is Status.REFUSED
    assert (await sampler.run("unheard_of", {})).status is Status.REFUSED


async def test_an_owner_who_was_taken_over_has_no_effect(sampler: Rig) -> None:
    await sampler.record.store.claim("ada", agent="sampler", conversation_id=sampler.job.conversation_id)

    outcome = await sampler.run("add", {"what": "a walk"})

    assert outcome.status is Status.FAILED
    assert outcome.content == "This conversation goes on somewhere else now, so that isn't done here."
    assert await goals(sampler) == []


async def test_different_calls_at_the_same_time_are_all_done(sampler: Rig) -> None:
    wishes = [f"wish {number:02}" for number in range(20)]

    outcomes = await asyncio.gather(*(sampler.run("add", {"what": wish}) for wish in wishes))

    assert {outcome.status for outcome in outcomes} == {Status.DONE}
    assert await goals(sampler) == wishes


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "\0"])
async def test_a_zone_that_does_not_exist_is_utc(tmp_path: Path, zone: str) -> None:
    async with rig(tmp_path) as flux:
        outcome = await flux.run(
            "submit_new_task_intent",
            {"title": "run", "trigger_type": "time", "scheduled_at": "2026-11-03T07:00Z"},
            person=Person(id="ada", time_zone=zone),
        )

    assert outcome.content == "I'll remind you tomorrow at 7 AM: run."


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (None, "order of the agent shop cannot be used: no secret is set to sign the request with"),
        (
            HttpSettings(secret="s"),
            "order of the agent shop cannot be used: x.test is not one of the allowed hosts",
        ),
        (
            HttpSettings(secret="s", allowed_hosts=frozenset(["x.test:8443"])),
            "order of the agent shop cannot be used: x.test is not one of the allowed hosts",
        ),
        (HttpSettings(secret="s", allowed_hosts=frozenset(["x.test"])), ""),
        (HttpSettings(secret="s", allowed_hosts=frozenset(["x.test:443"])), ""),
    ],
)
async def test_a_target_that_is_not_allowed_is_found_at_start(
    tmp_path: Path, settings: HttpSettings | None, said: str
) -> None:
    order = sample("order", handler="http:https://x.test/orders", effect=Effect.EXTERNAL)
    shop = Agent(name="shop", title="Shop", prompt="You sell.", intents=(order,))

    async with rig(tmp_path, agent=shop, http=settings) as made:
        made.executor.verify([SAMPLER])
        if said:
            with pytest.raises(BadConfig, match=said):
                made.executor.verify([SAMPLER, shop])
            outcome = await made.run("order", {"what": "milk"})
            assert outcome.content == "I'm not set up to reach the service for that."
        else:
            made.executor.verify([SAMPLER, shop])


async def test_an_outcome_holds_only_what_happened(sampler: Rig) -> None:
    outcome = await sampler.run("add", {"what": "a walk"})

    assert outcome == Outcome(
        status=Status.DONE,
        content="Added a walk for Ada.",
        route="ADD",
        duration_ms=outcome.duration_ms,
    )
