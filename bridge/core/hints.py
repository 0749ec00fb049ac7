"""Intents as functions of the Voice Agent protocol and back, with hints plain functions have no room for.

The hints stand under `x-bridge` inside `parameters`, where stock SDKs keep unknown keys:

    {"effect": "write", "examples": ["remind me to {title}"],
     "parameters": {"title": {"kind": "text", "question": "What should I remind you of?"}}}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from bridge.core.agent import Effect, Intent, Kind, Parameter, Several
from bridge.core.model import JSON

KEY = "x-bridge"
CLIENT = "client"
"""Handler of an intent that was read back: whoever declared the function runs it."""

Choice = TypeVar("Choice", Kind, Effect, Several)


def to_function(intent: Intent) -> dict[str, object]:
    """Deepgram's `think.functions[]` item, with hints. What only the executor needs is not in it."""
    function: dict[str, object] = {
        "name": intent.name,
        "description": intent.description,
        "parameters": {**intent.schema(), KEY: _hints(intent)},
    }
    return function | ({"defer_until_eot": True} if intent.deferred else {})


def without_hints(function: JSON) -> dict[str, object]:
    """The same function as a language model's provider takes it."""
    parameters = _object(function.get("parameters"))
    plain = {key: value for key, value in parameters.items() if key != KEY}
    return {**function, "parameters": plain} if KEY in parameters else dict(function)


def from_function(function: JSON) -> Intent:
    """An intent from a function, with hints or without. Raises ValueError when it has no name.

    Without hints the kinds are guessed from the schema and the names, and the questions made from the names.
    """
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise ValueError("a function has a name")
    schema = _object(function.get("parameters"))
    hints = _object(schema.get(KEY))
    deferred = Effect.WRITE if function.get("defer_until_eot") is True else Effect.READ
    return Intent(
        name=name,
        route="",
        description=_text(function.get("description")),
        parameters=_parameters(schema, _object(hints.get("parameters"))),
        handler=CLIENT,
        effect=_member(Effect, hints.get("effect")) or deferred,
        examples=_texts(hints.get("examples")),
    )


def from_functions(functions: object) -> tuple[Intent, ...]:
    """The intents of a `functions` array; what is not a function with a name is left out."""
    items = [_object(item) for item in functions] if isinstance(functions, list | tuple) else []
    return tuple(from_function(item) for item in items if _text(item.get("name")))


# ── writing ────────────────────────────────────────────────────────────────────────────────────────────


def _hints(intent: Intent) -> dict[str, object]:
    # Before something destructive our executor has the user asked: whoever reads this need not ask as well.
    effect = Effect.WRITE if intent.effect is Effect.DESTRUCTIVE else intent.effect
    return {
        "effect": effect.value,
        "examples": list(intent.examples),
        "parameters": {parameter.name: _hint(parameter) for parameter in intent.parameters},
    }


def _hint(parameter: Parameter) -> dict[str, object]:
    """What the schema of a parameter does not say; empty values are left out."""
    hint: dict[str, object] = {
        "kind": parameter.kind.value,
        "question": parameter.question,
        "refers_to": parameter.refers_to,
        "required_when": list(parameter.required_when or ()),
        "several": parameter.several.value if parameter.several is not Several.TOGETHER else "",
    }
    return {key: value for key, value in hint.items() if value}


# ── reading ────────────────────────────────────────────────────────────────────────────────────────────


def _parameters(schema: JSON, hints: JSON) -> tuple[Parameter, ...]:
    required = _texts(schema.get("required"))
    return tuple(
        _parameter(name, _object(property_), _object(hints.get(name)), required=name in required)
        for name, property_ in _object(schema.get("properties")).items()
    )


def _parameter(name: str, schema: JSON, hint: JSON, *, required: bool) -> Parameter:
    kind = _member(Kind, hint.get("kind")) or guess_kind(name, schema)
    if kind is Kind.CHOICE and not _choices(schema):
        kind = Kind.TEXT
    refers_to = _text(hint.get("refers_to"))
    if kind is Kind.REFERENCE and not refers_to:
        refers_to = _thing(name)
    choices = _choices(schema) if kind is Kind.CHOICE else ()
    when = _texts(hint.get("required_when"))
    description = _text(schema.get("description"))
    return Parameter(
        name=name,
        kind=kind,
        required=required,
        required_when=(when[0], when[1]) if len(when) == 2 else None,
        description=description,
        question=_text(hint.get("question")) or ask_for(name, kind, choices, description),
        choices=choices,
        refers_to=refers_to,
        several=_member(Several, hint.get("several")) or _several(schema),
    )


