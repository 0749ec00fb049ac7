"""The sentences and what must come of them, read from YAML."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

HERE = Path(__file__).parent
SETS = ("tuning", "held_out")

Wish = dict[str, object]
"""One of `made` in a sentence file: goal, task or moved, with its arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Something people say, and what must be stored then."""

    set: str
    kind: str
    """Row of the table: goal, time, place, repeat, move, correction, two, nothing."""
    say: tuple[str, ...]
    """One turn after the other."""
    answer: str
    """What is said when the agent asks something after the last turn."""
    given: tuple[Wish, ...] = ()
    """Tasks that are there before."""
    made: tuple[Wish, ...] = ()


def load(name: str) -> list[Case]:
    """All sentences of a set. Raises ValueError when one says nothing that can be judged."""
    entries = yaml.safe_load((HERE / f"{name}.yaml").read_text())
    return [_case(name, entry) for entry in entries]


def _case(name: str, entry: dict[str, object]) -> Case:
    say = entry["say"]
    turns = tuple(str(turn) for turn in say) if isinstance(say, list) else (str(say),)
    strange = entry.keys() - {"kind", "say", "answer", "given", "made"}
    made = _wishes(entry["made"])
    if strange or any(len(wish.keys() & {"goal", "task", "moved"}) != 1 for wish in made):
        raise ValueError(f"{name}.yaml: {turns}: unknown key, or a wish without goal, task or moved")
    return Case(
        set=name,
        kind=str(entry["kind"]),
        say=turns,
        answer=str(entry.get("answer") or turns[-1]),
        given=_wishes(entry.get("given") or []),
        made=made,
    )


def _wishes(value: object) -> tuple[Wish, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is not a list of wishes")
    return tuple(dict(wish) for wish in value)
