"""How people say that something repeats: "every monday and wednesday", "on the last day of every month"."""

from __future__ import annotations

import re
from datetime import datetime

from intents.grammar.almanac import amount, dated, later, month_of, weekday_of
from intents.grammar.dates import FEAST, FEASTS, WHICH
from intents.grammar.pieces import Meaning, Phrase, Reading, Said, part_of, phrase
from intents.recurrence import WORKDAYS, Rule

FREQUENCIES = {
    "min": ("MINUTELY", 1),
    "half": ("MINUTELY", 30),
    "h": ("HOURLY", 1),
    "da": ("DAILY", 1),
    "week": ("WEEKLY", 1),
    "bi": ("WEEKLY", 2),
    "fort": ("WEEKLY", 2),
    "month": ("MONTHLY", 1),
    "quarter": ("MONTHLY", 3),
    "year": ("YEARLY", 1),
    "annual": ("YEARLY", 1),
}
"""How a unit or an adverb starts → its frequency and interval."""
WEEKEND = ((0, 5), (0, 6))


def _daily(said: Said, _: datetime) -> Meaning:
    return Meaning(rule=Rule(freq="DAILY"), part=part_of(said))


def _nightly(_: Said, __: datetime) -> Meaning:
    return Meaning(rule=Rule(freq="DAILY"), part="night")


def _unit(said: Said, _: datetime) -> Meaning | None:
    """Every so many units; weekly, once a month."""
    unit, every = said["unit"] or "", said.get("every") or "a"
    freq, factor = next(found for key, found in FREQUENCIES.items() if unit.startswith(key))
    count = 2 if every == "other" else int(amount(re.sub(r"(?<=\d)\D+$", "", every)))
    return Meaning(rule=Rule(freq=freq, interval=count * factor)) if count else None


def _workdays(said: Said, _: datetime) -> Meaning:
    return Meaning(rule=Rule(freq="WEEKLY", days=WORKDAYS), part=part_of(said))


def _weekends(said: Said, _: datetime) -> Meaning:
    return Meaning(
        rule=Rule(freq="WEEKLY", interval=2 if said["other"] else 1, days=WEEKEND), part=part_of(said)
    )


def _weekdays(said: Said, _: datetime) -> Meaning | None:
    named = {weekday_of(name) for name in _names(said["list"])}
    if said.get("except"):
        named = set(range(7)) - named
    interval = 2 if said.get("other") else 1
    days = tuple((0, day) for day in sorted(named))
    return Meaning(rule=Rule(freq="WEEKLY", interval=interval, days=days), part=part_of(said))


def _names(text: str | None) -> list[str]:
    return re.findall(r"\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*", text or "")


def _range(said: Said, _: datetime) -> Meaning:
    """Monday to friday."""
    first, last = map(weekday_of, _names(said["range"]))
    span = (last - first) % 7
    days = sorted((first + step) % 7 for step in range(span + 1))
    return Meaning(rule=Rule(freq="WEEKLY", days=tuple((0, day) for day in days)), part=part_of(said))


def _monthly(said: Said, _: datetime) -> Meaning | None:
    edge = said["edge"] or ""
    number = {"last": -1, "end": -1, "start": 1, "beginning": 1}.get(edge) or int(edge[:-2])
    return Meaning(rule=Rule(freq="MONTHLY", monthdays=(number,))) if number <= 31 else None


def _nth(said: Said, _: datetime) -> Meaning | None:
    which = WHICH.get(said["which"] or "", 0)
    days = ((which, weekday_of(said["wd"] or "")),)
    return Meaning(rule=Rule(freq="MONTHLY", days=days), part=part_of(said)) if which else None


def _yearly(said: Said, now: datetime) -> Meaning:
    if said.get("feast"):
        month, number = FEASTS[(said["feast"] or "").replace("'", "")]
    else:
        month, number = month_of(said["mon"] or ""), int(said["d"] or 0)
        dated(month, number, None, now.date())
    return Meaning(rule=Rule(freq="YEARLY", months=(month,), monthdays=(number,)))


def _each_month(said: Said, _: datetime) -> Meaning:
    return Meaning(rule=Rule(freq="YEARLY", months=(month_of(said["mon"] or ""),), monthdays=(1,)))


def _lasting(said: Said, now: datetime) -> Meaning:
    end = later(amount(said["n"]), said["unit"] or "", now.date()).date
    return Meaning(lasting=(end - now.date()).days)


