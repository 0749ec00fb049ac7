"""What was stored against what was wished: right, wrong in an argument, missing, or wished by nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.eval.cases import Case, Wish
from tests.eval.dates import alternatives, right
from tests.eval.wording import key, rule_key

Row = dict[str, object]
"""A goal or a task as REST gives it."""
TIMES = ("scheduled_at", "recurrence_rule")


@dataclass(frozen=True, slots=True)
class Wrong:
    """An argument that is not what was said."""

    argument: str
    wished: str
    stored: str

    def __str__(self) -> str:
        return f"{self.argument}: {self.stored or '—'} instead of {self.wished or '—'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one case."""

    wishes: int
    right: int
    """Wishes stored with every argument right."""
    missing: tuple[str, ...] = ()
    wrong: tuple[Wrong, ...] = ()
    extra: tuple[str, ...] = ()
    """Wrong actions: what was stored or moved and nobody wished."""

    @property
    def good(self) -> bool:
        return not (self.missing or self.wrong or self.extra)

    def __str__(self) -> str:
        notes = [f"missing: {what}" for what in self.missing] + [str(wrong) for wrong in self.wrong]
        return "; ".join(notes + [f"nobody wished: {what}" for what in self.extra])


@dataclass(frozen=True, slots=True)
class Stored:
    """What the user has in the end."""

    goals: Sequence[Row]
    tasks: Sequence[Row]
    """Without those that were there before."""
    given: Sequence[Row]
    """Those that were there before, as they are now."""


def judge(case: Case, stored: Stored, now: datetime) -> Verdict:
    """`now`: local time when the case began."""
    left = {"goal": list(stored.goals), "task": list(stored.tasks), "moved": _moved(stored.given)}
    done, missing, wrong = 0, [], []
    for wish in case.made:
        kind = next(name for name in left if name in wish)
        options = [(_wrongs(wish, row, now), row) for row in left[kind]]
        if not options:
            missing.append(f"{kind} {alternatives(wish[kind])[0]}")
            continue
        found, row = min(options, key=lambda option: len(option[0]))
        left[kind].remove(row)
        wrong += found
        done += not found
    extra = tuple(f"{kind} {_name(row)}" for kind, rows in left.items() for row in rows)
    return Verdict(wishes=len(case.made), right=done, missing=tuple(missing), wrong=tuple(wrong), extra=extra)


def _moved(given: Sequence[Row]) -> list[Row]:
    return [row for row in given if row["previous_time"] is not None]


def _name(row: Row) -> str:
    return str(row.get("statement") or row.get("title"))


def _wrongs(wish: Wish, row: Row, now: datetime) -> list[Wrong]:
    """Which arguments of a stored row are not what was wished."""
    if "goal" in wish:
        pairs = [
            _text("statement", wish["goal"], row["statement"]),
            _text("timeline", wish.get("timeline"), row["timeline"], leading=True),
            _text("context_notes", wish.get("notes"), row["context_notes"]),
        ]
    elif "moved" in wish:
        pairs = [
            _text("task", wish["moved"], row["title"]),
            _instant(wish, row, now),
            _text("reason", wish.get("reason"), row["reschedule_reason"]),
        ]
    else:
        pairs = [
            _text("title", wish["task"], row["title"]),
            _text("trigger_type", "location" if "place" in wish else "time", row["trigger_type"]),
            _text("location", wish.get("place"), row["location_trigger"], leading=True),
            _instant(wish, row, now),
            _rule(wish.get("every"), row["recurrence_rule"]),
        ]
    return [wrong for wrong in pairs if wrong]


def _text(argument: str, wished: object, stored: object, *, leading: bool = False) -> Wrong | None:
    options, was = alternatives(wished), str(stored or "")
    if key(was, leading=leading) in {key(option, leading=leading) for option in options}:
        return None
    return Wrong(argument, options[0], was)


def _instant(wish: Wish, row: Row, now: datetime) -> Wrong | None:
    when, stored = wish.get("at"), row["scheduled_at"]
    if when is None or stored is None:
        return None if when is stored else Wrong("scheduled_at", str(when or ""), str(stored or ""))
    assert isinstance(when, dict)
    at = datetime.fromisoformat(str(stored))
    local = at.astimezone(now.tzinfo).strftime("%A %Y-%m-%d %H:%M")
    return None if right(at, when, now) else Wrong("scheduled_at", str(when), local)


def _rule(wished: object, stored: object) -> Wrong | None:
    options, was = alternatives(wished), str(stored or "")
    if rule_key(was) in {rule_key(option) for option in options}:
        return None
    return Wrong("recurrence_rule", options[0], was)
