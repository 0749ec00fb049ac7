"""Reads the `Settings` message: the sound a client can make and play, and what it wishes of the agent."""

from __future__ import annotations

from uuid import UUID

from bridge.core.events import ClientSettings
from bridge.core.model import JSON, AudioFormat, Cursor
from bridge.errors import BadMessage
from bridge.wire.fields import Fields

INVALID = "INVALID_SETTINGS"
UNHEARD = "USER_AUDIO_FORMAT"

DEFAULT_RATE = {"linear16": 24000, "mulaw": 8000, "alaw": 8000}
"""Encodings we take, and Deepgram's rate for each when none is given, Hz."""
COMPANDED_RATES = (8000, 16000)
LOWEST_RATE, HIGHEST_RATE = 8000, 48000
MAX_INSTANCE = 100
"""Characters of a client's name for itself."""
MAX_ORDINAL = 2**31 - 1
"""Cursors are stored as 32-bit integers."""


def read_settings(message: Fields) -> ClientSettings:
    """`Settings` → event. Raises BadMessage with INVALID_SETTINGS, USER_AUDIO_FORMAT or INVALID_AGENT_ID."""
    message = Fields(message.values, code=INVALID)
    audio = message.part("audio")
    if audio is None:
        raise message.wrong("audio", "is missing; {} asks for the defaults")
    bridge = message.part("bridge")
    agent, greeting, functions = _agent(message)
    return ClientSettings(
        audio_in=_heard(audio),
        audio_out=_spoken(audio),
        wants_greeting=greeting or bridge is not None,
        cursor=_cursor(bridge) if bridge else None,
        instance=_instance(bridge) if bridge else "",
        agent=agent,
        functions=functions,
        context=_context(bridge) if bridge else {},
    )


def read_cursor(text: str) -> Cursor:
    """`epoch:idx` → Cursor. Raises ValueError when it is anything else or beyond what is stored."""
    cursor = Cursor.parse(text)
    if max(cursor.epoch, cursor.idx) > MAX_ORDINAL:
        raise ValueError("that cursor is too large")
    return cursor


# ── audio ──────────────────────────────────────────────────────────────────────────────────────────────


def _heard(audio: Fields) -> AudioFormat:
    """`audio.input`: when there is one, both keys are required (Deepgram)."""
    given = audio.part("input")
    if given is None:
        return AudioFormat("linear16", DEFAULT_RATE["linear16"])
    encoding, rate = given.text("encoding"), given.whole("sample_rate")
    _check_format(Fields(given.values, given.path, UNHEARD), encoding, rate)
    return AudioFormat(encoding, rate)


def _spoken(audio: Fields) -> AudioFormat:
    """`audio.output`: every key may be absent; only sound without a container."""
    given = audio.part("output") or Fields({}, "audio.output.", INVALID)
    encoding = given.text("encoding") if given.values.get("encoding") is not None else "linear16"
    if given.values.get("container") is not None and given.text("container") != "none":
        raise given.wrong("container", "must be none: sound is sent without a header")
    no_rate = given.values.get("sample_rate") is None
    rate = DEFAULT_RATE.get(encoding, 0) if no_rate else given.whole("sample_rate")
    _check_format(given, encoding, rate)
    return AudioFormat(encoding, rate)


def _check_format(given: Fields, encoding: str, rate: int) -> None:
    if encoding not in DEFAULT_RATE:
        raise given.wrong("encoding", f"must be one of {', '.join(DEFAULT_RATE)}")
    if encoding != "linear16" and rate not in COMPANDED_RATES:
        raise given.wrong("sample_rate", "must be 8000 or 16000 for mulaw and alaw")
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise given.wrong("sample_rate", f"must be between {LOWEST_RATE} and {HIGHEST_RATE}")


# ── agent ──────────────────────────────────────────────────────────────────────────────────────────────


def _agent(message: Fields) -> tuple[JSON | None, bool, frozenset[str]]:
    """The agent block when it holds more than a greeting; whether it has one; the names of its functions.

    A stored agent's UUID (Deepgram: `agent` as a string) comes out as `{"id": uuid}`.
    """
    stored = message.values.get("agent")
    if isinstance(stored, str):
        return {"id": _uuid(stored)}, False, frozenset()
    agent = message.part("agent")
    if agent is None:
        return None, False, frozenset()
    greeting = agent.values.get("greeting") is not None and bool(agent.text("greeting").strip())
    more = any(value is not None for key, value in agent.values.items() if key != "greeting")
    return (agent.values if more else None), greeting, _function_names(agent)


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise BadMessage("`agent` must be an object or a UUID", code="INVALID_AGENT_ID") from None


def _function_names(agent: Fields) -> frozenset[str]:
    """Names in `think.functions`; `think` may be a list of fallbacks."""
    if isinstance(agent.values.get("think"), list):
        thinks: tuple[Fields, ...] = agent.items("think")
    else:
        think = agent.part("think")
        thinks = (think,) if think else ()
    return frozenset(function.text("name") for think in thinks for function in think.items("functions"))


# ── bridge ─────────────────────────────────────────────────────────────────────────────────────────────


def _cursor(bridge: Fields) -> Cursor | None:
    if bridge.values.get("cursor") is None:
        return None
    try:
        return read_cursor(bridge.text("cursor"))
    except ValueError:
        raise bridge.wrong("cursor", "must look like 3:14") from None


def _instance(bridge: Fields) -> str:
    if bridge.values.get("instance") is None:
        return ""
    instance = bridge.text("instance")
    if len(instance) > MAX_INSTANCE:
        raise bridge.wrong("instance", f"may have {MAX_INSTANCE} characters")
    return instance


def _context(bridge: Fields) -> JSON:
    context = bridge.part("context")
    return context.values if context else {}
