"""The JSON a client sends, as types: what /asyncapi.json says of it. Read by reading.py and settings.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from bridge.wire.reading import DAY_MS, MAX_PING_ID
from bridge.wire.settings import COMPANDED_RATES, HIGHEST_RATE, LOWEST_RATE, MAX_INSTANCE
from bridge.wire.shapes import CursorText, Object, described

Parts = Object | Annotated[list[Object], Field(min_length=1)]
"""One object, or a list of fallbacks."""
LinearRate = Annotated[int, Field(ge=LOWEST_RATE, le=HIGHEST_RATE)]
CompandedRate = Annotated[int, Field(json_schema_extra={"enum": [*COMPANDED_RATES]})]
UUID_PATTERN = r"^[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}$"

# ── Settings ───────────────────────────────────────────────────────────────────────────────────────────


@described
class LinearInput(TypedDict):
    """Sound the client sends, 16 bits a sample."""

    encoding: Literal["linear16"]
    sample_rate: LinearRate
    """Hz."""


@described
class CompandedInput(TypedDict):
    """Sound the client sends, 8 bits a sample (G.711)."""

    encoding: Literal["mulaw", "alaw"]
    sample_rate: CompandedRate
    """Hz."""


@described
class LinearOutput(TypedDict):
    """Sound the client wants, 16 bits a sample."""

    encoding: NotRequired[Literal["linear16"] | None]
    sample_rate: NotRequired[LinearRate | None]
    """Hz; 24000 when absent."""
    container: NotRequired[Literal["none"] | None]
    """Sound has no header."""


@described
class CompandedOutput(TypedDict):
    """Sound the client wants, 8 bits a sample (G.711)."""

    encoding: Literal["mulaw", "alaw"]
    sample_rate: NotRequired[CompandedRate | None]
    """Hz; 8000 when absent."""
    container: NotRequired[Literal["none"] | None]
    """Sound has no header."""


@described
class Audio(TypedDict):
    """The sound both ways; one channel, little-endian."""

    input: NotRequired[LinearInput | CompandedInput | None]
    """linear16 at 24000 Hz when absent."""
    output: NotRequired[LinearOutput | CompandedOutput | None]
    """linear16 at 24000 Hz when absent."""


@described
class ClientFunction(TypedDict):
    """A function the client brings."""

    name: str


@described
class Think(TypedDict):
    """The language model of a client's own agent; Deepgram's, passed on."""

    functions: NotRequired[list[ClientFunction] | None]


@described
class ClientAgent(TypedDict):
    """The client's own wish; of it only `greeting` counts, unless the agent says `client_settings: allow`."""

    greeting: NotRequired[str | None]
    """With any text in it the agent's own greeting is spoken."""
    think: NotRequired[Think | list[Think] | None]
    """A list: fallbacks."""


@described
class BridgeWish(TypedDict):
    """Ours; `{}` asks for the greeting."""

    cursor: NotRequired[CursorText | None]
    """The newest cursor the client has, e.g. `3:14`: it gets what came after it."""
    instance: NotRequired[Annotated[str, Field(max_length=MAX_INSTANCE)] | None]
    """The client's own name for itself, for the log."""
    context: NotRequired[Object | None]
    """From another bridge: `time_zone`, `user_name`, `things` of its user."""


@described
class Settings(TypedDict):
    """How the client talks; the first message, within 15 s. One that is refused may be sent again."""

    type: Literal["Settings"]
    audio: Audio
    """`{}` asks for the defaults."""
    agent: NotRequired[ClientAgent | Annotated[str, Field(pattern=UUID_PATTERN)] | None]
    """A string is the id of a stored agent; it is read, and not taken."""
    bridge: NotRequired[BridgeWish | None]


# ── all others ─────────────────────────────────────────────────────────────────────────────────────────


@described
class InjectUserMessage(TypedDict):
    """What is typed; it comes back as `ConversationText` and is answered like speech."""

    type: Literal["InjectUserMessage"]
    content: Annotated[str, Field(pattern=r"[^\s\x00]")]
    """Some text, not only spaces."""


@described
class Playback(TypedDict):
    """How much of the current reply has been heard; about four times a second, and once when it is cut."""

    type: Literal["Playback"]
    played_ms: Annotated[float, Field(ge=0, le=DAY_MS)]
    """Milliseconds from the reply's first sound on."""


@described
class FunctionCallAnswer(TypedDict):
    """The answer to a call with `client_side: true`; answers to other calls are ignored."""

    type: Literal["FunctionCallResponse"]
    id: str
    """Of the call."""
    name: str
    content: str
    """Text; JSON goes in as text."""


@described
class KeepAlive(TypedDict):
    """Nothing; pings keep the socket, and the server keeps the agent's."""

    type: Literal["KeepAlive"]


@described
class BridgePing(TypedDict):
    """Answered at once by `BridgePong`: for clients that cannot send WebSocket's own pings, as browsers."""

    type: Literal["BridgePing"]
    id: Annotated[str, Field(max_length=MAX_PING_ID)]
    """Comes back with the answer."""


@described
class ForceEndTurn(TypedDict):
    """End the user's turn now, if the agent can."""

    type: Literal["ForceEndTurn"]


@described
class UpdatePrompt(TypedDict):
    """Goes to the agent when its folder says `client_settings: allow`."""

    type: Literal["UpdatePrompt"]
    prompt: str


@described
class UpdateListen(TypedDict):
    """Goes to the agent when its folder says `client_settings: allow`."""

    type: Literal["UpdateListen"]
    listen: Parts


@described
class UpdateThink(TypedDict):
    """Goes to the agent when its folder says `client_settings: allow`."""

    type: Literal["UpdateThink"]
    think: Parts


@described
class UpdateThinkLive(TypedDict):
    """Goes to the agent when its folder says `client_settings: allow`."""

    type: Literal["UpdateThink_Live"]
    think_live: Parts


@described
class UpdateSpeak(TypedDict):
    """Goes to the agent when its folder says `client_settings: allow`."""

    type: Literal["UpdateSpeak"]
    speak: Parts


@described
class InjectedText(TypedDict):
    """What the agent shall say."""

    type: Literal["InjectAgentMessage"]
    message: str


@described
class InjectedByAgent(TypedDict):
    """The agent finds the words itself."""

    type: Literal["InjectAgentMessage"]
    is_dynamic: Literal[True]


@described
class CustomToThinkProvider(TypedDict):
    """Goes to the agent when its folder says `client_settings: allow`."""

    type: Literal["__customToThinkProvider"]


CLIENT_MESSAGES: Mapping[str, Any] = {
    "Settings": Settings,
    "InjectUserMessage": InjectUserMessage,
    "Playback": Playback,
    "FunctionCallResponse": FunctionCallAnswer,
    "KeepAlive": KeepAlive,
    "BridgePing": BridgePing,
    "ForceEndTurn": ForceEndTurn,
    "UpdatePrompt": UpdatePrompt,
    "UpdateListen": UpdateListen,
    "UpdateThink": UpdateThink,
    "UpdateThink_Live": UpdateThinkLive,
    "UpdateSpeak": UpdateSpeak,
    "InjectAgentMessage": Annotated[
        InjectedText | InjectedByAgent,
        Field(description="Goes to the agent when its folder says `client_settings: allow`."),
    ],
    "__customToThinkProvider": CustomToThinkProvider,
}
"""Type on the wire → its shape."""
