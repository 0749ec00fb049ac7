"""English as it is spoken in lists and sentences: "a, b and c", "1st", a capital at the beginning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal


def enumerated(words: Sequence[str], last: Literal["and", "or"] = "and") -> str:
    """Monday, Wednesday and Friday; empty without words."""
    return f" {last} ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def ordinal(number: int) -> str:
    """1 → 1st, 12 → 12th, 23 → 23rd."""
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def capitalised(sentence: str) -> str:
    """With a capital first letter; the others stay as they are."""
    return sentence[:1].upper() + sentence[1:]
