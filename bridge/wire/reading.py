"""What a client sent: JSON text → event. Pure, and nothing a client sends makes it raise."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import orjson

from bridge.core.events import (
    ClientAnswered,
    ClientErred,
    ClientKeptAlive,
    ClientPinged,
    ClientPlayed,
    ClientSteered,
    ClientWrote,
    PeerEvent,
)
from bridge.errors import BadMessage
from bridge.wire.fields import Fields
from bridge.wire.nesting import MAX_DEPTH, too_deep
from bridge.wire.settings import read_settings

MAX_TEXT_BYTES = 64 * 1024
"""UTF-8 size of a message."""
MAX_PING_ID = 100
"""Characters of it, which come back with the answer."""
DAY_MS = 24 * 3600 * 1000
"""No reply is longer."""


def read(text: str) -> PeerEvent:
    """One text frame → one event; ClientErred when it cannot be read. Never raises.

    The description of an error names the field at fault and quotes nothing of what was sent.
    """
    try:
        message = _message(text)
        kind = message.text("type")
        reader = READERS.get(kind)
        if reader is None:
            raise message.wrong("type", "is not a message this server knows")
        return reader(message)
    except BadMessage as error:
        return ClientErred(error.code, error.description)


def _message(text: str) -> Fields:
    if len(text.encode("utf-8", "replace")) > MAX_TEXT_BYTES:
        raise BadMessage(f"a message may have {MAX_TEXT_BYTES} bytes")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadMessage("the message is not JSON") from None
    if not isinstance(value, dict):
        raise BadMessage("the message is not a JSON object")
    if too_deep(text, value):
        raise BadMessage(f"the message is nested deeper than {MAX_DEPTH} levels")
    return Fields(value)


# ── one reader per type ────────────────────────────────────────────────────────────────────────────────


def _wrote(message: Fields) -> ClientWrote:
    content = message.text("content").strip()
    if not content:
        raise message.wrong("content", "is empty")
    return ClientWrote(content)


def _answered(message: Fields) -> ClientAnswered:
    return ClientAnswered(message.text("id"), message.text("name"), message.text("content"))


def _played(message: Fields) -> ClientPlayed:
    played = message.number("played_ms")
    if not 0 <= played <= DAY_MS:
        raise message.wrong("played_ms", f"must be between 0 and {DAY_MS}")
    return ClientPlayed(int(played))


def _kept_alive(_: Fields) -> ClientKeptAlive:
    return ClientKeptAlive()


def _pinged(message: Fields) -> ClientPinged:
    given = message.text("id")
    if len(given) > MAX_PING_ID:
        raise message.wrong("id", f"may have {MAX_PING_ID} characters")
    return ClientPinged(given)


def _steered(message: Fields) -> ClientSteered:
    return ClientSteered(message.text("type"), message.values)


def _with_text(key: str) -> Callable[[Fields], ClientSteered]:
    def steered(message: Fields) -> ClientSteered:
        message.text(key)
        return _steered(message)

    return steered


def _with_part(key: str) -> Callable[[Fields], ClientSteered]:
    """The part is an object, or a list of them (fallbacks)."""

    def steered(message: Fields) -> ClientSteered:
        given = message.items(key) if isinstance(message.values.get(key), list) else message.part(key)
        if not given:
            raise message.wrong(key, "is missing")
        return _steered(message)

    return steered


def _injected(message: Fields) -> ClientSteered:
    if message.values.get("is_dynamic") is not True:
        message.text("message")
    return _steered(message)


READERS: Mapping[str, Callable[[Fields], PeerEvent]] = {
    "Settings": read_settings,
    "InjectUserMessage": _wrote,
    "FunctionCallResponse": _answered,
    "Playback": _played,
    "KeepAlive": _kept_alive,
    "BridgePing": _pinged,
    "UpdateListen": _with_part("listen"),
    "UpdateThink": _with_part("think"),
    "UpdateThink_Live": _with_part("think_live"),
    "UpdateSpeak": _with_part("speak"),
    "UpdatePrompt": _with_text("prompt"),
    "InjectAgentMessage": _injected,
    "ForceEndTurn": _steered,
    "__customToThinkProvider": _steered,
}
"""Every message a client may send: Deepgram's, `Playback` and `BridgePing`."""
