"""How people say a time of day: "half past five", "7:30 pm", "in the morning"."""

from __future__ import annotations

from datetime import datetime

from intents.grammar.pieces import Clock, Impossible, Meaning, Said, part_of, phrase
from intents.recurrence import WEEKDAYS

FIRM = {"at", "@", "by", "no later than", "until", "till", "before", "after", "from"}
"""After one of these a bare number is an hour, unless a noun follows."""
ROUND = {"quarter": 15, "half": 30}


def _clock(hour: int, minute: int, ap: str | None, *, sure: bool = False) -> Clock:
    if minute > 59 or hour > 24 or (hour == 24 and minute) or (ap and not 1 <= hour <= 12):
        raise Impossible
    if ap:
        return Clock(hour % 12 + 12 * (ap == "pm"), minute, sure=True)
    return Clock(hour, minute, sure=sure or hour > 12 or hour == 0)


def _minute(text: str | None) -> int:
    return int((text or "0").split()[-1])


def _plain(said: Said, _: datetime) -> Meaning | None:
    """Hour and minute with something that makes it a time: a colon, am, o'clock."""
    hour, ap = said["h"] or "", said.get("ap")
    if int(hour) > 24 or (said.get("dot") and not (ap or said["lead"] in FIRM)):
        return None
    return Meaning(clock=_clock(int(hour), _minute(said.get("m")), ap, sure=hour.startswith("0")))


def _bare(said: Said, now: datetime) -> Meaning | None:
    """An hour alone: a time only after a word like "at". An hour and a minute are one by themselves."""
    led = said["lead"] in {*FIRM, "to", "for"} or (said["lead"] is None and (said["fix"] or said["soft"]))
    return _plain(said, now) if led or said.get("m") else None


def _strict(said: Said, now: datetime) -> Meaning | None:
    return _plain(said, now) if said["lead"] in FIRM and said["h"] != "1" else None


def _beside(said: Said, _: datetime) -> Meaning | None:
    """Minutes beside an hour: quarter to nine, twenty past six, half five."""
    hour, way, by = int(said["h"] or 12), said["way"], said["by"] or ""
    if (
        not 1 <= hour <= 24
        or said["lead"] == "from"
        or not (way or said["lead"] or said["soft"] or said["fix"])
    ):
        return None
    twelve = {"midnight": "am", "noon": "pm", "midday": "pm"}.get(said.get("twelve") or "")
    clock, minutes = _clock(hour, 0, twelve or said["ap"]), ROUND.get(by) or int(by)
    if way in {"past", "after", ""}:
        return Meaning(clock=Clock(clock.hour, minutes, clock.sure))
    return Meaning(clock=Clock((clock.hour - 1) % 24 or 12 * (not clock.sure), 60 - minutes, clock.sure))


def _digits(said: Said, _: datetime) -> Meaning | None:
    """Four digits, as on a timetable: at 1730."""
    hour, minute = divmod(int(said["digits"] or 0), 100)
    firm = said["hours"] or said["lead"] in {"at", "@"}
    return Meaning(clock=Clock(hour, minute, sure=True)) if firm and hour < 24 and minute < 60 else None


def _noon(_: Said, __: datetime) -> Meaning:
    return Meaning(clock=Clock(12, sure=True))


def _midnight(_: Said, __: datetime) -> Meaning:
    return Meaning(clock=Clock(24, sure=True))


def _part(said: Said, _: datetime) -> Meaning:
    return Meaning(part=part_of(said) or "morning")


_AFTER_DAY = "|".join(f"(?<={day} )" for day in (*map(str.lower, WEEKDAYS), "today", "tonight", "tomorrow"))

CLOCKS = (
    phrase(r"{H}(?::|(?P<dot>\.)){M}(?: {AP})?(?: hours)?", _plain),
    phrase("{H}(?: {M})? {AP}", _plain),
    phrase("{H}(?: {M})? oclock(?: {AP})?", _plain),
    phrase("{H} {M}(?: hours)?{SAFE}", _bare),
    phrase("{H} {M}{NO_NOUN}", _strict),
    phrase("{H}{SAFE}", _bare),
    phrase("{H}{NO_NOUN}", _strict),
    phrase(
        "{H}(?= tonight| today| tomorrow| at night"
        "| (?:this|in the) (?:early |late )?(?:morning|afternoon|evening))",
        _plain,
    ),
    phrase(f"(?:{_AFTER_DAY}){{H}}{{SAFE}}", _plain),
    phrase(
        "(?:a )?(?P<by>quarter|half|5|10|20|25)(?: minutes| mins)? (?P<way>past|after|to|of|before|till?)"
        " (?:{H}(?: oclock)?(?: {AP})?|(?P<twelve>noon|midday|midnight)){NO_NOUN}",
        _beside,
    ),
    phrase("(?P<by>half) (?P<way>){H}(?: {AP})?{NO_NOUN}", _beside),
    phrase(r"(?:oh |o )?(?P<digits>[0-2]?\d[0-5]\d)(?P<hours> hours)?{SAFE}", _digits),
    phrase(r"between {H}(?:(?: |:){M})? and \d{1,2}(?:[ :][0-5]\d)?(?: {AP})?{NO_NOUN}", _plain),
    phrase("(?:(?:12 )?(?:noon|midday|mid day)|lunch ?time)", _noon),
    phrase("(?:12 )?midnight", _midnight),
    phrase("(?:(?:1st|1th) thing )?in the (?:very )?(?:early |late )?{PARTS}", _part),
    phrase("(?:at|~) {PARTS}", _part),
    phrase("(?:1st|1th) thing", _part),
)
