"""The rules of a Voice Agent socket, kept over what a client sends. No I/O and no clock.

nothing ──Settings──▶ settings ──SettingsApplied──▶ applied ──▶ sound and messages in any order
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from bridge.core.model import JSON
from tests.support.deepgram_schema import fault


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule the client broke, and what the real server would say to it."""

    code: str
    """Of the `Error` it is sent; empty = the real server says nothing, but it is a mistake all the same."""
    what: str
    closes: bool = False
    """The socket is closed after the error."""


class CallState(Enum):
    """How far a requested function call has come."""

    OPEN = "open"
    ANSWERED = "answered"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Asked:
    """A function call the agent asked for."""

    name: str
    client_side: bool
    state: CallState = CallState.OPEN
    content: str = ""
    """The client's answer."""


@dataclass(slots=True)
class Rules:
    """Judges one client's frames in their order."""

    bridge: bool = False
    """The client was told that another Voice Bridge is here: hints are allowed."""
    settings: JSON | None = None
    applied: bool = False
    """Set by whoever sends `SettingsApplied`."""
    asked: dict[str, Asked] = field(default_factory=dict)
    """Every function call so far by its id."""
    late_answers: list[str] = field(default_factory=list)
    """Ids answered although they were cancelled before: allowed, since the two may cross."""

    def sound(self, frame: bytes) -> Fault | None:
        """Judge a binary frame."""
        if not self.applied:
            return Fault("BINARY_MESSAGE_BEFORE_SETTINGS", "sound before SettingsApplied", closes=True)
        if not frame:
            return Fault("", "an empty binary frame")
        return None

    def text(self, frame: str) -> tuple[JSON, Fault | None]:
        """Judge a text frame; the message is empty when it is none."""
        try:
            message = json.loads(frame)
        except ValueError:
            return {}, Fault("UNPARSABLE_CLIENT_MESSAGE", "a text frame that is not JSON")
        if not isinstance(message, dict):
            return {}, Fault("UNPARSABLE_CLIENT_MESSAGE", "a text frame that is not a JSON object")
        return message, self._message(message)

    def _message(self, message: JSON) -> Fault | None:
        kind = message.get("type")
        if kind == "Settings":
            return self._settings(message)
        if self.settings is None:
            return Fault("NON_SETTINGS_MESSAGE_BEFORE_SETTINGS", f"{kind} before Settings", closes=True)
        if wrong := fault(message):
            return Fault("UNPARSABLE_CLIENT_MESSAGE", wrong)
        if kind == "FunctionCallResponse":
            return self._answer(str(message["id"]), str(message["name"]), str(message["content"]))
        return None

    def _settings(self, message: JSON) -> Fault | None:
        if self.settings is not None:
            return Fault("SETTINGS_ALREADY_APPLIED", "a second Settings")
        if wrong := fault(_without_hints(message) if self.bridge else message):
            return Fault("INVALID_SETTINGS", wrong, closes=True)
        self.settings = message
        return None

    def _answer(self, call_id: str, name: str, content: str) -> Fault | None:
        asked = self.asked.get(call_id)
        if asked is None:
            return Fault("", f"an answer to {call_id!r}, which nobody asked for")
        if asked.name != name:
            return Fault("", f"an answer to {call_id!r} under the name {name!r} instead of {asked.name!r}")
        if not asked.client_side:
            return Fault("", f"an answer to {call_id!r}, a call of the server's own")
        if asked.state is CallState.ANSWERED:
            return Fault("", f"a second answer to {call_id!r}")
        if asked.state is CallState.CANCELLED:
            self.late_answers.append(call_id)
            return None
        asked.state, asked.content = CallState.ANSWERED, content
        return None


def _without_hints(settings: JSON) -> JSON:
    """The Settings without what only another Voice Bridge understands."""

    def clean(value: object) -> object:
        if isinstance(value, Mapping):
            return {key: clean(inner) for key, inner in value.items() if key != "x-bridge"}
        return [clean(inner) for inner in value] if isinstance(value, list) else value

    return {key: clean(value) for key, value in settings.items() if key != "bridge"}
