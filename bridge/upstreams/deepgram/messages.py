"""Deepgram's JSON: what the agent says → events, what it is asked → text. No peer can make it raise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import assert_never

import orjson
import structlog

from bridge.core import events as ev
from bridge.core.commands import Answer, Ask, Hear, Speak, Steer
from bridge.core.events import PeerEvent
from bridge.core.model import JSON, FunctionCall, Message, Role

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
"""Another bridge's place of an entry, as its `Bridge…` messages, is no business of our client's."""


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
    """A text frame → its JSON object; an empty one, and a log line, when it is none."""
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        message = None
    if isinstance(message, dict) and message:
        return message
    log.warning("agent_message_unreadable", length=len(text))
    return {}


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
        """One message → its events: mostly one, none for `Welcome`, `History` and echoes of our answers."""
        kind = message.get("type")
        if not message or kind == "History":
            return ()
        if self.bridge:
            if str(kind).startswith("Bridge"):
                return ()
            message = _without(message, BRIDGE_KEYS)
        match kind:
            case "Welcome":
                return self._welcome(message)
            case "SettingsApplied":
                return self._settings_applied(message)
            case "FunctionCallRequest":
                return self._calls(message)
            case "FunctionCallResponse" if _text(message, "id") in self._ours:
                return ()
            case "Error":
                return (self._error(message),)
            case str() if kind in READERS:
                return (READERS[kind](message) or ev.AgentSaidOther(message),)
            case _:
                return (ev.AgentSaidOther(message),)

    def _welcome(self, message: JSON) -> tuple[PeerEvent, ...]:
        self.welcomed = True
        self.bridge = "bridge" in message
        request = message.get("request_id")
        if isinstance(request, str) and request and not self.applied:
            self.request = request
        return ()

    def _settings_applied(self, message: JSON) -> tuple[PeerEvent, ...]:
        if self.applied:
            return (ev.AgentSaidOther(message),)
        self.applied = True
        return (ev.AgentReady(self.request),)

    def _calls(self, message: JSON) -> tuple[PeerEvent, ...]:
        """Ours to answer, and Deepgram's own, which are only shown."""
        items = message.get("functions")
        readable = [item for item in items if _readable(item)] if isinstance(items, list) else []
        if not readable:
            return (ev.AgentSaidOther(message),)
        ours = tuple(_call(item) for item in readable if item.get("client_side") is not False)
        theirs = [item for item in readable if item.get("client_side") is False]
        self._ours.update(call.id for call in ours)
        events: list[PeerEvent] = [ev.CallsRequested(ours)] if ours else []
        if theirs:
            events.append(ev.AgentSaidOther({**message, "functions": theirs}))
        return tuple(events)

    def _error(self, message: JSON) -> ev.AgentErred:
        code = _text(message, "code") or "UNKNOWN"
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
    role, content = _text(message, "role"), _text(message, "content")
    if role not in set(Role) or content is None:
        return None
    said = Message(Role(role), content, extra=_others(message, "role", "content"))
    return ev.TextArrived(said)


def _cancelled(message: JSON) -> PeerEvent | None:
    items = message.get("functions")
    ids = [item.get("id") for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    # `functions` goes along in `extra`: a client that is shown the message wants the names.
    return (
        ev.CallsCancelled(tuple(each for each in ids if isinstance(each, str)), _others(message))
        if ids
        else None
    )


def _warning(message: JSON) -> PeerEvent | None:
    code, description = _text(message, "code"), _text(message, "description")
    if code is None:
        return None
    return ev.AgentWarned(code, description or "", _others(message, "code", "description"))


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


def _readable(item: object) -> bool:
    if isinstance(item, dict) and _text(item, "id") and _text(item, "name"):
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


def _text(message: JSON, key: str) -> str | None:
    value = message.get(key)
    return value if isinstance(value, str) else None


def _others(message: JSON, *known: str) -> JSON:
    """The keys that have no field of their own."""
    return _without(message, {"type", *known})


def _without(message: JSON, keys: AbstractSet[str]) -> JSON:
    return {key: value for key, value in message.items() if key not in keys}
