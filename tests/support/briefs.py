"""Briefs for agents under test: a small planner agent, and whatever a test changes of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bridge.core.agent import Agent, Effect, Intent, Kind, Parameter
from bridge.core.model import AudioFormat, Entry, Person, Thing
from bridge.ports import Brief

GOAL = Intent(
    name="submit_goal_intent",
    route="GOAL",
    description="Saves a goal.",
    handler="planner.add_goal",
    parameters=(
        Parameter(name="goal_statement", required=True, question="What would you like to achieve?"),
        Parameter(name="timeline", kind=Kind.TIME, question="By when?"),
    ),
    examples=("I want to {goal_statement}", "I want to {goal_statement} {timeline}"),
)
MOVE = Intent(
    name="submit_reschedule_intent",
    route="RESCHEDULE_TASK",
    description="Moves a task.",
    handler="planner.move_task",
    parameters=(
        Parameter(
            name="task_id", kind=Kind.REFERENCE, required=True, refers_to="task", question="Which task?"
        ),
        Parameter(name="preferred_new_time", kind=Kind.TIME, question="When instead?"),
    ),
    examples=("move {task_id} to {preferred_new_time}",),
)
LIST = Intent(
    name="list_tasks",
    route="LIST_TASKS",
    description="Reads the tasks.",
    handler="planner.list",
    effect=Effect.READ,
)
AGENT = Agent(
    name="planner",
    title="Planner",
    prompt="You help with goals and tasks.",
    greeting="Hey!",
    intents=(GOAL, MOVE, LIST),
)
PERSON = Person(id="user-1", name="Ada", time_zone="Europe/Lisbon")
RUN = Thing("task", "7", "morning run", datetime(2026, 11, 21, 7, 0, tzinfo=UTC))


async def no_things(kind: str) -> Sequence[Thing]:
    """A user who has nothing."""
    return []


def brief(*, agent: Agent = AGENT, history: Sequence[Entry] = (), **changes: object) -> Brief:
    """A brief of that agent, 16 kHz in, 24 kHz out, without a greeting; `changes` are fields of `Brief`."""
    plain = Brief(
        agent=agent,
        prompt=f"{agent.prompt}\n\n## The user\n\n- Name: Ada\n",
        greeting="",
        history=tuple(history),
        audio_in=AudioFormat("linear16", 16000),
        audio_out=AudioFormat("linear16", 24000),
        person=PERSON,
        references=no_things,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]
