"""Talks with slips, repairs and odd answers, also misheard: how many end with the right things stored."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from bridge.core.model import Person, Thing
from bridge.upstreams.cascade.parts import Answer, CallFunction, LanguageModel, Say, Turn
from bridge.upstreams.cascade.thinking.rules import rules
from intents import when
from tests.bridge.upstreams.cascade.thinking.talks import NOW, SHORT, ZONE, agent, grammar, local
from tests.support.briefs import brief

TABLE = yaml.safe_load((Path(__file__).parent / "spoken.yaml").read_text(encoding="utf-8"))
FLOORS = {"clean": 0.97, "misheard": 0.94}
WANTED = re.compile(r"(goal|task|move) ([^@#~,]+)(?:, ([^@#~]+))?(?:@ (\S+))?(?: ~ (\S+))?(?:# (.+))?")
NAMES = {name: kind for kind, name in SHORT.items()}


@dataclass(frozen=True, slots=True)
class Stored:
    """A goal or task as it was stored or moved."""

    kind: str
    what: str
    by: str = ""
    at: datetime | None = None
    rule: str = ""
    place: str = ""


THINGS = {
    "1": Stored("", "morning run", at=local("2026-11-19T07:00")),
    "2": Stored("", "dentist appointment", at=local("2026-11-20T15:00")),
    "3": Stored("", "call with sarah", at=local("2026-11-19T11:00")),
    "4": Stored("", "call with david", at=local("2026-11-20T16:00")),
    "5": Stored("", "team meeting", at=local("2026-11-23T10:00")),
    "6": Stored("", "piano lesson", at=local("2026-11-24T17:00")),
    "7": Stored("", "car inspection", at=local("2026-11-25T09:00")),
}


class Planner:
    """A person's goals and tasks; functions change them as the real ones do."""

    def __init__(self) -> None:
        self.stored = dict(THINGS)

    async def references(self, kind: str) -> Sequence[Thing]:
        known = self.stored.items() if kind == "task" else ()
        return [Thing("task", key, one.what, one.at) for key, one in known if one.kind != "goal"]

    def do(self, call: CallFunction) -> Answer:
        given = {name: str(value) for name, value in json.loads(call.arguments_json).items()}
        kind = NAMES[call.name]
        if kind == "move":
            return self._move(call, given)
        identity = str(len(self.stored) + 70)
        at = when.read(given["scheduled_at"], NOW, ZONE) if "scheduled_at" in given else None
        rule = when.read(given["recurrence_rule"], NOW, ZONE) if "recurrence_rule" in given else None
        joined = when.join(at, rule, NOW, ZONE)
        self.stored[identity] = Stored(
            kind,
            given.get("title", given.get("goal_statement", "")).lower(),
            given.get("timeline", ""),
            joined.at if joined else None,
            (joined.rule if joined else None) or "",
            given.get("location_trigger", ""),
        )
        return Answer(call.id, call.name, "That is saved.", f"{kind}_id: {identity}")

    def _move(self, call: CallFunction, given: dict[str, str]) -> Answer:
        identity = given["task_id"]
        old = self.stored[identity]
        to = when.move(old.at, when.read(given["preferred_new_time"], NOW, ZONE), NOW, ZONE)
        self.stored[identity] = replace(old, at=to, kind=old.kind or "move")
        return Answer(call.id, call.name, "That is moved.", f"task_id: {identity}")

    @property
    def new(self) -> list[Stored]:
        return [one for one in self.stored.values() if one.kind]


def person(planner: Planner) -> LanguageModel:
    given = brief(
        agent=agent("flux"),
        history=(),
        person=Person(id="user-1", time_zone=str(ZONE)),
        references=planner.references,
    )
    return rules(grammar, lambda: NOW)(given)


async def talk(lines: Sequence[str]) -> tuple[list[Stored], list[str]]:
    """What is stored after a talk, and what was said to the last sentence."""
    planner, said = Planner(), list[str]()
    model = person(planner)
    for line in lines:
        said = []
        thoughts = model.reply(Turn(line))
        while True:
            calls = list[CallFunction]()
            async for thought in thoughts:
                if isinstance(thought, Say):
                    said.append(thought.sentence)
                else:
                    calls.append(thought)
            if not calls:
                break
            thoughts = model.answered([planner.do(call) for call in calls])
    return planner.new, said


async def problems(lines: Sequence[str]) -> list[str]:
    """What is wrong at the end of a talk."""
    made, said = await talk([line[2:] for line in lines if line[0] == ">"])
    left, wrong = list(made), list[str]()
    for line in lines:
        if line[0] == "=":
            found = next((one for one in left if _is(one, line[2:])), None)
            wrong += [] if found else [f"not {line[2:]}"]
            left = [one for one in left if one is not found]
    if lines[-1] == "?" and not said:
        wrong.append("nothing was said")
    return [*wrong, *(f"but {one}" for one in left), *([f"said {said}"] if wrong or left else [])]


def _is(one: Stored, wanted: str) -> bool:
    match = WANTED.fullmatch(wanted)
    assert match, wanted
    kind, what, by, at, rule, place = (part.strip() if part else "" for part in match.groups())
    return (
        one.kind == kind
        and one.what == what
        and _words(one.by) == _words(by)
        and (kind == "goal" or one.at == (local(at) if at else None))
        and one.rule == rule
        and _words(one.place) == _words(place)
    )


def _words(text: str) -> list[str]:
    return [word for word in text.split() if word not in {"the", "in", "by"}]


def test_the_list_is_long_enough() -> None:
    assert sum(len(talks) for talks in TABLE.values()) >= 120


@pytest.mark.parametrize("name", list(TABLE))
async def test_almost_every_talk_ends_with_the_right_things_stored(name: str) -> None:
    wrong = {}
    for title, lines in TABLE[name].items():
        if found := await problems(lines):
            wrong[title] = found
    share = 1 - len(wrong) / len(TABLE[name])
    report = "\n".join(f"{title}: {found}" for title, found in wrong.items())
    assert share >= FLOORS[name], f"{share:.1%}\n{report}"