TIME_WORDS = frozenset(
    {"time", "date", "datetime", "day", "when", "at", "deadline", "due", "until", "timeline", "timestamp"}
)
RECURRENCE_WORDS = frozenset({"recurrence", "rrule", "recurring", "repeat", "repeats", "repetition"})
NOT_A_TIME = frozenset(
    {"zone", "timezone", "type", "format", "count", "spent", "duration", "minutes", "hours"}
)
"""A name with one of these says something about times, or measures them."""
TIME_FORMATS = frozenset({"date", "time", "date-time"})
TIME_DESCRIBED = re.compile(
    r"\biso[- ]?8601\b|\bdate[- ]?time\b|\b(date and time|time and date)\b", re.IGNORECASE
)
RECURRENCE_DESCRIBED = re.compile(r"\b(rfc[- ]?5545|rrule|recurrence rule)\b", re.IGNORECASE)

ASKS = re.compile(
    r"(?P<what>who|what|where|how|which \w+|how many \w+)(?= (?!it|the|they|you|he|she|this|that)) "
    r"(?P<rest>(?P<to>to )?[^.?!:;(]{2,40})[.?]?$",
    re.IGNORECASE,
)
"""A description that is a question already."""


def guess_kind(name: str, schema: JSON) -> Kind:
    """What a parameter without hints probably is."""
    if _choices(schema):
        return Kind.CHOICE
    types = _types(schema)
    if types & {"number", "integer"}:
        return Kind.NUMBER
    if "boolean" in types:
        return Kind.BOOLEAN
    if types & {"array", "object"}:
        return Kind.TEXT
    words = set(_words(name))
    description = _text(schema.get("description"))
    if words & RECURRENCE_WORDS or RECURRENCE_DESCRIBED.search(description):
        return Kind.RECURRENCE
    if schema.get("format") in TIME_FORMATS:
        return Kind.TIME
    if not words & NOT_A_TIME and (words & TIME_WORDS or TIME_DESCRIBED.search(description)):
        return Kind.TIME
    return Kind.REFERENCE if _thing(name) else Kind.TEXT


def ask_for(name: str, kind: Kind, choices: Sequence[str] = (), description: str = "") -> str:
    """A question made from a parameter's name, or from a description that is nearly one: "Where to go."."""
    words = " ".join(_words(name))
    if kind is Kind.TEXT and (question := ASKS.match(description)):
        what, to = question["what"].capitalize(), "would you like " if question["to"] else ""
        return f"{what} {to}{question['rest']}?"
    match kind:
        case Kind.TIME:
            return "When should that be?"
        case Kind.RECURRENCE:
            return "How often should that be?"
        case Kind.REFERENCE:
            return f"Which {_thing(name) or words}?"
        case Kind.CHOICE if choices:
            return f"Which {words}: {_either(choices)}?"
        case Kind.BOOLEAN:
            return f"{words.capitalize()}: yes or no?"
        case Kind.NUMBER if words.endswith("s") or words == "percent":
            return f"How many {words}?"
        case _:
            return f"What is the {words}?"


def _either(choices: Sequence[str]) -> str:
    *others, last = choices
    return f"{', '.join(others)} or {last}" if others else last


def _words(name: str) -> list[str]:
    """`scheduledAt`, `scheduled_at` → scheduled, at."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", " ", name).lower().split()


def _thing(name: str) -> str:
    """The kind of thing a name refers to: `task_id` → task; empty when it refers to none."""
    *thing, last = _words(name) or [""]
    return "_".join(thing) if last == "id" else ""


def _choices(schema: JSON) -> tuple[str, ...]:
    return _texts(schema.get("enum"))


def _several(schema: JSON) -> Several:
    return Several.LIST if "array" in _types(schema) else Several.TOGETHER


def _types(schema: JSON) -> set[str]:
    given = schema.get("type")
    return {given} if isinstance(given, str) else set(_texts(given))


def _member(kind: type[Choice], value: object) -> Choice | None:
    return next((member for member in kind if member.value == value), None)


def _object(value: object) -> JSON:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list | tuple) else ()
