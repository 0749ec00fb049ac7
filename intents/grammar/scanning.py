"""Finding the phrases of a time among the words of a sentence."""

from __future__ import annotations

import re
from datetime import datetime

from intents.grammar.clocks import CLOCKS
from intents.grammar.dates import DATES
from intents.grammar.days import DAYS
from intents.grammar.joining import Piece
from intents.grammar.pieces import SAFE
from intents.grammar.repeats import REPEATS
from intents.grammar.words import Words

PHRASES = (*DAYS, *DATES, *REPEATS, *CLOCKS)
MAX_PIECES = 20
"""Phrases that are looked at in one sentence."""
NOT_OURS = {"the", "my", "our", "your", "his", "her", "their", "its", "that"}
"""A time between one of these and a noun describes the noun: "the monday report"."""
GONE = {"last", "past", "previous"}
ASIDE = re.compile(r"(?:minutes?|hours?|days?|weeks?|months?) (?:before|after)(?: the)? \Z")
"""Nothing is counted from a time: "two days before christmas" is not christmas."""
NUMBERED = {
    *("room", "number", "flight", "route", "gate", "line", "bus", "channel", "level", "chapter", "page"),
    *("version", "unit", "apartment", "extension", "platform", "track", "episode", "step"),
}
"""What a number after it belongs to."""
MOVING = re.compile(
    r"\b(?:mov(?:e|ed|ing)|chang(?:e|ed|ing)|reschedul\w+|postpon\w+|push|shift|switch|delay|bring|bump|swap)\b"
    r"|\bput (?:\w+ )?(?:off|back)\b"
)
"""Words of a sentence that gives something another time."""
TO_HOUR = re.compile(MOVING.pattern + r"|\b(?:set|make|update|from)\b")
"""Without one of these "to ten" is no time: "count to ten"."""


def scan(words: Words, now: datetime) -> list[Piece]:
    """Every phrase of a time in the words, from the left, the longest at each place; `now` is the user's."""
    pieces: list[Piece] = []
    index = 0
    while index < len(words.words) and len(pieces) < MAX_PIECES:
        piece = _longest(words, index, now)
        index = words.index(piece.end + 1) if piece else index + 1
        pieces += [piece] if piece else []
    return pieces


def _longest(words: Words, index: int, now: datetime) -> Piece | None:
    start = words.starts[index]
    before = words.words[index - 1].norm if index else ""
    found = [(match, way) for way in PHRASES if (match := way.pattern.match(words.norm, start))]
    for match, way in sorted(found, key=lambda pair: -pair[0].end()):
        safe = SAFE.match(words.norm, match.end()) is not None
        if not _stands(match, before, safe):
            continue
        if (meaning := way.read(match.groupdict(), now)) is not None:
            lead = match["lead"]
            noun = index > 0 and not lead and not safe and meaning.day and meaning.day.kind == "weekday"
            weak = bool(noun or (lead == "for" and meaning.clock))
            return Piece(
                meaning=meaning, start=start, end=match.end(), lead=lead, fix=bool(match["fix"]), weak=weak
            )
    return None


def _stands(match: re.Match[str], before: str, safe: bool) -> bool:
    """Is it a time by what stands around it?"""
    said, norm = match.groupdict(), match.string
    lead = said["lead"]
    if before in GONE or (said.get("range") and moves(norm)):
        return False
    if ASIDE.search(norm[max(0, match.start() - 24) : match.start()] + (lead or "") + " "):
        return False
    if said.get("h") and ((before in NUMBERED and not lead) or (lead == "to" and not TO_HOUR.search(norm))):
        return False
    return safe or not (lead == "to" or (before in NOT_OURS and not lead))


def moves(norm: str) -> bool:
    """Does the sentence give something another time? "from five to six" then means six."""
    return MOVING.search(norm) is not None
