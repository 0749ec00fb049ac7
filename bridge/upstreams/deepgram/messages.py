"""Deepgram's JSON: what the agent says → events, what it is asked → text. No peer can make it raise."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import assert_never

import orjson
import structlog

from bridge.core import events as ev
from bridge.core.commands import Answer, Ask, Hear, Speak, Steer
from bridge.core.events import PeerEvent
from bridge.core.model import JSON, FunctionCall, Message, Role
from bridge.wire import too_deep

log = structlog.get_logger(__name__)

NOT_FATAL = frozenset({"UNPARSABLE_CLIENT_MESSAGE", "SETTINGS_ALREADY_APPLIED"})
"""One message of ours was refused; a session that runs goes on."""
SETTINGS_AT_FAULT = frozenset({"UNPARSABLE_CLIENT_MESSAGE", "INVALID_SETTINGS"})
"""Before `SettingsApplied` they mean our Settings, which would be refused again; later, a client's update."""
NEVER_RETRY = frozenset(
    {
        *("INVALID_AGENT_ID", "AGENT_ID_NOT_SUPPORTED", "USER_AUDIO_FORMAT"),
        *("BRIDGE_TAKEN_OVER", "BRIDGE_SESSION_LIMIT", "BRIDGE_ENDED"),
    }
)
"""The same Settings or the same sound would fail again; or another bridge has ended the talk on purpose."""
BRIDGE_KEYS = frozenset({"cursor", "at"})
"""Another bridge's place of an entry is no business of our client's."""
ROLES: Mapping[str | None, Role] = {str(role): role for role in Role}
TEXT_KEYS = frozenset({"type", "role", "content"})
MAX_ID = 256
"""Characters of an id, and of a function's name: ids are keys in the database."""
MAX_CODE = 64
MAX_TEXT = 256 * 1024
"""Characters of a message: looking through a larger one would hold up other talks."""
NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""The escape of NUL in JSON text, which PostgreSQL does not store."""


def write(ask: Ask) -> str:
    """An ask → one text frame."""
    return orjson.dumps(_written(ask)).decode()


def _written(ask: Ask) -> Mapping[str, object]:
    match ask:
        case Hear():
            return {"type": "InjectUserMessage", "content": ask.content}
        case Answer():
            content = f"{ask.content} ({ask.note})" if ask.note else ask.content
            return {"type": "FunctionCallResponse", "id": ask.call_id, "name": ask.name, "content": content}
        case Speak():
            return {"type": "InjectAgentMessage", "message": ask.message, "behavior": ask.behavior}
        case Steer():
            return dict(ask.raw)
        case _:
            assert_never(ask)


def decode(text: str) -> JSON:
    """A text frame → its JSON object, U+FFFD for NUL; an empty one, and a log line, when it is no message."""
    try:
        message = orjson.loads(_without_nul(text)) if len(text) <= MAX_TEXT else None
    except orjson.JSONDecodeError:
        message = None
    if isinstance(message, dict) and isinstance(message.get("type"), str) and not too_deep(text, message):
        return message
    log.warning("agent_message_unreadable", length=len(text))
    return {}


def _without_nul(text: str) -> str:
    return NUL.sub(r"\1\\ufffd", text) if r"\u0000" in text else text


class Reader:
    """Turns one agent session's messages into events, in order."""

    def __init__(self, request: str) -> None:
        self.request = request
        """Id of the agent session; `Welcome` brings a better one, until `SettingsApplied` has used it."""
        self.bridge = False
        """Another Voice Bridge is at the other end."""
        self.welcomed = False
        self.applied = False
        self._ours: set[str] = set()
        """Ids of calls that we answer: an echo of the answer is no news."""

    def read(self, message: JSON) -> tuple[PeerEvent, ...]:
        """One message, as `decode` gives it → its events: mostly one.

        None for `Welcome`, `History`, echoes of our answers, what is not complete, and `Bridge…`: to our
        client that is ours alone to say.
        """
        if self.bridge:
            message = _without(message, BRIDGE_KEYS)
        kind = message.get("type")
        if isinstance(kind, str) and (read := READERS.get(kind)):
            event = read(message)
            return (event,) if event else _unreadable(kind)
        match kind:
            case "Welcome":
                return self._welcome(message)
            case "SettingsApplied":
                return self._settings_applied()
            case "FunctionCallRequest":
                return self._calls(message)
            case "FunctionCallResponse":
                return self._answered(message)
            case "Error":
                return (self._error(message),)
            case str() if kind != "History" and not kind.startswith("Bridge"):
                return (ev.AgentSaidOther(message),)
            case _:
                return ()

    def _welcome(self, message: JSON) -> tuple[PeerEvent, ...]:
        self.welcomed = True
        self.bridge = "bridge" in message
        request = message.get("request_id")
        if isinstance(request, str) and 0 < len(request) <= MAX_ID and not self.applied:
            self.request = request
        return ()

    def _settings_applied(self) -> tuple[PeerEvent, ...]:
        if self.applied:
            return ()
        self.applied = True
        return (ev.AgentReady(self.request),)

    def _calls(self, message: JSON) -> tuple[PeerEvent, ...]:
        """Ours to answer, and Deepgram's own, which are only shown."""
        items = message.get("functions")
        readable = [item for item in items if _readable(item)] if isinstance(items, list) else []
        if not readable:
            return _unreadable("FunctionCallRequest")
        ours = tuple(_call(item) for item in readable if item.get("client_side") is not False)
        theirs = [item for item in readable if item.get("client_side") is False]
        self._ours.update(call.id for call in ours)
        events: list[PeerEvent] = [ev.CallsRequested(ours)] if ours else []
        if theirs:
            events.append(ev.AgentSaidOther({**message, "functions": theirs}))
        return tuple(events)

    def _answered(self, message: JSON) -> tuple[PeerEvent, ...]:
        """A function of the agent's own has ended, or it tells us what we told it."""
        if _text(message, "id") in self._ours:
            return ()
        complete = all(_text(message, key) is not None for key in ("id", "name", "content"))
        return (ev.AgentSaidOther(message),) if complete else _unreadable("FunctionCallResponse")

    def _error(self, message: JSON) -> ev.AgentErred:
        code = _code(message)
        opening = not self.applied
        refused = code in NEVER_RETRY or (opening and code in SETTINGS_AT_FAULT)
        return ev.AgentErred(
            code,
            _text(message, "description") or _text(message, "message") or "",
            _others(message, "code", "description"),
            fatal=opening or code not in NOT_FATAL,
            retry=not refused,
        )


