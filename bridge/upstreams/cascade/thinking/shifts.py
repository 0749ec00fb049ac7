"""Times that are counted from another: "back by an hour", "two days earlier", "forward by a week"."""

import re
from typing import Final

_COUNT: Final = (
    r"(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|"
    r"forty[ -]five|ninety|\d{1,3}|half an?|a couple(?: of)?|a few|another)"
)
_UNIT: Final = r"(?:minutes?|hours?|days?|weeks?|months?)"
_SPAN: Final = rf"{_COUNT} (?:{_COUNT} )?(?:{_UNIT} and a half|{_UNIT})"
_SHIFT: Final = re.compile(
    rf"\b(?P<lead>(?:(?:back|forward|up|by) ){{0,2}})(?P<span>{_SPAN})"
    r"(?: (?P<way>later|after|earlier|sooner|before|forward|back))?"
    r"(?= (?:because|please|instead)\b|[.,!?]|$)",
    re.IGNORECASE,
)
_EARLIER: Final = frozenset(["earlier", "sooner", "before", "forward", "up"])

_MOVES: Final = re.compile(
    r"\b(?:mov(?:e|ed|ing)|push|postpone|delay|reschedule|shift|bring|put|change|make (?:it|that))\b",
    re.IGNORECASE,
)
"""Without one of these a longer sentence moves nothing: "I want to get up an hour earlier"."""
AROUND: Final = 2
"""Words that may stand beside a shift where nothing is said to move: "actually an hour later"."""


def find_shift(text: str) -> tuple[str, int, int] | None:
    """The words of a shift as the functions understand them, and which characters said it."""
    for match in _SHIFT.finditer(text):
        lead, way = match["lead"].lower().split(), (match["way"] or "").lower()
        beside = f"{text[: match.start()]} {text[match.end() :]}".split()
        if not (lead or way) or (len(beside) > AROUND and not _MOVES.search(text)):
            continue
        back = way in _EARLIER or bool(_EARLIER & set(lead))
        start = match.start("span") if lead == ["forward", "by"] else match.start()
        return f"{match['span']} {'earlier' if back else 'later'}", start, match.end()
    return None
