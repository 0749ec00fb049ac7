"""Talks with the mind of rules, for tests: the clock, the person's things, functions that always succeed."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from bridge.core.agent import Agent
from bridge.core.model import Entry, Person, Thing
from bridge.core.questions import ASK_FIRST
from bridge.ports import SpokenTime
from bridge.upstreams.cascade.parts import Answer, CallFunction, LanguageModel, Say, Turn
from bridge.upstreams.cascade.thinking.rules import rules
from intents.agents import load_agent
from intents.times import find
from tests.support.briefs import brief

LOCAL: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
"""A local wall time in a table."""
ZONE: Final = ZoneInfo("Europe/Berlin")
NOW: Final = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
"""A Wednesday, 10:00 in Berlin."""
ROOT: Final = Path(__file__).parents[5]
FOLDERS: Final = {
    "flux": ROOT / "config/agents/flux",
    "pantry": ROOT / "config/agents/pantry",
    "pizzeria": Path(__file__).parent / "agents/pizzeria",
    **{name: Path(__file__).parent / "agents" / name for name in ("helpdesk", "cafe", "home")},
}
NOTEBOOK: Final = Path(__file__).parent / "agents/notebook.json"
"""A client's own functions: names, descriptions and schemas, no examples and no questions."""
SHORT: Final = {
    "goal": "submit_goal_intent",
    "task": "submit_new_task_intent",
    "move": "submit_reschedule_intent",
    "delete_goal": "submit_delete_goal_intent",
    "delete_task": "submit_delete_task_intent",
}
"""Short names of functions in the tables."""


DESTRUCTIVE: Final = {"delete_account", "unlock_door", SHORT["delete_goal"], SHORT["delete_task"]}
"""Functions whose executor has the person asked first."""


def local(text: str) -> datetime:
    """A local wall time as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


THINGS: Final = (
    Thing("task", "1", "morning run", local("2026-11-19T07:00")),
    Thing("task", "2", "dentist appointment", local("2026-11-20T15:00")),
    Thing("task", "3", "call with Sarah", local("2026-11-19T11:00")),
    Thing("task", "4", "call with David", local("2026-11-20T16:00")),
    Thing("task", "5", "team meeting", local("2026-11-23T10:00")),
    Thing("order", "A1", "Anna's pepperoni", local("2026-11-18T18:00")),
    Thing("order", "B2", "Bob's veggie", local("2026-11-18T19:00")),
    Thing("ticket", "30", "slow laptop"),
    Thing("ticket", "31", "broken keyboard"),
)


async def references(kind: str) -> Sequence[Thing]:
    """The person's things of a kind."""
    return [thing for thing in THINGS if thing.kind == kind]


def grammar(text: str, now: datetime, zone: ZoneInfo) -> SpokenTime | None:
    """The real grammar of times behind its port."""
    found = find(text, now, zone)
    return SpokenTime(found.phrase, found.rest, found.at, found.recurrence) if found else None


def agent(name: str) -> Agent:
    """An agent from its folder."""
    return load_agent(FOLDERS[name])


def mind(name: str = "flux", *, history: Sequence[Entry] = (), **changes: object) -> LanguageModel:
    """A mind for that agent; "notebook" is Flux with a client's own functions."""
    if name == "notebook":
        functions = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
        changes, name = changes | {"client_agent": {"think": {"functions": functions}}}, "flux"
    person = Person(id="user-1", time_zone=str(ZONE))
    given = brief(agent=agent(name), history=history, person=person, references=references, **changes)
    return rules(grammar, lambda: NOW)(given)


class Talk:
    """One session with a mind; its calls are answered at once."""

    def __init__(self, model: LanguageModel) -> None:
        self.model = model
        self.calls: list[CallFunction] = []
        self.said: list[str] = []
        self._asked: CallFunction | None = None
        """What cannot be undone and was answered with a question."""

    async def say(self, text: str, **turn: object) -> None:
        """Say something; afterwards `calls` and `said` hold what came of it."""
        self.calls, self.said = [], []
        thoughts = self.model.reply(Turn(text, **turn))  # type: ignore[arg-type]
        while True:
            new: list[CallFunction] = []
            async for thought in thoughts:
                if isinstance(thought, Say):
                    self.said.append(thought.sentence)
                else:
                    new.append(thought)
            if not new:
                return
            self.calls += new
            thoughts = self.model.answered([self._result(call) for call in new])

    def _result(self, call: CallFunction) -> Answer:
        asked, self._asked = self._asked, None
        if call.name not in DESTRUCTIVE or (asked and replace(asked, id=call.id) == call):
            return result(call)
        self._asked = call
        return Answer(call.id, call.name, "Shall I really do that?", ASK_FIRST)


def result(call: CallFunction) -> Answer:
    """What a function answers that succeeded, with the id of what it made or moved."""
    arguments = json.loads(call.arguments_json)
    kind, identity = {SHORT["goal"]: ("goal", "70"), SHORT["task"]: ("task", "77")}.get(call.name, ("", ""))
    kind, identity = (kind, identity) if kind else ("task", str(arguments.get("task_id", "")))
    return Answer(call.id, call.name, "That is saved.", f"{kind}_id: {identity}" if identity else "")


def differences(call: CallFunction, name: str, wanted: dict[str, object]) -> list[str]:
    """Where a call is not what was wanted: its function, an argument, or an instant."""
    if call.name != SHORT.get(name, name):
        return [f"{call.name}, not {name}"]
    given = json.loads(call.arguments_json)
    pairs = ((key, value, given.get(key)) for key, value in wanted.items())
    return [f"{key}: {got!r}, not {value!r}" for key, value, got in pairs if not same(value, got)]


def same(wanted: object, got: object) -> bool:
    """Whether an argument is what was wanted: an instant, a rule, a text or a plain value."""
    if isinstance(wanted, bool | int | float | list) or wanted is None or got is None:
        return wanted == got
    if LOCAL.fullmatch(str(wanted)):
        return instant(str(got)) == local(str(wanted))
    if str(wanted).startswith("FREQ="):
        found = grammar(str(got), NOW, ZONE)
        return found is not None and found.recurrence == wanted
    return str(wanted).lower() == str(got).lower()


def instant(text: str) -> datetime | None:
    """What a time argument means: ISO 8601, or words."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        found = grammar(text, NOW, ZONE)
        return found.at if found else None
    return at if at.tzinfo else at.replace(tzinfo=ZONE)