# ── one reader per type; None: a field is missing or of the wrong type ───────────────────────────────────


def _conversation_text(message: JSON) -> PeerEvent | None:
    role, content = ROLES.get(_text(message, "role")), _text(message, "content")
    if role is None or content is None:
        return None
    return ev.TextArrived(Message(role, content, extra=_without(message, TEXT_KEYS)))


def _cancelled(message: JSON) -> PeerEvent | None:
    items = message.get("functions")
    readable = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    ids = tuple(call_id for item in readable if (call_id := _text(item, "id")))
    # `functions` goes along in `extra`: a client that is shown the message wants the names.
    return ev.CallsCancelled(ids, _others(message)) if ids else None


def _warning(message: JSON) -> PeerEvent:
    return ev.AgentWarned(
        _code(message), _text(message, "description") or "", _others(message, "code", "description")
    )


READERS: Mapping[str, Callable[[JSON], PeerEvent | None]] = {
    "ConversationText": _conversation_text,
    "FunctionCallCancelled": _cancelled,
    "Warning": _warning,
    "UserStartedSpeaking": lambda m: ev.UserStartedSpeaking(_others(m)),
    "EndOfTurn": lambda m: ev.TurnEnded(_text(m, "trigger") or "", _others(m, "trigger")),
    "AgentThinking": lambda m: ev.AgentThought(_text(m, "content") or "", _others(m, "content")),
    "AgentStartedSpeaking": lambda m: ev.AgentStartedSpeaking(_others(m)),
    "AgentAudioDone": lambda m: ev.AgentAudioDone(_others(m)),
    "LatencyReport": lambda m: ev.LatencyReported(_others(m)),
}
"""Messages whose meaning is the same at any time. All others are passed on as they came."""


def _unreadable(kind: str) -> tuple[PeerEvent, ...]:
    """Clients are promised all fields, and that text is saved: they do not get the message."""
    log.warning("agent_message_unreadable", type=kind)
    return ()


def _readable(item: object) -> bool:
    if isinstance(item, dict) and all(0 < len(_text(item, key) or "") <= MAX_ID for key in ("id", "name")):
        return True
    log.warning("agent_call_unreadable")
    return False


def _call(item: JSON) -> FunctionCall:
    arguments = item.get("arguments") or "{}"
    return FunctionCall(
        id=str(item["id"]),
        name=str(item["name"]),
        arguments=arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode(),
        client_side=True,
        thought_signature=_text(item, "thought_signature"),
    )


def _code(message: JSON) -> str:
    return (_text(message, "code") or "UNKNOWN")[:MAX_CODE]


def _text(message: JSON, key: str) -> str | None:
    value = message.get(key)
    return value if isinstance(value, str) else None


def _others(message: JSON, *known: str) -> JSON:
    """The keys that have no field of their own."""
    return _without(message, {"type", *known})


def _without(message: JSON, keys: AbstractSet[str]) -> JSON:
    return {key: value for key, value in message.items() if key not in keys}
