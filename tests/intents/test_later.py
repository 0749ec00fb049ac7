"""Calls that were noted are run later on a real ledger: in order, as of when they were asked for, once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from structlog.testing import capture_logs

from bridge.core.model import Call, Cursor, Entry, FunctionCall, Outcome, Result, Status
from intents.later import Later
from tests.intents.rig import NOW, Rig, rig

NOTED = Outcome(status=Status.NOTED, content="Noted.")


class Desk:
    """Where the outcomes come to."""

    def __init__(self) -> None:
        self.ended: asyncio.Queue[Entry] = asyncio.Queue()

    async def outcome(self) -> Outcome:
        async with asyncio.timeout(10):
            entry = await self.ended.get()
        assert isinstance(entry.what, Result)
        return entry.what.outcome


async def note(made: Rig, name: str, arguments: str, *, idx: int = 0, at: datetime = NOW) -> None:
    """A call that was answered with NOTED, in the store."""
    call = Call(request="request-1", function=FunctionCall(id=f"c{idx}", name=name, arguments=arguments))
    place = Cursor(made.job.cursor.epoch, idx)
    asked = Entry(
        conversation_id=made.job.conversation_id, user_id=made.job.person.id, cursor=place, at=at, what=call
    )
    result = Result(request="request-1", call_id=f"c{idx}", name=name, outcome=NOTED, of=place)
    ending = replace(asked, cursor=replace(place, idx=idx + 1), what=result)
    await asyncio.gather(*(made.record.journal.append(entry) for entry in (asked, ending)))


async def test_a_noted_goal_is_made_and_told(tmp_path: Path) -> None:
    desk = Desk()
    async with rig(tmp_path) as made:
        agents = {made.job.agent.name: made.job.agent}
        async with Later(made.record.notes, made.executor, agents, desk.ended.put_nowait):
            await note(made, "submit_goal_intent", '{"goal_statement": "sing"}')
            outcome = await desk.outcome()
        goals = await made.record.store.goals("ada")

    assert outcome.status is Status.DONE
    assert [goal.statement for goal in goals] == ["sing"]
    assert outcome.goal_id == goals[0].id


async def test_times_mean_what_they_meant_when_they_were_said(tmp_path: Path) -> None:
    desk = Desk()
    async with rig(tmp_path) as made:
        agents = {made.job.agent.name: made.job.agent}
        arguments = '{"title": "call mom", "trigger_type": "time", "scheduled_at": "tomorrow at nine"}'
        await note(made, "submit_new_task_intent", arguments, at=NOW - timedelta(days=3))
        async with Later(made.record.notes, made.executor, agents, desk.ended.put_nowait):
            outcome = await desk.outcome()
        tasks = await made.record.store.tasks("ada")

    assert outcome.status is Status.DONE, outcome
    assert [task.scheduled_at for task in tasks] == [datetime.fromisoformat("2026-10-31T08:00:00Z")]


async def test_the_same_wish_noted_twice_is_done_once(tmp_path: Path) -> None:
    desk = Desk()
    async with rig(tmp_path) as made:
        agents = {made.job.agent.name: made.job.agent}
        for idx in (0, 2):
            await note(made, "submit_goal_intent", '{"goal_statement": "sing"}', idx=idx)
        async with Later(made.record.notes, made.executor, agents, desk.ended.put_nowait):
            outcomes = [await desk.outcome() for _ in range(2)]
        goals = await made.record.store.goals("ada")

    assert [outcome.status for outcome in outcomes] == [Status.DONE] * 2
    assert len(goals) == 1


async def test_the_same_wish_an_hour_later_is_another(tmp_path: Path) -> None:
    desk = Desk()
    async with rig(tmp_path) as made:
        agents = {made.job.agent.name: made.job.agent}
        for idx in (0, 2):
            at = NOW + timedelta(hours=idx)
            await note(made, "submit_goal_intent", '{"goal_statement": "sing"}', idx=idx, at=at)
        async with Later(made.record.notes, made.executor, agents, desk.ended.put_nowait):
            for _ in range(2):
                await desk.outcome()
        assert len(await made.record.store.goals("ada")) == 2


async def test_a_call_of_an_agent_that_is_gone_ends_as_failed_and_holds_nobody_up(tmp_path: Path) -> None:
    desk = Desk()
    async with rig(tmp_path) as made:
        await note(made, "submit_goal_intent", '{"goal_statement": "sing"}')
        with capture_logs() as logs:
            async with Later(made.record.notes, made.executor, {}, desk.ended.put_nowait):
                outcome = await desk.outcome()

    assert outcome.status is Status.FAILED
    [line] = [line for line in logs if line["event"] == "noted_calls_run"]
    assert (line["log_level"], line["status"]) == ("warning", "failed")


async def test_calls_that_do_not_go_well_stop_no_others(tmp_path: Path) -> None:
    desk = Desk()
    async with rig(tmp_path) as made:
        agents = {made.job.agent.name: made.job.agent}
        for n in range(12):
            said = '{"task_id": "4711", "preferred_new_time": "tomorrow at nine"}'
            move = n % 5 == 1
            name = "submit_reschedule_intent" if move else "submit_goal_intent"
            await note(made, name, said if move else f'{{"goal_statement": "trick {n}"}}', idx=2 * n)
        with capture_logs() as logs:
            async with Later(made.record.notes, made.executor, agents, desk.ended.put_nowait):
                statuses = [(await desk.outcome()).status for _ in range(12)]
        goals = await made.record.store.goals("ada")

    assert statuses == [Status.REFUSED if n % 5 == 1 else Status.DONE for n in range(12)]
    assert sorted(goal.statement for goal in goals) == sorted(f"trick {n}" for n in range(12) if n % 5 != 1)
    assert sum(line["calls"] for line in logs if line["event"] == "noted_calls_run") == 12


async def test_calls_the_store_refuses_stop_no_others(tmp_path: Path) -> None:
    desk = Desk()
    async with rig(tmp_path) as made:
        agents = {made.job.agent.name: made.job.agent}
        async with made.record.database.writing() as connection:
            await connection.text(
                "CREATE TRIGGER poison BEFORE INSERT ON function_calls WHEN NEW.call_id IN ('c8', 'c14')"
                " BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        for n in range(10):
            await note(made, "submit_goal_intent", f'{{"goal_statement": "trick {n}"}}', idx=2 * n)
        async with Later(made.record.notes, made.executor, agents, desk.ended.put_nowait):
            statuses = [(await desk.outcome()).status for _ in range(10)]
        goals = await made.record.store.goals("ada")

    assert statuses == [Status.FAILED if n in (4, 7) else Status.DONE for n in range(10)]
    assert len(goals) == 8


async def test_more_calls_than_are_looked_for_at_once_are_run_in_order(tmp_path: Path) -> None:
    desk = Desk()
    async with rig(tmp_path) as made:
        agents = {made.job.agent.name: made.job.agent}
        wishes = [f'{{"goal_statement": "trick {n}"}}' for n in range(120)]
        notes = [note(made, "submit_goal_intent", wish, idx=2 * n) for n, wish in enumerate(wishes)]
        await asyncio.gather(*notes)
        async with Later(made.record.notes, made.executor, agents, desk.ended.put_nowait):
            outcomes = [await desk.outcome() for _ in range(120)]

    assert [int(outcome.goal_id or 0) for outcome in outcomes] == list(range(1, 121))
