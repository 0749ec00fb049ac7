"""Typed access to the fields of a client's message: a mistake names the field and quotes nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bridge.core.model import JSON
from bridge.errors import BadMessage

UNPARSABLE = "UNPARSABLE_CLIENT_MESSAGE"


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object and where it stands in its message. A field that is null counts as absent."""

    values: JSON
    path: str = ""
    """Prefix for messages, e.g. `audio.input.`."""
    code: str = UNPARSABLE
    """Code of the mistakes found here."""

    def wrong(self, key: str, what: str, *, code: str | None = None) -> BadMessage:
        """The mistake to raise: "`audio.input.sample_rate` is missing"."""
        return BadMessage(f"`{self.path}{key}` {what}", code=code or self.code)

    def text(self, key: str) -> str:
        """A string, without NUL characters (PostgreSQL stores none). Raises BadMessage."""
        match self.values.get(key):
            case str(text):
                return text.replace("\x00", "")
            case None:
                raise self.wrong(key, "is missing")
            case _:
                raise self.wrong(key, "must be text")

    def number(self, key: str) -> float:
        """A finite number. Raises BadMessage."""
        match self.values.get(key):
            case None:
                raise self.wrong(key, "is missing")
            case int() | float() as value if not isinstance(value, bool) and math.isfinite(value):
                return value
            case _:
                raise self.wrong(key, "must be a number")

    def whole(self, key: str) -> int:
        """A whole number; `16000.0` counts, some clients cannot help it. Raises BadMessage."""
        value = self.number(key)
        if value != int(value):
            raise self.wrong(key, "must be a whole number")
        return int(value)

    def part(self, key: str) -> Fields | None:
        """The object inside; None when there is none. Raises BadMessage."""
        match self.values.get(key):
            case None:
                return None
            case dict(values):
                return Fields(values, f"{self.path}{key}.", self.code)
            case _:
                raise self.wrong(key, "must be an object")

    def items(self, key: str) -> tuple[Fields, ...]:
        """The objects of the list inside; none when there is no list. Raises BadMessage."""
        match self.values.get(key):
            case None:
                return ()
            case list(items) if all(isinstance(item, dict) for item in items):
                return tuple(
                    Fields(item, f"{self.path}{key}[{n}].", self.code) for n, item in enumerate(items)
                )
            case _:
                raise self.wrong(key, "must be a list of objects")
