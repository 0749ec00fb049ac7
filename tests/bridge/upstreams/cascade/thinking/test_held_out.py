"""Wishes that were written down before the rules were tuned: how many have every argument right."""

import json
from pathlib import Path

import yaml

from bridge.upstreams.cascade.parts import CallFunction
from tests.bridge.upstreams.cascade.thinking.talks import (
    NOW,
    SHORT,
    ZONE,
    Talk,
    grammar,
    instant,
    local,
    mind,
)

WISHES = yaml.safe_load((Path(__file__).parent / "held_out.yaml").read_text(encoding="utf-8"))
AIM = 0.95


async def test_almost_every_wish_is_understood_with_every_argument_right() -> None:
    wrong = []
    for wish in WISHES:
        talk, calls = Talk(mind()), []
        for line in wish["say"]:
            await talk.say(line)
            calls += talk.calls
        if problems := (_problems(wish, calls[0]) if len(calls) == 1 else [f"{len(calls)} calls"]):
            wrong.append((wish["say"], problems))
    share = 1 - len(wrong) / len(WISHES)
    assert len(WISHES) >= 40
    assert share >= AIM, wrong


def _problems(wish: dict[str, str], call: CallFunction) -> list[str]:
    """What is wrong with the call that came of a wish."""
    kind = next(name for name in SHORT if name in wish)
    given = json.loads(call.arguments_json)
    checks = {
        "function": call.name == SHORT[kind],
        "what": str(given.get(_main(kind), "")).lower() == wish[kind].lower(),
        "timeline": wish.get("timeline", "").split()[-1:] == str(given.get("timeline", "")).split()[-1:]
        or "timeline" not in wish,
        "place": given.get("location_trigger") == wish.get("place"),
        "trigger": kind != "task" or given.get("trigger_type") == ("location" if "place" in wish else "time"),
        "reason": given.get("reason") == wish.get("reason"),
        "at": "at" not in wish or instant(str(given.get(_when(kind)))) == local(wish["at"]),
        "rule": "rule" not in wish or wish["rule"] in _rule(str(given.get("recurrence_rule", ""))),
    }
    return [f"{name}: {call}" for name, right in checks.items() if not right]


def _main(kind: str) -> str:
    return {"goal": "goal_statement", "task": "title", "move": "task_id"}[kind]


def _when(kind: str) -> str:
    return {"goal": "timeline", "task": "scheduled_at", "move": "preferred_new_time"}[kind]


def _rule(words: str) -> str:
    found = grammar(words, NOW, ZONE)
    return (found.recurrence if found else None) or ""
