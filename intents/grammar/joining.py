"""Which phrases of a sentence are one time: those that add to each other, without what was taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from intents.grammar.almanac import monday
from intents.grammar.pieces import Clock, Day, Meaning
from intents.recurrence import Rule

T = TypeVar("T")
UNTIL = {"until", "till", "through"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A phrase that was found."""

    meaning: Meaning
    start: int
    """Its first character among the normalised words."""
    end: int
    """One past its last."""
    lead: str | None = None
    """The word that led to it: at, by, from, to …"""
    fix: bool = False
    """It takes back what was said before: "no, friday"."""
    weak: bool = False
    """It may as well describe what comes after it: "friday dinner"."""


def join(pieces: Iterable[Piece], *, moving: bool) -> tuple[list[Piece], Meaning]:
    """The pieces that make one time, in order, and what they mean together.

    `moving` says that the sentence moves something: "from five to six" then means six, else from five on.
    Of two that contradict each other the first counts, unless it is taken back or weak.
    """
    kept: list[Piece] = []
    for piece in _ended(list(pieces)):
        rivals = [old for old in kept if merge(old.meaning, piece.meaning) is None]
        if _together([*kept, piece]) is not None:
            kept.append(piece)
        elif piece.fix or (
            moving and piece.lead in {"to", *UNTIL} and any(old.lead == "from" for old in rivals)
        ):
            kept = [replace(old, meaning=Meaning()) if old in rivals else old for old in kept] + [piece]
        elif rivals and rivals[-1].lead == "from" and piece.lead in {"to", *UNTIL}:
            kept[kept.index(rivals[-1])] = _opened(rivals[-1], piece)
            kept.append(replace(piece, meaning=Meaning()))
        elif not piece.weak and rivals and all(old.weak for old in rivals):
            kept = [*(old for old in kept if old not in rivals), piece]
    return kept, _together(kept) or Meaning()


def _ended(pieces: list[Piece]) -> list[Piece]:
    """With "until friday" as the end of a repetition, when there is one; lengths alone are no time."""
    if not any(piece.meaning.rule for piece in pieces):
        return [piece for piece in pieces if piece.meaning.lasting is None]
    return [_as_end(piece) for piece in pieces]


def _as_end(piece: Piece) -> Piece:
    day = piece.meaning.day
    if day is None or piece.lead not in UNTIL:
        return piece
    return replace(piece, meaning=Meaning(ending=day.date))


def _opened(first: Piece, last: Piece) -> Piece:
    """Of "from two to three pm" the two, in the afternoon."""
    start, end = first.meaning.clock, last.meaning.clock
    if start is None or end is None or start.sure or not end.sure or start.hour % 12 > end.hour % 12:
        return first
    return replace(
        first, meaning=Meaning(clock=Clock(start.hour % 12 + end.hour // 12 * 12, start.minute, True))
    )


def _together(pieces: Iterable[Piece]) -> Meaning | None:
    whole: Meaning | None = Meaning()
    for piece in pieces:
        whole = merge(whole, piece.meaning) if whole is not None else None
    return whole


def merge(one: Meaning, two: Meaning) -> Meaning | None:
    """Both together; None when they contradict each other."""
    if (one.exact and (two.day or two.clock)) or (two.exact and (one.day or one.clock)):
        return None
    try:
        return Meaning(
            day=_both(one.day, two.day, _narrowed),
            clock=_both(one.clock, two.clock),
            part=_both(one.part or None, two.part or None) or "",
            exact=_both(one.exact, two.exact),
            rule=_both(one.rule, two.rule, _rules),
            ending=_both(one.ending, two.ending),
            lasting=_both(one.lasting, two.lasting),
        )
    except _ContradictionError:
        return None


def _both(old: T | None, new: T | None, joined: Callable[[T, T], T | None] = lambda _, __: None) -> T | None:
    """The one there is, or the two joined in either order."""
    if old is None or new is None or old == new:
        return new if old is None else old
    both = joined(old, new) or joined(new, old)
    if both is None:
        raise _ContradictionError
    return both


class _ContradictionError(Exception):
    """Two phrases cannot both be meant."""


def _narrowed(wide: Day, close: Day) -> Day | None:
    """Next week on tuesday; next month on the fifth; friday the 13th."""
    match wide.kind, close.kind:
        case "week", "weekday":
            return Day(monday(wide.date) + timedelta(days=close.date.weekday()))
        case "month", "monthday":
            return Day(wide.date.replace(day=close.date.day))
        case "date" | "monthday", "weekday" if wide.date.weekday() == close.date.weekday():
            return wide
        case _:
            return wide if wide.date == close.date else None


def _rules(plain: Rule, detailed: Rule) -> Rule | None:
    """Weekly and on mondays; every two weeks and on mondays; daily and on weekdays."""
    if plain.has_days:
        return None
    if plain.freq == detailed.freq or (plain.freq == "DAILY" and plain.interval == 1):
        return replace(detailed, interval=max(plain.interval, detailed.interval))
    return None
