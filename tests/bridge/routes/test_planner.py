"""Goals and tasks over HTTP, made the way the agent makes them."""

from datetime import UTC, datetime
from pathlib import Path

from bridge.core.model import Call, Cursor, FunctionCall, Outcome, Person, Status
from bridge.ports import Claim, Job, Transaction
from bridge.routes.shapes import GoalPart, TaskPart
from tests.bridge.routes.front import AGENTS, Front, front
from tests.bridge.routes.test_sessions import told


async def make(transaction: Transaction) -> Outcome:
    at = datetime(2026, 11, 22, 7, tzinfo=UTC)
    await transaction.planner.add_goal(
        statement="learn Spanish", timeline="in three months", due_at=at, context_notes=""
    )
    await transaction.planner.add_task(
        title="morning run",
        trigger_type="time",
        scheduled_at=at,
        recurrence_rule="FREQ=DAILY",
        location_trigger=None,
    )
    return Outcome(status=Status.DONE, content="Done.")


def job(claim: Claim) -> Job:
    return Job(
        session_id="s",
        conversation_id=claim.conversation.id,
        epoch=claim.epoch,
        person=Person(id=claim.conversation.user_id),
        agent=AGENTS["flux"],
        call=Call(request="r", function=FunctionCall("c1", "make", "{}")),
        cursor=Cursor(claim.epoch, 0),
    )


async def test_a_user_sees_what_the_agent_made_for_them(tmp_path: Path) -> None:
    async with front(tmp_path) as bridge:
        claim = await bridge.remember()
        await bridge.record.ledger.run_once(job(claim), {}, make)

        [goal] = GoalPart.model_validate_json((await bridge.http.get("/api/v1/goals")).content).items
        assert (goal.statement, goal.timeline) == ("learn Spanish", "in three months")
        assert goal.conversation_id == claim.conversation.id
        [task] = TaskPart.model_validate_json((await bridge.http.get("/api/v1/tasks")).content).items
        assert (task.title, task.recurrence_rule) == ("morning run", "FREQ=DAILY")
        assert task.scheduled_at == datetime(2026, 11, 22, 7, tzinfo=UTC)
        await others_see_nothing(bridge)


async def others_see_nothing(bridge: Front) -> None:
    for what in ("goals", "tasks"):
        bob = await bridge.http.get(f"/api/v1/{what}", headers={"Authorization": "Token user-bob"})
        assert bob.json() == {"items": [], "next": None}
        nobody = await bridge.http.get(f"/api/v1/{what}", headers={"Authorization": ""})
        told(nobody, 401, "BRIDGE_UNAUTHENTICATED")
