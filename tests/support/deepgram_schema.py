"""What a client of Deepgram's Voice Agent v1 may send, as JSON Schema, with the keys known in autumn 2026.

Stricter than the real server where a mistake of ours would otherwise pass: keys nobody knows are refused.
"""

from collections.abc import Mapping
from typing import Final

from jsonschema_rs import Draft202012Validator, ValidationError, ValidationErrorKind

Schema = dict[str, object]

TEXT: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "number"}
INTEGER: Final[Schema] = {"type": "integer"}
YES_NO: Final[Schema] = {"type": "boolean"}
OBJECT: Final[Schema] = {"type": "object"}
TEXTS: Final[Schema] = {"type": "array", "items": TEXT}

PROMPT_LIMIT: Final = 25_000
"""Characters; more is cut with `Warning PROMPT_TOO_LONG`."""


def _record(required: Schema, optional: Schema | None = None) -> Schema:
    """An object with these keys and no others."""
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


def _open(required: Schema) -> Schema:
    """An object with at least these keys: a third party's, whose lists change."""
    return {"type": "object", "properties": required, "required": list(required)}


def _one_of(*choices: object) -> Schema:
    return {"enum": list(choices)}


def _matches(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}


def _either(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def _or_list(schema: Schema) -> Schema:
    """One, or a list of fallbacks in order."""
    return _either(schema, {"type": "array", "items": schema, "minItems": 1})


LISTEN: Final = _either(
    _record(
        {"type": _one_of("deepgram"), "model": _matches("^(?!flux)")},
        {
            "version": _one_of("v1"),
            "language": TEXT,
            "keyterms": TEXTS,
            "smart_format": YES_NO,
        },
    ),
    _record(
        {"type": _one_of("deepgram"), "version": _one_of("v2"), "model": _matches("^flux-")},
        {
            "language_hints": TEXTS,
            "eot_threshold": {"type": "number", "minimum": 0.5, "maximum": 1.0},
            "eager_eot_threshold": {"type": "number", "minimum": 0.3, "maximum": 0.9},
            "eot_timeout_ms": INTEGER,
            "keyterms": TEXTS | {"maxItems": 100},
        },
    ),
)

THINK_PROVIDER: Final = _open(
    {
        "type": _one_of("open_ai", "anthropic", "google", "groq", "aws_bedrock", "nvidia", "deepgram"),
        "model": TEXT,
    }
)

FUNCTION: Final = _record(
    {
        "name": _matches("^[A-Za-z0-9_-]{1,64}$"),
        "description": TEXT,
        "parameters": {
            "type": "object",
            "properties": {"type": _one_of("object"), "properties": OBJECT, "required": TEXTS},
            "required": ["type"],
            # A language model's provider may refuse keywords it does not know.
            "propertyNames": {"not": {"pattern": "^x-"}},
        },
    },
    {
        "endpoint": _open({"url": TEXT}),
        "defer_until_eot": YES_NO,
        "initial_agent_filler": YES_NO,
        "agent_filler_max_count": INTEGER,
        "agent_filler_interval_ms": INTEGER,
    },
)

THINK: Final = _record(
    {"provider": THINK_PROVIDER},
    {
        "endpoint": _open({"url": TEXT}),
        "functions": {"type": "array", "items": FUNCTION},
        "prompt": TEXT | {"maxLength": PROMPT_LIMIT},
        "context_length": _either(_one_of("max"), NUMBER),
    },
)

SPEAK: Final = _record(
    {
        "provider": _either(
            _record(
                {"type": _one_of("deepgram"), "model": _matches("^aura-")},
                {"version": _one_of("v1"), "speed": {"type": "number", "minimum": 0.7, "maximum": 1.5}},
            ),
            _record(
                {"type": _one_of("deepgram"), "version": _one_of("v2"), "model": _matches("^flux-")},
                {"speed": NUMBER, "expressivity": INTEGER},
            ),
            _open({"type": _one_of("eleven_labs"), "model_id": TEXT}),
            _open({"type": _one_of("cartesia"), "model_id": TEXT, "voice": OBJECT}),
            _open({"type": _one_of("open_ai"), "model": TEXT, "voice": TEXT}),
            _open({"type": _one_of("aws_polly"), "voice": TEXT, "language": TEXT, "engine": TEXT}),
        )
    },
    {"endpoint": _open({"url": _matches("^(https|wss)://")})},
)

HISTORY: Final = _either(
    _record({"type": _one_of("History"), "role": _one_of("user", "assistant"), "content": TEXT}),
    _record(
        {
            "type": _one_of("History"),
            "function_calls": {
                "type": "array",
                "minItems": 1,
                "items": _record(
                    {"id": TEXT, "name": TEXT, "client_side": YES_NO, "arguments": TEXT, "response": TEXT},
                    {"thought_signature": TEXT},
                ),
            },
        }
    ),
)

AGENT: Final = _either(
    _matches("^[0-9a-fA-F-]{36}$"),
    _record(
        {},
        {
            "language": TEXT,
            "context": _record({}, {"messages": {"type": "array", "items": HISTORY}}),
            "listen": _record({"provider": LISTEN}),
            "think": _or_list(THINK),
            "think_live": _open({"provider": OBJECT}),
            "speak": _or_list(SPEAK),
            "greeting": TEXT,
        },
    ),
)

INPUTS: Final = (
    *("linear16", "linear32", "flac", "alaw", "mulaw", "amr-nb"),
    *("amr-wb", "opus", "ogg-opus", "speex", "g729"),
)
OUTPUTS: Final = ("linear16", "mulaw", "alaw", "mp3", "opus", "flac", "aac")
RATES: Final = (8000, 16000, 22050, 24000, 32000, 44100, 48000)

# Both formats must be spelled out: the defaults of the two rates are not established.
SETTINGS: Final = _record(
    {
        "type": _one_of("Settings"),
        "audio": _record(
            {
                "input": _record({"encoding": _one_of(*INPUTS), "sample_rate": INTEGER}),
                "output": _record(
                    {"encoding": _one_of(*OUTPUTS), "sample_rate": _one_of(*RATES)},
                    {"bitrate": INTEGER, "container": _one_of("none", "wav", "ogg")},
                ),
            }
        ),
        "agent": AGENT,
    },
    {
        "tags": TEXTS,
        "experimental": YES_NO,
        "flags": _record({}, {"history": YES_NO}),
        "mip_opt_out": YES_NO,
    },
)

BEHAVIOR: Final = _one_of("default", "queue", "interrupt")


def _message(kind: str, required: Schema | None = None, optional: Schema | None = None) -> Schema:
    return _record({"type": _one_of(kind)} | (required or {}), optional)


MESSAGES: Final[Mapping[str, Schema]] = {
    "Settings": SETTINGS,
    "UpdateListen": _message("UpdateListen", {"listen": _open({"provider": OBJECT})}),
    "UpdateThink": _message("UpdateThink", {"think": _or_list(_open({"provider": OBJECT}))}),
    "UpdateThink_Live": _message("UpdateThink_Live", {"think_live": _open({"provider": OBJECT})}),
    "UpdateSpeak": _message("UpdateSpeak", {"speak": _or_list(_open({"provider": OBJECT}))}),
    "UpdatePrompt": _message("UpdatePrompt", {"prompt": TEXT}),
    "InjectUserMessage": _message("InjectUserMessage", {"content": TEXT}),
    "InjectAgentMessage": _either(
        _message("InjectAgentMessage", {"message": TEXT}, {"behavior": BEHAVIOR}),
        _message("InjectAgentMessage", {"is_dynamic": _one_of(True)}, {"behavior": BEHAVIOR}),
    ),
    "FunctionCallResponse": _message("FunctionCallResponse", {"id": TEXT, "name": TEXT, "content": TEXT}),
    "KeepAlive": _message("KeepAlive"),
    "ForceEndTurn": _message("ForceEndTurn"),
    "__customToThinkProvider": _message("__customToThinkProvider", {"content": {}}),
}
"""Each message of a client by its `type`."""

_VALIDATORS: Final = {kind: Draft202012Validator(schema) for kind, schema in MESSAGES.items()}


def fault(message: Mapping[str, object]) -> str | None:
    """What is wrong with a client's message: where, and why; None = nothing."""
    kind = message.get("type")
    validator = _VALIDATORS.get(kind) if isinstance(kind, str) else None
    if validator is None:
        return f"no message of a client is called {kind!r}"
    errors = [_deepest(error) for error in validator.iter_errors(dict(message))]
    if not errors:
        return None
    path = ".".join(str(step) for step in errors[0].instance_path) or "the message"
    return f"{kind}: {path}: {errors[0].message}"


def _deepest(error: ValidationError) -> ValidationError:
    """Of the ways in which a choice failed, the one that came furthest."""
    if not isinstance(error.kind, ValidationErrorKind.AnyOf):
        return error
    inner = [_deepest(each) for branch in error.kind.context for each in branch]
    return max(inner, key=lambda each: len(each.instance_path), default=error)