_EACH = {
    "EVERY": "(?:every|each)(?: single)?",
    "W": "(?:{WD}|{WA})s?",
    "COUNT": r"other|\d{1,3}(?:st|nd|rd|th)?|couple(?: of)?|few",
    "FEAST": FEAST,
}
"""Words for these patterns, besides the common vocabulary."""


def _repeat(pattern: str, read: Reading) -> Phrase:
    for name, words in _EACH.items():
        pattern = pattern.replace("{" + name + "}", words)
    return phrase(pattern, read)


REPEATS = (
    _repeat("(?:{EVERY} day|daily|everyday){PART}", _daily),
    _repeat("{EVERY} {PARTS}", _daily),
    _repeat("nightly", _nightly),
    _repeat(
        "{EVERY} (?:(?P<every>{COUNT}) )?"
        "(?P<unit>minutes?|half(?: an)? hour|hours?|days?|weeks?|fortnights?|months?|quarters?|years?)",
        _unit,
    ),
    _repeat("once (?:a|every|per) (?P<unit>hour|day|week|month|quarter|year)", _unit),
    _repeat("(?P<unit>hourly|weekly|bi ?weekly|fortnightly|monthly|quarterly|yearly|annually)", _unit),
    _repeat(
        "(?:{EVERY} (?:week ?day|work ?day|working day|business day)|(?:week|work) ?days){PART}", _workdays
    ),
    _repeat("(?:{EVERY} (?P<other>other )?weekend|(?:the )?weekends){PART}", _weekends),
    _repeat(
        "{EVERY} (?P<other>other |2nd |2th )?(?P<list>{W}(?:(?: ,)?(?: and)?(?: on| every)? {W}){0,6}){PART}",
        _weekdays,
    ),
    _repeat("(?P<list>{WD}s(?:(?: ,)?(?: and)?(?: on)? {WD}s?){0,6}){PART}", _weekdays),
    _repeat("(?P<list>{WD}(?:(?: ,| and| , and)(?: on)? {WD}s?){1,6}){PART}", _weekdays),
    _repeat("~ (?P<list>{W}(?:(?: ,)?(?: and)? {W}){1,6})", _weekdays),
    _repeat(
        "{EVERY} day (?P<except>except|but)(?: for| on)? (?P<list>{W}(?:(?: ,)?(?: and)? {W}){0,5})",
        _weekdays,
    ),
    _repeat("(?:{EVERY} |from )?(?P<range>{W} (?:to|through|thru|till|until) {W}){PART}", _range),
    _repeat(
        "(?:{EVERY} |the )?(?P<edge>{ORD}|last|end|start|beginning)(?: day)? (?:of|in) (?:every|each) month",
        _monthly,
    ),
    _repeat("{EVERY} (?P<edge>{ORD}|last|end)(?: day)? of the month", _monthly),
    _repeat("{EVERY} (?P<edge>{ORD}){SAFE}", _monthly),
    _repeat("(?:{EVERY} month|monthly) on the (?P<edge>{ORD}|last)(?: day)?{SAFE}", _monthly),
    _repeat(
        "(?:{EVERY} |the )?(?P<which>{ORD}|last) (?P<wd>{WD}) (?:of|in) (?:every|each) month{PART}", _nth
    ),
    _repeat("{EVERY} (?P<which>{ORD}|last) (?P<wd>{WD}) of the month{PART}", _nth),
    _repeat("{EVERY} (?P<which>(?!2){ORD}|last) (?P<wd>{WD}){PART}", _nth),
    _repeat("(?:{EVERY} month|monthly) on the (?P<which>{ORD}|last) (?P<wd>{WD}){PART}", _nth),
    _repeat(r"{EVERY}(?: year on)? (?P<mon>{MON}) (?:the )?(?P<d>\d{1,2})(?:st|nd|rd|th)?", _yearly),
    _repeat(
        r"{EVERY}(?: year on)? (?:the )?(?P<d>\d{1,2})(?:st|nd|rd|th)?(?: of)? (?P<mon>{MON})",
        _yearly,
    ),
    _repeat("{EVERY}(?: year (?:on|at))? (?P<feast>{FEAST})", _yearly),
    _repeat(
        "{EVERY} (?P<mon>january|february|april|june|july|august|september|october|november|december)",
        _each_month,
    ),
    _repeat("for (?:the )?(?:next )?(?P<n>{N}) (?P<unit>days?|weeks?|fortnights?|months?|years?)", _lasting),
)
