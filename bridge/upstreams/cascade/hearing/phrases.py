"""What people say to an agent, spelled out: `{slots}` filled with samples, everything in spoken words."""

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypedDict

import yaml

FILLERS: Final = Path(__file__).with_name("fillers.yaml")
ANY_WORDS: Final = ("task", "goal", "thing", "person", "place")
"""The slots whose values stand in for a slot nobody knows."""

_SLOT = re.compile(r"\{\s*([a-z0-9_]+)[^}]*\}")
_ONES: Final = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS: Final = ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


class Fillers(TypedDict):
    """The shape of `fillers.yaml`."""

    slots: dict[str, str]
    capitals: str
    answers: list[str]
    phrases: list[str]


def load_fillers(path: Path = FILLERS) -> Fillers:
    """Read a file of fillers; ours unless told otherwise."""
    fillers: Fillers = yaml.safe_load(path.read_text(encoding="utf-8"))
    return fillers


def split_phrases(lines: Iterable[str]) -> list[str]:
    """Several phrases on a line, separated by `|` → one by one."""
    return [phrase for line in lines for phrase in line.split("|")]


def read_slots(slots: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """`{"day|date": "today, {weekday}"}` → `{"day": ("today", "{weekday}"), "date": …}`."""
    return {
        name: tuple(value.strip() for value in values.split(","))
        for names, values in slots.items()
        for name in names.split("|")
    }


def say_number(value: int) -> str:
    """0–999,999 in words: 45 → "forty five"."""
    if value < 20:
        return _ONES[value]
    if value < 100:
        return _TENS[value // 10] + (f" {_ONES[value % 10]}" if value % 10 else "")
    unit, name = (100, "hundred") if value < 1000 else (1000, "thousand")
    rest = f" {say_number(value % unit)}" if value % unit else ""
    return f"{say_number(value // unit)} {name}{rest}"


def spoken(text: str) -> str:
    """A written phrase as the ear would write it: lower case, numbers in words, no punctuation."""
    text = text.lower().replace("’", "'")
    text = re.sub(r"(\d)([a-z])", r"\1 \2", text)
    text = re.sub(r"\b(\d{1,2}):(\d\d)\b", lambda m: f"{m[1]} {m[2]}" if m[2] != "00" else m[1], text)
    text = re.sub(r"\d{1,6}", lambda m: f" {say_number(int(m[0]))} ", text)
    text = re.sub(r"\bp\.?\s?m\b\.?", " p.m. ", text)
    text = re.sub(r"(?<!i )\ba\.?\s?m\b\.?(?! i\b)", " a.m. ", text) if " am i" not in text else text
    return " ".join(re.findall(r"[ap]\.m\.|[a-z]+(?:'[a-z]+)*'?", text))


@dataclass(slots=True)
class Expander:
    """Fills slots with sample values, the same way every time."""

    slots: Mapping[str, Sequence[str]]
    """Slot → its values; a value may hold slots again."""
    unknown: set[str] = field(default_factory=set)
    """Slots that were asked for and are not there."""
    dice: random.Random = field(default_factory=lambda: random.Random(7))

    def expand(self, phrase: str, times: int) -> Iterator[str]:
        """Yield a phrase with slots `times` times, each filled anew, and a plain one `times // 4` times."""
        filled = _SLOT.search(phrase) is not None
        for _ in range(times if filled else max(1, times // 4)):
            yield spoken(self._fill(phrase))

    def _fill(self, phrase: str) -> str:
        while _SLOT.search(phrase):
            phrase = _SLOT.sub(lambda slot: self.dice.choice(self._values(slot[1])), phrase)
        return phrase

    def _values(self, slot: str) -> Sequence[str]:
        if slot in self.slots:
            return self.slots[slot]
        self.unknown.add(slot)
        return [value for name in ANY_WORDS for value in self.slots.get(name, ())] or [slot.replace("_", " ")]
