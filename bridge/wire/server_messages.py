"""The JSON a client is sent, as types: writing.py makes it, /asyncapi.json describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from bridge.core.model import Modality, Role, Status
from bridge.wire.settings import DEFAULT_RATE
from bridge.wire.shapes import CursorText, Instant, described


@described
class Place(TypedDict):
    """Where it stands; what has a place is on disk."""

    cursor: CursorText
    at: Instant


@described
class Finished(TypedDict):
    """What came of a call."""

    id: Annotated[str, Field(description="Of the call.")]
    name: str
    content: Annotated[str, Field(description="A sentence.")]
    status: Status
    duration_ms: int


# ── entries, also over HTTP ────────────────────────────────────────────────────────────────────────────


@described
class MessageEntry(Place):
    """A line of the talk."""

    kind: Literal["message"]
    role: Role
    content: str
    modality: Modality
    interrupted: bool
    """The user cut it short."""
    heard: str | None
    """Of an interrupted message: what was heard."""


@described
class CallEntry(Place):
    """A function was called."""

    kind: Literal["call"]
    id: str
    name: str
    arguments: str
    """JSON as text, as the model wrote it."""


@described
class ResultEntry(Place, Finished):
    """What came of a call."""

    kind: Literal["result"]
    goal_id: str | None
    task_id: str | None


@described
class CutEntry(Place):
    """A message was interrupted; in a list only when that message stands in an earlier part of it."""

    kind: Literal["cut"]
    of: CursorText
    """Of the message."""
    heard: str


EntryJson = MessageEntry | CallEntry | ResultEntry | CutEntry

Encoding = Annotated[str, Field(json_schema_extra={"enum": [*DEFAULT_RATE]})]

# ── ours ───────────────────────────────────────────────────────────────────────────────────────────────


@described
class BridgeVersion(TypedDict):
    """That this is a Voice Bridge."""

    version: int
    """Of our additions; raised by a breaking change."""


@described
class Welcome(TypedDict):
    """The socket is open; at once."""

    type: Literal["Welcome"]
    request_id: str
    bridge: BridgeVersion


@described
class Format(TypedDict):
    """Sound without a header, one channel."""

    encoding: Encoding
    sample_rate: int
    """Hz."""


@described
class Formats(TypedDict):
    """The sound both ways, as it was agreed on."""

    input: Format
    output: Format


@described
class BridgeReady(TypedDict):
    """Where the client is, right after its `Settings`, and how to come back."""

    type: Literal["BridgeReady"]
    session_id: str
    conversation_id: str
    agent: str
    cursor: CursorText | None
    """The newest entry there is."""
    resumed: bool
    """The conversation had entries before."""
    recovered: bool
    """False: the client's cursor means nothing here; it reads the conversation again over HTTP."""
    resume_token: str
    """To come back with; it replaces the one before."""
    audio: Formats


@described
class BridgeEntry(TypedDict):
    """An entry the client missed, or one that was `noted` and was run while it was away."""

    type: Literal["BridgeEntry"]
    entry: EntryJson


@described
class BridgeCut(Place):
    """The user interrupted: of the message at `of` only `heard` was heard."""

    type: Literal["BridgeCut"]
    of: CursorText
    heard: str


@described
class BridgePong(TypedDict):
    """The answer to a `BridgePing`, after all that was sent before it."""

    type: Literal["BridgePong"]
    id: str
    """Of the ping."""


# ── Deepgram's ─────────────────────────────────────────────────────────────────────────────────────────


@described
class SettingsApplied(TypedDict):
    """The agent is there; sound before it is held, not lost."""

    type: Literal["SettingsApplied"]


@described
class ConversationText(Place):
    """A line of the talk, on disk. User: one per turn. Assistant: one per sentence."""

    type: Literal["ConversationText"]
    role: Role
    content: str


@described
class RequestedFunction(TypedDict):
    """A function that is called."""

    id: str
    name: str
    arguments: str
    """JSON as text, as the model wrote it: perhaps not JSON at all."""
    client_side: bool
    """False: the server runs it; show it, do not answer. True: it is the client's, which answers."""
    thought_signature: NotRequired[str]


@described
class FunctionCallRequest(Place):
    """A function is called, one to a message."""

    type: Literal["FunctionCallRequest"]
    functions: list[RequestedFunction]


@described
class FunctionCallResponse(Place, Finished):
    """What came of a call that the server ran; only after `done` has anything changed.

    `noted`: the store is away; the same message, with the same cursor, comes again when the call has run.
    """

    type: Literal["FunctionCallResponse"]


@described
class CancelledFunction(TypedDict):
    """A call that is withdrawn."""

    id: str
    name: str
    """Empty when the agent does not say."""


@described
class FunctionCallCancelled(TypedDict):
    """The agent withdraws calls. Answer none of them any more."""

    type: Literal["FunctionCallCancelled"]
    functions: list[CancelledFunction]


@described
class UserStartedSpeaking(TypedDict):
    """The user speaks: stop playing, throw the buffer away. Sound of the cut reply does not follow."""

    type: Literal["UserStartedSpeaking"]


@described
class EndOfTurn(TypedDict):
    """The user's turn is over, as far as the agent says so."""

    type: Literal["EndOfTurn"]
    trigger: NotRequired[str]


@described
class AgentThinking(TypedDict):
    """The agent looks for an answer, as far as it says so."""

    type: Literal["AgentThinking"]
    content: str


@described
class AgentStartedSpeaking(TypedDict):
    """The agent begins to speak; seldom sent. Further keys are latencies in seconds."""

    type: Literal["AgentStartedSpeaking"]


@described
class LatencyReport(TypedDict):
    """Further keys are seconds that a stage took, as far as the agent says so."""

    type: Literal["LatencyReport"]


@described
class AgentAudioDone(TypedDict):
    """The last sound of a reply was sent, not played."""

    type: Literal["AgentAudioDone"]


@described
class Warning(TypedDict):
    """Nothing has changed; see the codes."""

    type: Literal["Warning"]
    description: str
    code: str


@described
class Error(TypedDict):
    """After one about a message of the client's the talk goes on; others are followed by the close."""

    type: Literal["Error"]
    description: str
    code: str


SERVER_MESSAGES: Mapping[str, Any] = {
    shape.__name__: shape
    for shape in (
        Welcome,
        BridgeReady,
        BridgeEntry,
        SettingsApplied,
        ConversationText,
        FunctionCallRequest,
        FunctionCallResponse,
        FunctionCallCancelled,
        UserStartedSpeaking,
        BridgeCut,
        EndOfTurn,
        AgentThinking,
        AgentStartedSpeaking,
        LatencyReport,
        AgentAudioDone,
        BridgePong,
        Warning,
        Error,
    )
}
"""Type on the wire → its shape. Others are the agent's, passed on as they came."""
