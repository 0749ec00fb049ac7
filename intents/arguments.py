"""What the model sent as arguments → checked and understood, or a sentence that says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import jsonschema_rs
import orjson

from bridge.core.agent import Intent, Kind, Parameter
from bridge.core.model import JSON, Outcome
from intents import outcomes, sentences, times, when
from intents.when import When

MAX_BYTES = 16 * 1024
"""UTF-8 size of all arguments together."""
MAX_TEXT = 2000
"""Characters of one text."""
MAX_WORDS = 200
"""Characters of anything else that is written in words."""
NOTHING = {"none", "null", "n/a", "undefined"}
"""What models write into optional arguments that were not said."""
NO_REPETITION = {"never", "no", "once", "does not repeat", "one time", "one-time"}
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
GRACE = timedelta(minutes=2)
"""A time that has passed by no more than this counts as now."""


Value = str | float | bool | When


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """Checked arguments of one call: all that is required, each of its type, nothing in the past."""

    values: Mapping[str, Value]
    """By parameter; what was not said is absent. Times and repetitions are `When`."""
    said: JSON
    """The same as the agent sent it, cleaned: the call's identity in the ledger."""
    now: datetime
    """When they were understood, UTC."""
    zone: ZoneInfo
    """The user's."""

    def text(self, name: str) -> str:
        """A text, choice or reference, or the words of a time; empty when it was not said."""
        match self.values.get(name):
            case str(text) | When(words=text):
                return text
            case _:
                return ""

    def when(self, name: str) -> When | None:
        """A time or repetition, if it was said; its `at` is None when an optional time was not understood."""
        value = self.values.get(name)
        return value if isinstance(value, When) else None

    def understood(self, intent: Intent) -> dict[str, object]:
        """As JSON: times in ISO 8601 (UTC), or as words when not understood; repetitions as rules."""
        kinds = {p.name: p.kind for p in intent.parameters}
        return {name: _plain(value, kinds[name]) for name, value in self.values.items()}


def _plain(value: Value, kind: Kind) -> object:
    if not isinstance(value, When):
        return value
    if kind is Kind.RECURRENCE:
        return value.rule
    return value.at.isoformat() if value.at else value.words


class _Wrong(Exception):
    """Carries the sentence of a refusal, and a note for the agent alone."""

    def __init__(self, sentence: str, note: str = "") -> None:
        super().__init__(sentence)
        self.outcome = outcomes.refused(sentence, note)


def understand(text: str, intent: Intent, *, now: datetime, zone: ZoneInfo) -> Arguments | Outcome:
    """Check what the model sent. An Outcome is a refusal: one sentence the agent can act on. Never raises."""
    try:
        said = _checked(_read(text), intent)
        values = {p.name: _value(said[p.name], p, now, zone) for p in intent.parameters if p.name in said}
        values |= _joined(values, intent, now, zone)
        for parameter in intent.parameters:
            _check(parameter, values, intent, now, zone)
    except _Wrong as wrong:
        return wrong.outcome
    return Arguments(values=values, said=said, now=now, zone=zone)


def _read(text: str) -> dict[str, object]:
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise _Wrong(sentences.TOO_LONG, "the arguments are larger than 16 KiB")
    try:
        data = orjson.loads(text.encode("utf-8", "replace") or b"{}")
    except orjson.JSONDecodeError:
        raise _Wrong(sentences.UNREADABLE, "the arguments are not JSON") from None
    if not isinstance(data, dict):
        raise _Wrong(sentences.UNREADABLE, "the arguments are not a JSON object")
    return data


def _checked(sent: Mapping[str, object], intent: Intent) -> dict[str, object]:
    """What of it belongs to the intent and holds something, in the form its schema wants."""
    said = {p.name: _tidy(sent.get(p.name), p) for p in intent.parameters}
    said = {name: value for name, value in said.items() if value not in (None, "")}
    schema = intent.schema() | {"required": []}
    error = next(jsonschema_rs.iter_errors(schema, said, retriever=_refuse), None)
    parameters = {p.name: p for p in intent.parameters}
    if error is not None:
        name = str(error.instance_path[0])
        raise _Wrong(sentences.unsuitable(parameters[name]), f"wrong: {name}")
    for name, value in said.items():
        if isinstance(value, str) and len(value) > (
            MAX_TEXT if parameters[name].kind is Kind.TEXT else MAX_WORDS
        ):
            raise _Wrong(sentences.too_long(parameters[name]), f"too long: {name}")
    return said


