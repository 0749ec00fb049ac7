"""What may stand in an agent's YAML files, and what is made of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bridge.core.agent import Effect, Intent, Kind, Limits, Parameter, Several
from intents.handlers.http import is_http
from intents.handlers.planner import DESTRUCTIVE
from intents.loader import Location

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
"""A function's or parameter's name, as language models' providers accept it."""
IDENTITY = re.compile(
    r".*user(id|uuid|name|key|token)?|uid|(owner|tenant|caller|session|conversation)(id|uuid)"
    r"|principal(id)?|onbehalfof|actas|impersonate",
    re.IGNORECASE,
)
"""A name, without its dashes, for whoever the call is made for."""
SLOT = re.compile(r"\{([^{}]*)\}")
Problem = tuple[Location, str]
"""Where, and what is wrong there."""
LIMITS = Limits()
Text = Annotated[str, Field(min_length=1)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ParameterSpec(_Spec):
    """One argument of an intent."""

    type: Kind = Field(default=Kind.TEXT, strict=False)
    required: bool = False
    required_when: dict[str, str] = Field(default={}, max_length=1)
    description: str = ""
    question: str = ""
    choices: list[Text] = []
    refers_to: str = ""
    several: Several = Field(default=Several.TOGETHER, strict=False)

    @model_validator(mode="after")
    def _fits_its_type(self) -> ParameterSpec:
        if bool(self.choices) != (self.type is Kind.CHOICE):
            raise ValueError("choices belong to type: choice, and it needs some")
        if bool(self.refers_to) != (self.type is Kind.REFERENCE):
            raise ValueError("refers_to belongs to type: reference, and it needs one")
        if self.several is not Several.TOGETHER and (
            self.type is not Kind.TEXT or self.several is Several.LIST
        ):
            raise ValueError("several is together, or each for type: text")
        return self

    def parameter(self, name: str) -> Parameter:
        """The parameter of that name."""
        return Parameter(
            name=name,
            kind=self.type,
            required=self.required,
            required_when=next(iter(self.required_when.items()), None),
            description=self.description,
            question=self.question,
            choices=tuple(self.choices),
            refers_to=self.refers_to,
            several=self.several,
        )


class IntentSpec(_Spec):
    """A function the agent may call."""

    route: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    description: Text
    handler: Text
    effect: Effect = Field(default=Effect.WRITE, strict=False)
    limit_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    dedupe: list[str] = []
    dedupe_seconds: Seconds = 120.0
    parameters: dict[str, ParameterSpec] = {}
    examples: list[Text] = []

    @model_validator(mode="after")
    def _effect_fits_its_handler(self) -> IntentSpec:
        outside = is_http(self.handler)
        if outside and self.effect is Effect.WRITE:
            raise ValueError(
                "an http handler has effect: external, destructive when the user is to be asked first, "
                "or read when it changes nothing"
            )
        if not outside and self.effect is Effect.EXTERNAL:
            raise ValueError("effect: external belongs to an http handler")
        if self.handler in DESTRUCTIVE and self.effect is not Effect.DESTRUCTIVE:
            raise ValueError(f"{self.handler} has effect: destructive")
        return self

    def problems(self, name: str) -> Iterator[Problem]:
        """What does not fit together in it, each at its place in intents.yaml."""
        at: Location = ("intents", name)
        if not NAME.fullmatch(name):
            yield at, f"{name} cannot be the name of a function"
        for parameter, spec in self.parameters.items():
            for inner, text in _parameter_problems(parameter, spec, self.parameters):
                yield (*at, "parameters", parameter, *inner), text
        for index, known in enumerate(self.dedupe):
            if known not in self.parameters:
                yield (*at, "dedupe", index), f"there is no parameter {known}"
        for index, phrase in enumerate(self.examples):
            if wrong := _phrase_problem(phrase, self.parameters):
                yield (*at, "examples", index), wrong

    def intent(self, name: str) -> Intent:
        """The intent of that name."""
        return Intent(
            name=name,
            route=self.route,
            description=self.description,
            parameters=tuple(spec.parameter(inner) for inner, spec in self.parameters.items()),
            handler=self.handler,
            limit_seconds=self.limit_seconds,
            effect=self.effect,
            dedupe=tuple(self.dedupe),
            dedupe_seconds=self.dedupe_seconds,
            examples=tuple(self.examples),
        )


def _parameter_problems(
    name: str, spec: ParameterSpec, others: dict[str, ParameterSpec]
) -> Iterator[Problem]:
    if not NAME.fullmatch(name):
        yield (), f"{name} cannot be the name of a parameter"
    if IDENTITY.fullmatch(name.replace("_", "").replace("-", "")):
        yield (), f"{name} is no parameter: who the user is comes from the session, never from the agent"
    for other, value in spec.required_when.items():
        if other == name or other not in others:
            yield ("required_when",), f"there is no other parameter {other}"
        elif others[other].choices and value not in others[other].choices:
            yield ("required_when",), f"{other} is never {value}"


def _phrase_problem(phrase: str, parameters: dict[str, ParameterSpec]) -> str:
    slots = SLOT.findall(phrase)
    if unknown := [slot for slot in slots if slot not in parameters]:
        return f"there is no parameter {unknown[0]} for {{{unknown[0]}}}"
    if "{" in SLOT.sub("", phrase) or "}" in SLOT.sub("", phrase):
        return "a slot is written {name}"
    return "a slot is there twice" if len(slots) != len(set(slots)) else ""


class IntentsSpec(_Spec):
    """intents.yaml."""

    intents: dict[str, IntentSpec]

    def problems(self) -> Iterator[Problem]:
        """What does not fit together, each at its place."""
        for name, spec in self.intents.items():
            yield from spec.problems(name)


class LimitsSpec(_Spec):
    """How long a session may last, and how much may happen in it."""

    session_seconds: Seconds = LIMITS.session_seconds
    idle_seconds: Seconds = LIMITS.idle_seconds
    idle_grace_seconds: Seconds = LIMITS.idle_grace_seconds
    calls_per_turn: int = Field(default=LIMITS.calls_per_turn, ge=1)
    calls_per_minute: int = Field(default=LIMITS.calls_per_minute, ge=1)
    calls_per_session: int = Field(default=LIMITS.calls_per_session, ge=1)
    sound_rate: float = Field(default=LIMITS.sound_rate, ge=1, le=100)


class ProviderSpec(_Spec):
    """One of Deepgram's providers; keys beside these two are passed on as they are."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    type: Text
    model: str | None = None


class AgentSpec(_Spec):
    """agent.yaml."""

    title: Text
    description: str = ""
    greeting: str = ""
    still_there: Text = "Are you still there?"
    one_moment: str = "One moment, please."
    language: Text = "en"
    listen: ProviderSpec = ProviderSpec(type="deepgram", model="nova-3")
    think: ProviderSpec = ProviderSpec(type="open_ai", model="gpt-4o-mini")
    speak: ProviderSpec = ProviderSpec(type="deepgram", model="aura-2-thalia-en")
    client_settings: Literal["allow", "managed"] = "managed"
    limits: LimitsSpec = LimitsSpec()
