"""What an agent is: its words, its models, and the functions (intents) it may call. Made from its folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bridge.core.model import JSON


class Kind(StrEnum):
    """What a parameter's value is."""

    TEXT = "text"
    TIME = "time"
    """Words or ISO 8601, understood in the user's zone."""
    RECURRENCE = "recurrence"
    """Words ("every monday") or an RFC 5545 rule."""
    CHOICE = "choice"
    NUMBER = "number"
    BOOLEAN = "boolean"
    REFERENCE = "reference"
    """The id of one of the user's things."""


class Several(StrEnum):
    """What several values said in a row are: "milk and bread"."""

    TOGETHER = "together"
    """One text."""
    EACH = "each"
    """One call each."""
    LIST = "list"
    """One call with a list."""


class Effect(StrEnum):
    """What running an intent does to the world."""

    READ = "read"
    WRITE = "write"
    DESTRUCTIVE = "destructive"
    EXTERNAL = "external"
    """Reaches another system, at least once, with an idempotency key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One argument of an intent."""

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    required_when: tuple[str, str] | None = None
    """(other parameter, value): required when that one has that value."""
    description: str = ""
    question: str = ""
    """What to ask when it is missing."""
    choices: tuple[str, ...] = ()
    refers_to: str = ""
    """For references: the kind of thing, e.g. task."""
    several: Several = Several.TOGETHER
    """For texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A function the agent may call, executed here."""

    name: str
    route: str
    description: str
    parameters: tuple[Parameter, ...] = ()
    handler: str
    """`planner.add_goal`, `http:https://…` or `python:package.module:function`."""
    limit_seconds: float = 5.0
    effect: Effect = Effect.WRITE
    dedupe: tuple[str, ...] = ()
    """Arguments that make the same wish the same, even under a new call id."""
    dedupe_seconds: float = 120.0
    examples: tuple[str, ...] = ()
    """Phrases with {slots}, for the local agent and as hints to a language model."""

    @property
    def deferred(self) -> bool:
        """True: hold the call until the user's turn is confirmed (Deepgram: `defer_until_eot`)."""
        return self.effect is not Effect.READ

    def schema(self) -> dict[str, object]:
        """JSON Schema of the arguments, without anything a language model's provider might not know."""
        return {
            "type": "object",
            "properties": {p.name: _property(p) for p in self.parameters},
            "required": [p.name for p in self.parameters if p.required],
        }


def _property(parameter: Parameter) -> dict[str, object]:
    schema: dict[str, object] = {"type": "string"}
    match parameter.kind:
        case Kind.NUMBER:
            schema["type"] = "number"
        case Kind.BOOLEAN:
            schema["type"] = "boolean"
        case Kind.CHOICE:
            schema["enum"] = list(parameter.choices)
        case _:
            pass
    if parameter.description:
        schema["description"] = parameter.description
    return schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a session of this agent may last, and how much may happen in it."""

    session_seconds: float = 1800.0
    idle_seconds: float = 600.0
    """Nothing said for that long: "Are you still there?"."""
    idle_grace_seconds: float = 30.0
    calls_per_turn: int = 20
    """Function calls between two sentences of the user's; more are refused."""
    calls_per_minute: int = 60
    calls_per_session: int = 500
    sound_rate: float = 1.5
    """How many times faster than it is spoken a client's sound may come, for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent as its folder describes it."""

    name: str
    """The folder's name."""
    title: str
    description: str = ""
    prompt: str
    """The system prompt, Markdown."""
    greeting: str = ""
    language: str = "en"
    listen: JSON = field(default_factory=dict)
    """Deepgram's `listen.provider`."""
    think: JSON = field(default_factory=dict)
    """Deepgram's `think.provider`."""
    speak: JSON = field(default_factory=dict)
    """Deepgram's `speak.provider`."""
    intents: tuple[Intent, ...] = ()
    client_settings: bool = False
    """True (`client_settings: allow`): a client's own `Settings.agent` is used instead of this one's."""
    limits: Limits = field(default_factory=Limits)
    still_there: str = "Are you still there?"
    one_moment: str = "One moment, please."
    """Said when an answer or an intent takes long; empty = nothing is said."""

    def intent(self, name: str) -> Intent | None:
        """The intent of that name, if there is one."""
        return next((intent for intent in self.intents if intent.name == name), None)