def _refuse(uri: str) -> dict[str, object]:
    raise ValueError(f"a schema of ours refers to nothing outside, so not to {uri}")


def _tidy(value: object, parameter: Parameter) -> object:
    """The value as a careless model meant it: other case, "5" for 5, 12 for "12"; None = it was not said."""
    if isinstance(value, str):
        value = " ".join(CONTROL.sub(" ", value).split())
        if not parameter.required and _says_nothing(value.casefold(), parameter):
            return None
    match parameter.kind, value:
        case Kind.CHOICE, str(text):
            return next((known for known in parameter.choices if _loose(known) == _loose(text)), text)
        case Kind.BOOLEAN, str(text):
            return {"true": True, "yes": True, "false": False, "no": False}.get(text.casefold(), text)
        case Kind.NUMBER, str(text):
            return _number(text)
        case ((Kind.NUMBER | Kind.BOOLEAN), _):
            return value
        case _, int(number) if not isinstance(number, bool):
            return str(number)
        case _:
            return value


def _says_nothing(word: str, parameter: Parameter) -> bool:
    if parameter.kind is Kind.RECURRENCE and word in NO_REPETITION:
        return True
    return word in NOTHING and word not in parameter.choices


def _loose(choice: str) -> str:
    return "".join(c for c in choice.casefold() if c.isalnum())


def _number(text: str) -> object:
    try:
        number: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return number if isinstance(number, int | float) else text


def _value(value: object, parameter: Parameter, now: datetime, zone: ZoneInfo) -> Value:
    match parameter.kind, value:
        case Kind.TIME | Kind.RECURRENCE, str(words):
            return _when(words, parameter, now, zone)
        case _, bool() | str() | float():
            return value
        case _, int():
            return float(value)
        case _:
            raise _Wrong(sentences.unsuitable(parameter), f"wrong: {parameter.name}")


def _when(words: str, parameter: Parameter, now: datetime, zone: ZoneInfo) -> When:
    found = when.read(words, now, zone)
    if parameter.kind is Kind.RECURRENCE and found.rule is None:
        raise _Wrong(sentences.not_understood(parameter, words), f"not understood: {parameter.name}")
    return found


def _joined(values: Mapping[str, Value], intent: Intent, now: datetime, zone: ZoneInfo) -> dict[str, Value]:
    """An intent's only time and only repetition belong together: "at seven" and "every monday"."""
    time = [p.name for p in intent.parameters if p.kind is Kind.TIME]
    repetition = [p.name for p in intent.parameters if p.kind is Kind.RECURRENCE]
    if len(time) != 1 or len(repetition) != 1:
        return {}
    at, every = (value if isinstance(value := values.get(name), When) else None for name in time + repetition)
    joined = when.join(at, every, now, zone)
    return {name: joined for name in (*time, *(repetition if joined and joined.rule else ())) if joined}


def _check(
    parameter: Parameter, values: Mapping[str, Value], intent: Intent, now: datetime, zone: ZoneInfo
) -> None:
    """Is it there when it has to be, understood when it has to be, and not in the past?"""
    value = values.get(parameter.name)
    other, needed = parameter.required_when or ("", "")
    required = parameter.required or (other and str(values.get(other, "")) == needed)
    if value is None and required:
        raise _Wrong(sentences.missing(intent, parameter), f"missing: {parameter.name}")
    if isinstance(value, When) and value.at is None and required:
        raise _Wrong(sentences.not_understood(parameter, value.words), f"not understood: {parameter.name}")
    if isinstance(value, When) and value.at is not None and value.at < now - GRACE:
        spoken = times.say(value.at, now, zone)
        raise _Wrong(sentences.passed(parameter, spoken), f"passed: {parameter.name}")
