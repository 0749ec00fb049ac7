"""Which of a user's things an argument names: by its id, by its title, by words of its title."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from bridge.core.model import Goal, Task

T = TypeVar("T", Goal, Task)

SMALL_WORDS = {"a", "an", "the", "my", "our", "to", "task", "reminder", "appointment", "goal", "please"}
"""Words that don't tell one thing from another."""


def named(asked: str, things: Sequence[T], title: Callable[[T], str]) -> Sequence[T]:
    """The one of that id; else those of exactly that title; else those that share its words."""
    if by_id := [thing for thing in things if thing.id == asked]:
        return by_id
    wanted = _words(asked)
    titles = [(thing, _words(title(thing))) for thing in things]
    exact = [thing for thing, words in titles if words == wanted]
    within = [thing for thing, words in titles if wanted and set(wanted) <= set(words)]
    around = [thing for thing, words in titles if words and set(words) <= set(wanted)]
    return exact or within or around


def _words(title: str) -> list[str]:
    return [word for word in re.findall(r"[^\W_]+", title.casefold()) if word not in SMALL_WORDS]
