"""What every ledger must do, on SQLite and on PostgreSQL: one effect, one outcome, whatever happens."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from bridge.core.model import Outcome, Status
from bridge.errors import CallMismatch, NotFound, StaleEpoch
from bridge.ports import Handle, Transaction
from persistence.connection import PooledConnection
from persistence.record import Record
from persistence.sqlite_thread import WriterConnection
from tests.persistence.build import (
    AGENT,
    STRANGER,
    USER,
    adds_goal,
    adds_task,
    append,
    begun,
    cursors,
    entry,
    job,
    stored,
)


class Counted:
    """A handler that counts how often it ran."""

    def __init__(self, handle: Handle) -> None:
        self.handle = handle
        self.runs = 0

    async def __call__(self, transaction: Transaction) -> Outcome:
        self.runs += 1
        return await self.handle(transaction)


async def _goals(record: Record) -> int:
    return len(await record.store.goals(USER))


async def test_the_same_call_again_gets_the_stored_outcome_and_has_no_effect(record: Record) -> None:
    claim, handle = await begun(record), Counted(adds_goal())
    first = await record.ledger.run_once(job(claim), {"a": 1, "b": [2]}, handle)
    again = await record.ledger.run_once(job(claim), {"b": [2], "a": 1}, handle)
    assert first == again
    assert first.status is Status.DONE
    assert handle.runs == 1
    assert [goal.id for goal in await record.store.goals(USER)] == [first.goal_id]


async def test_the_same_id_from_another_agent_session_is_another_call(record: Record) -> None:
    claim = await begun(record)
    await record.ledger.run_once(job(claim, request="r1"), {}, adds_goal())
    await record.ledger.run_once(job(claim, request="r2"), {}, adds_goal())
    assert await _goals(record) == 2


@pytest.mark.parametrize(("name", "arguments"), [("add_goal", {"a": 2}), ("add_task", {"a": 1})])
async def test_the_same_call_with_other_arguments_or_name_is_refused(
    record: Record, name: str, arguments: dict[str, object]
) -> None:
    claim = await begun(record)
    await record.ledger.run_once(job(claim), {"a": 1}, adds_goal())
    with pytest.raises(CallMismatch):
        await record.ledger.run_once(job(claim, name=name), arguments, adds_goal())
    assert await _goals(record) == 1


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.DONE])
async def test_an_outcome_that_is_not_done_leaves_no_effect_but_is_remembered(
    record: Record, status: Status
) -> None:
    claim, handle = await begun(record), Counted(adds_goal(status=status))
    first = await record.ledger.run_once(job(claim), {}, handle)
    again = await record.ledger.run_once(job(claim), {}, handle)
    assert (first.status, again, handle.runs) == (status, first, 1)
    assert await _goals(record) == 0
    assert (await record.store.conversation(USER, claim.conversation.id)).extracted_intent is None


async def test_a_handler_that_raises_leaves_nothing_and_its_error_comes_out_as_it_was(record: Record) -> None:
    async def breaks(transaction: Transaction) -> Outcome:
        await adds_goal()(transaction)
        raise OSError("no such file")

    claim = await begun(record)
    with pytest.raises(OSError, match="no such file"):
        await record.ledger.run_once(job(claim), {}, breaks)
    assert await _goals(record) == 0
    assert (await record.ledger.run_once(job(claim), {}, adds_goal())).status is Status.DONE


async def test_an_old_owner_can_do_nothing_any_more(record: Record) -> None:
    claim = await begun(record)
    await record.ledger.run_once(job(claim), {}, adds_goal())
    await record.store.claim(USER, agent="flux", conversation_id=claim.conversation.id)
    for stale in (job(claim), job(claim, call_id="2")):
        with pytest.raises(StaleEpoch):
            await record.ledger.run_once(stale, {}, adds_goal())
        with pytest.raises(StaleEpoch):
            await record.ledger.begin(stale, {})
    assert await _goals(record) == 1


async def test_nobody_acts_in_a_conversation_that_is_deleted_or_somebody_elses(record: Record) -> None:
    claim, deleted = await begun(record), await begun(record)
    await record.store.delete(USER, deleted.conversation.id)
    await record.store.person(STRANGER)
    for forbidden in (job(claim, user_id=STRANGER), job(deleted)):
        with pytest.raises(StaleEpoch):
            await record.ledger.run_once(forbidden, {}, adds_goal())
    assert await _goals(record) == 0


async def test_a_takeover_waits_for_the_intent_that_is_running(record: Record) -> None:
    claim = await begun(record)
    entered, may_end = asyncio.Event(), asyncio.Event()

    async def slow(transaction: Transaction) -> Outcome:
        entered.set()
        await may_end.wait()
        return await adds_goal()(transaction)

    async with asyncio.TaskGroup() as group:
        running = group.create_task(record.ledger.run_once(job(claim), {}, slow))
        await entered.wait()
        taking = group.create_task(
            record.store.claim(USER, agent="flux", conversation_id=claim.conversation.id)
        )
        done, _ = await asyncio.wait([taking], timeout=0.3)
        assert not done
        may_end.set()
    assert running.result().status is Status.DONE
    assert taking.result().conversation.linked_goal_id == running.result().goal_id


async def test_calls_of_one_conversation_run_side_by_side_without_deadlock(record: Record) -> None:
    claim = await begun(record)
    jobs = [job(claim, call_id=f"call-{n}") for n in range(20)]
    outcomes = await asyncio.gather(*[record.ledger.run_once(one, {}, adds_goal()) for one in jobs])
    assert len({outcome.goal_id for outcome in outcomes}) == 20


async def test_cancelled_at_any_moment_there_is_all_or_nothing(record: Record) -> None:
    claim = await begun(record)
    cancelled = finished = 0
    for n in range(60):
        one, handle = job(claim, call_id=f"call-{n}"), Counted(adds_goal(f"goal {n}"))
        async with asyncio.TaskGroup() as group:
            task = group.create_task(record.ledger.run_once(one, {}, handle))
            await asyncio.sleep(n * 0.0004)
            task.cancel()
            await asyncio.wait([task])
        if task.cancelled():
            cancelled += 1
            assert await _goals(record) == n
            handle.runs = 0
        else:
            finished += 1
        assert (await record.ledger.run_once(one, {}, handle)).status is Status.DONE
        assert handle.runs == 1
        assert await _goals(record) == n + 1
    assert cancelled


async def test_a_cancellation_during_the_commit_comes_too_late(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = await begun(record)
    loop, committing, may_commit = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    commit, last = PooledConnection._commit, WriterConnection._last

    async def slow_commit(connection: PooledConnection) -> None:
        committing.set()
        await asyncio.to_thread(may_commit.wait, 30)
        await commit(connection)

    def slow_last(*step: Any) -> object:
        loop.call_soon_threadsafe(committing.set)
        may_commit.wait(30)
        return last(*step)

    monkeypatch.setattr(PooledConnection, "_commit", slow_commit)
    monkeypatch.setattr(WriterConnection, "_last", slow_last)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(record.ledger.run_once(job(claim), {}, adds_goal()))
        await committing.wait()
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        may_commit.set()
    assert task.result().status is Status.DONE
    assert await _goals(record) == 1


async def test_a_wish_repeated_under_a_new_id_is_granted_once(record: Record) -> None:
    claim = await begun(record)
    handle = Counted(adds_task())

    async def ask(call_id: str, title: str, **more: object) -> Outcome:
        one = job(claim, name="add_task", call_id=call_id)
        return await record.ledger.run_once(one, {"title": title, **more}, handle)

    first = await ask("1", "Morning run")
    assert await ask("2", "  morning \n RUN ", recurrence_rule="daily") == first
    assert await ask("2", "  morning \n RUN ", recurrence_rule="daily") == first
    assert handle.runs == 1
    assert await ask("3", "evening run") != first
    assert handle.runs == 2


async def test_a_wish_is_granted_again_after_its_window_or_in_another_conversation(record: Record) -> None:
    claim, other = await begun(record), await begun(record)
    task = AGENT.intents[1]
    hasty = replace(AGENT, intents=(replace(task, dedupe_seconds=0),))
    handle = Counted(adds_task())
    for one in (
        job(claim, name="add_task", call_id="1"),
        replace(job(claim, name="add_task", call_id="2"), agent=hasty),
        job(other, name="add_task", call_id="1"),
    ):
        await record.ledger.run_once(one, {"title": "run"}, handle)
    assert handle.runs == 3


async def test_a_wish_that_was_not_granted_may_be_tried_again(record: Record) -> None:
    claim = await begun(record)
    refused, granted = Counted(adds_goal(status=Status.REFUSED)), Counted(adds_task())
    first = job(claim, name="add_task", call_id="1")
    await record.ledger.run_once(first, {"title": "run"}, refused)
    second = job(claim, name="add_task", call_id="2")
    assert (await record.ledger.run_once(second, {"title": "run"}, granted)).status is Status.DONE


async def test_the_conversation_is_linked_to_what_was_made(record: Record) -> None:
    claim = await begun(record)
    goal = await record.ledger.run_once(job(claim), {"goal_statement": "x"}, adds_goal())
    task = await record.ledger.run_once(
        job(claim, name="add_task", call_id="2"), {"title": "run"}, adds_task()
    )
    linked = await record.store.conversation(USER, claim.conversation.id)
    assert (linked.linked_goal_id, linked.linked_task_id) == (goal.goal_id, task.task_id)
    assert (linked.extracted_intent, linked.intent_payload) == ("NEW_TASK", {"title": "run"})


async def test_an_outside_effect_is_claimed_first_and_settled_once(record: Record) -> None:
    claim = await begun(record)
    one = job(claim)
    assert await record.ledger.begin(one, {"a": 1}) is None
    assert await record.ledger.begin(one, {"a": 1}) is None, "begun and never settled: at least once"
    outcome = Outcome(status=Status.DONE, content="Sent.", route="GOAL", goal_id="theirs-7")
    await record.ledger.settle(one, {"a": 1}, outcome)
    await record.ledger.settle(one, {"a": 1}, replace(outcome, content="Sent twice."))
    assert await record.ledger.begin(one, {"a": 1}) == outcome
    with pytest.raises(CallMismatch):
        await record.ledger.begin(one, {"a": 2})
    linked = await record.store.conversation(USER, claim.conversation.id)
    assert (linked.linked_goal_id, linked.intent_payload) == ("theirs-7", {"a": 1})


async def test_an_outside_effect_is_settled_even_after_a_takeover(record: Record) -> None:
    claim = await begun(record)
    await record.ledger.begin(job(claim), {})
    taken = await record.store.claim(USER, agent="flux", conversation_id=claim.conversation.id)
    outcome = Outcome(status=Status.DONE, content="Sent.", route="GOAL", goal_id="7")
    await record.ledger.settle(job(claim), {}, outcome)
    assert await record.ledger.begin(job(claim, epoch=taken.epoch), {}) == outcome


async def test_odd_ids_and_arguments_are_no_obstacle(record: Record) -> None:
    claim, handle = await begun(record), Counted(adds_goal("\0\ud800"))
    for one in (
        job(claim, call_id="\0\ud800"),
        job(claim, call_id="x" * 10_000),
        job(claim, request="\0" * 9_000),
    ):
        arguments = {"\0": ["\ud800", 2**80, float("inf")], "deep": _nested(300)}
        first = await record.ledger.run_once(one, arguments, handle)
        assert await record.ledger.run_once(one, arguments, handle) == first
    assert handle.runs == 3
    assert {goal.statement for goal in await record.store.goals(USER)} == {"\ufffd\ufffd"}


def _nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


async def test_a_handler_may_refuse_after_the_planner_did(record: Record) -> None:
    async def moves(transaction: Transaction) -> Outcome:
        try:
            await transaction.planner.move_task("77", to=claim.conversation.started_at, reason="")
        except NotFound:
            return Outcome(status=Status.REFUSED, content="I do not know that task.")
        raise AssertionError("there is no such task")

    claim = await begun(record)
    assert (await record.ledger.run_once(job(claim), {}, moves)).status is Status.REFUSED


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_slow_intent_holds_up_neither_the_journal_nor_a_reader(record: Record) -> None:
    claim = await begun(record)
    entered, may_end = asyncio.Event(), asyncio.Event()

    async def slow(transaction: Transaction) -> Outcome:
        outcome = await adds_goal()(transaction)
        entered.set()
        await may_end.wait()
        return outcome

    async with asyncio.TaskGroup() as group:
        running = group.create_task(record.ledger.run_once(job(claim), {}, slow))
        await entered.wait()
        await append(record, entry(claim, 0, "hello"))
        assert cursors(await stored(record, claim)) == ["1:0"]
        assert not running.done()
        may_end.set()


async def test_two_processes_that_race_have_one_effect_a_call_and_get_the_same_outcomes(
    record: Record, database_url: str, tmp_path: Path
) -> None:
    claim = await begun(record)
    racers = [
        await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "tests.persistence.racer"],
            *[database_url, str(tmp_path / name), claim.conversation.id, name, "200"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in ("left", "right")
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert await racer.stdout.readline() == b"ready\n"
    outputs = [out for out, _ in await asyncio.gather(*[racer.communicate(b"go\n") for racer in racers])]
    left, right = (orjson.loads(output) for output in outputs)
    assert left == right
    goals, tasks = await record.store.goals(USER), await record.store.tasks(USER)
    assert {goal.id for goal in goals} == set(left[0::2])
    assert {task.id for task in tasks} == set(left[1::2])
    assert (len(goals), len(tasks)) == (100, 100)
