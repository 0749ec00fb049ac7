"""Everything an agent may be talked into asking for: nobody's things change that should not (abuse.yaml)."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.core.agent import Effect, Intent, Parameter
from bridge.core.model import Outcome, Person, Status
from intents.arguments import CONTROL
from intents.handlers.http import HttpSettings
from intents.spec import IDENTITY
from tests.intents.rig import Rig, rig

TABLE: Mapping[str, Mapping[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "abuse.yaml").read_text(encoding="utf-8")
)
LISTS = ("values", "names", "repeated", "urls")
REQUEST = "request-1"


@dataclass(frozen=True, slots=True)
class Case:
    """One call."""

    name: str
    arguments: str
    url: str = ""


def cases(family: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[Case]:
    """The calls of a family."""
    call, arguments = str(family.get("call", "order")), json.dumps(family.get("arguments", "$"))
    for value in family.get("values", ()):
        filled = fill(value, words)
        whole = filled if "arguments" not in family else arguments.replace('"$"', json.dumps(filled))
        yield Case(call, fill(whole, words) if "arguments" in family else whole)
    for name in family.get("names", ()):
        yield Case(name, fill(arguments, words))
    for before, middle, times, after in family.get("repeated", ()):
        yield Case(call, before + middle * times + after)
    for url in family.get("urls", ()):
        yield Case("order", '{"what": "milk"}', fill(url, words))


def fill(text: str, words: Mapping[str, str]) -> str:
    for name, word in words.items():
        text = text.replace(f"{{{name}}}", word)
    return text


@dataclass(frozen=True, slots=True)
class Stage:
    """Ada, who is not there, and Mallory's session."""

    made: Rig
    words: Mapping[str, str]

    async def things(self) -> dict[str, list[object]]:
        """All there is of both."""
        store = self.made.record.store
        return {
            user: [*reversed(await store.goals(user)), *await store.tasks(user)]
            for user in ("ada", "mallory")
        }

    async def run(self, case: Case, call_id: str, **changes: object) -> Outcome:
        job = self.made.of(case.name, case.arguments, call_id, **changes)
        agent = replace(job.agent, intents=(shop(case.url),)) if case.url else job.agent
        return await self.made.executor.run(replace(job, agent=agent))


def shop(url: str) -> Intent:
    return Intent(
        name="order",
        route="ORDER",
        description="Orders something.",
        handler=f"http:{url}",
        effect=Effect.EXTERNAL,
        limit_seconds=2,
        parameters=(Parameter(name="what", required=True),),
    )


@asynccontextmanager
async def staged(folder: Path, port: int) -> AsyncIterator[Stage]:
    http = HttpSettings(secret="of the test", allowed_hosts=frozenset({"service.test", f"localhost:{port}"}))
    async with rig(folder, user="mallory", http=http) as made:
        claim = await made.record.store.claim("ada", agent="flux", conversation_id=None)
        ada = {"person": Person(id="ada"), "conversation_id": claim.conversation.id, "epoch": claim.epoch}
        task = {"title": "see the dentist", "trigger_type": "time", "scheduled_at": "tomorrow at five pm"}
        hers = await made.run("submit_new_task_intent", task, **ada)
        goal = await made.run("submit_goal_intent", {"goal_statement": "write a novel"}, **ada)
        own = await made.run("submit_goal_intent", {"goal_statement": "learn chess"})
        words = {"task": hers.task_id, "goal": goal.goal_id, "own": own.goal_id, "port": str(port)}
        words |= {"title": task["title"], "wish": "write a novel", "conversation": claim.conversation.id}
        yield Stage(made, {name: word or "" for name, word in words.items()})


@pytest.fixture
def trap(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A listening socket nobody may connect to; `service.test` leads to it."""
    real = socket.getaddrinfo

    def look_up(host: str, *given: Any, **named: Any) -> object:
        return real("127.0.0.1" if host == "service.test" else host, *given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


def called(listening: socket.socket) -> bool:
    try:
        listening.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def test_there_are_more_than_two_hundred_and_no_two_are_the_same() -> None:
    words = {name: f"<{name}>" for name in ("task", "goal", "own", "port", "title", "wish", "conversation")}
    every = [(name, case) for name, family in TABLE.items() for case in cases(family, words)]

    assert len(set(every)) == len(every) >= 200
    assert all(set(family) & set(LISTS) for family in TABLE.values())


@pytest.mark.parametrize("name", TABLE)
async def test_nobody_is_wronged_by(name: str, tmp_path: Path, trap: socket.socket) -> None:
    family, wrong = TABLE[name], []
    async with staged(tmp_path, trap.getsockname()[1]) as stage:
        for number, case in enumerate(cases(family, stage.words)):
            before = await stage.things()
            call_id = "call-3" if family.get("same_id") else f"abuse-{number}"
            async with asyncio.timeout(10):
                outcome = await stage.run(case, call_id)
                if family.get("answered"):
                    keys = frozenset({(REQUEST, call_id), (REQUEST, "call-1"), (REQUEST, "call-2")})
                    await stage.run(case, f"again-{number}", answered=keys)
            problem = judge(family, case, before, await stage.things())
            if not outcome.content or called(trap):
                problem = problem or "no sentence, or the trap was called"
            if problem:
                wrong.append((case, outcome, problem))
    assert wrong == []


def judge(
    family: Mapping[str, Any],
    case: Case,
    before: Mapping[str, list[object]],
    after: Mapping[str, list[object]],
) -> str:
    """What is wrong; empty: nothing."""
    if after["ada"] != before["ada"]:
        return "Ada's things have changed"
    if family["effect"] == "none":
        return "" if after == before else "Mallory's things have changed"
    new = [thing for thing in after["mallory"] if thing not in before["mallory"]]
    if len(after["mallory"]) != len(before["mallory"]) + 1 or len(new) != 1:
        return "it is not one goal more"
    said = " ".join(CONTROL.sub(" ", json.loads(case.arguments)["goal_statement"]).split())
    return "" if getattr(new[0], "statement", "") == said else "it is another goal than was said"


async def test_the_judge_sees_what_is_done(tmp_path: Path, trap: socket.socket) -> None:
    async with staged(tmp_path, trap.getsockname()[1]) as stage:
        before = await stage.things()
        case = Case("submit_goal_intent", '{"goal_statement": "a wish"}')
        assert (await stage.run(case, "c1")).status is Status.DONE
        after = await stage.things()
        assert judge({"effect": "own"}, case, before, after) == ""
        assert judge({"effect": "none"}, case, before, after)
        moved = Case(
            "submit_reschedule_intent",
            json.dumps({"task_id": stage.words["task"], "preferred_new_time": "tomorrow at six pm"}),
        )
        ada = {"person": Person(id="ada"), "conversation_id": stage.words["conversation"], "epoch": 1}
        assert (await stage.run(moved, "c2", **ada)).status is Status.DONE
        assert judge({"effect": "none"}, moved, after, await stage.things()) == "Ada's things have changed"


def test_no_parameter_may_be_called_like_a_user() -> None:
    names = "user_id userId USER_ID user-id user userid uid end_user_id username user_name owner_id ownerId"
    names += " tenant_id caller_id session_id conversation_id on_behalf_of onBehalfOf act_as impersonate"
    names += " principal target_user forUser"
    for name in names.split():
        assert IDENTITY.fullmatch(name.replace("_", "").replace("-", "")), name
    for name in (
        "title",
        "goal_id",
        "what",
        "subject",
        "users_guide",
        "username_hint",
        "account_id",
        "person",
    ):
        assert not IDENTITY.fullmatch(name.replace("_", "").replace("-", "")), name
