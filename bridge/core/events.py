"""What happened, in the past tense. `Event`: our own shell says so; `PeerEvent`: a peer caused it."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import NamedTuple

from bridge.core.fact import fact
from bridge.core.model import JSON, AudioFormat, Cursor, Entry, FunctionCall, Message, Outcome


class Moment(NamedTuple):
    """When an event is handled, and how far the sound was by then."""

    clock: float
    """Monotonic seconds."""
    at: datetime
    """Wall time, UTC."""
    reply: int = 0
    """Number of the agent's reply that sound was last relayed of."""
    reply_ms: int = 0
    """Milliseconds of that reply's sound relayed so far."""
    reply_began: float = 0.0
    """Clock at which its first sound was relayed."""


class Event:
    """Reported by our own shell. No rule for it in the current phase is a fault of ours."""

    __slots__ = ()


class PeerEvent:
    """Caused by the client or the agent. No rule for it in the current phase: noted, and on."""

    __slots__ = ()


# ── the client ────────────────────────────────────────────────────────────────────────────────────


@fact(kw_only=True)
class ClientSettings(PeerEvent):
    """The client said how it talks (Deepgram: `Settings`)."""

    audio_in: AudioFormat
    audio_out: AudioFormat
    wants_greeting: bool
    """It sent a greeting of its own or `Settings.bridge`."""
    cursor: Cursor | None = None
    """The last entry it has seen; None = it has seen nothing."""
    instance: str = ""
    """The client's own name for itself, for logs."""
    agent: JSON | None = None
    """Its `agent` block as it came, when there is more in it than a greeting."""
    functions: frozenset[str] = frozenset()
    """Names of the functions in that block."""
    context: JSON = field(default_factory=dict)
    """`Settings.bridge.context`: what another bridge tells of its user and their things."""


@fact()
class ClientWrote(PeerEvent):
    """The user typed (Deepgram: `InjectUserMessage`)."""

    content: str


@fact()
class ClientAnswered(PeerEvent):
    """The client answered a function call of its own (Deepgram: `FunctionCallResponse`)."""

    call_id: str
    name: str
    content: str


@fact()
class ClientPlayed(PeerEvent):
    """How much of the current reply the user has heard (ours: `Playback`)."""

    played_ms: int


@fact()
class ClientSteered(PeerEvent):
    """Any other message a Deepgram client may send, as it came: UpdatePrompt, ForceEndTurn, …"""

    type: str
    raw: JSON


@fact()
class ClientKeptAlive(PeerEvent):
    """Deepgram: `KeepAlive`. It keeps a silent client's socket; the agent's is kept by our own."""


@fact()
class ClientPinged(PeerEvent):
    """Ours: `BridgePing`, for those that cannot send a ping of WebSocket's own; browsers."""

    id: str


@fact()
class ClientErred(PeerEvent):
    """The client sent something that cannot be read."""

    code: str
    description: str


@fact()
class ClientSpokeEarly(PeerEvent):
    """Sound came before `Settings`; reported once."""


@fact()
class ClientLeft(PeerEvent):
    """The client's socket is gone, with or without a close."""

    code: int = 1006


# ── the agent ─────────────────────────────────────────────────────────────────────────────────────


@fact()
class AgentReady(PeerEvent):
    """The agent took our settings: sound may flow (Deepgram: `SettingsApplied`)."""

    request: str
    """Id of this agent session (Deepgram: `Welcome.request_id`)."""


@fact()
class TextArrived(PeerEvent):
    """A line of the talk (Deepgram: `ConversationText`)."""

    message: Message


@fact()
class UserStartedSpeaking(PeerEvent):
    """Barge-in, or simply the beginning of a turn (Deepgram: same name)."""

    extra: JSON = field(default_factory=dict)


@fact()
class TurnEnded(PeerEvent):
    """The user's turn is confirmed (Deepgram: `EndOfTurn`)."""

    trigger: str = ""
    extra: JSON = field(default_factory=dict)


@fact()
class AgentThought(PeerEvent):
    """Deepgram: `AgentThinking`."""

    content: str = ""
    extra: JSON = field(default_factory=dict)


@fact()
class AgentStartedSpeaking(PeerEvent):
    """Deepgram: same name, with latencies; seldom sent."""

    extra: JSON = field(default_factory=dict)


@fact()
class AgentAudioDone(PeerEvent):
    """The last sound of a reply was sent, not played (Deepgram: same name)."""

    extra: JSON = field(default_factory=dict)


@fact()
class CallsRequested(PeerEvent):
    """The agent wants functions run (Deepgram: `FunctionCallRequest`)."""

    functions: tuple[FunctionCall, ...]


@fact()
class CallsCancelled(PeerEvent):
    """The agent withdrew calls (Deepgram: `FunctionCallCancelled`)."""

    call_ids: tuple[str, ...]
    extra: JSON = field(default_factory=dict)


@fact()
class LatencyReported(PeerEvent):
    """Seconds a stage took (Deepgram: `LatencyReport`): stt_latency, tts_latency, total_latency, …"""

    extra: JSON = field(default_factory=dict)


@fact()
class AgentWarned(PeerEvent):
    """Deepgram: `Warning`."""

    code: str
    description: str
    extra: JSON = field(default_factory=dict)


@fact()
class AgentErred(PeerEvent):
    """Deepgram: `Error`; the agent may or may not close after it."""

    code: str
    description: str
    extra: JSON = field(default_factory=dict)
    fatal: bool = True
    """False: the agent goes on (a message of ours or the client's was refused)."""
    retry: bool = True
    """False: opening the agent again cannot help (bad settings, bad key)."""


@fact()
class AgentSaidOther(PeerEvent):
    """A message this version does not know or need; relayed untouched."""

    raw: JSON


@fact()
class AgentLeft(PeerEvent):
    """The agent's socket is gone, or could not be opened."""

    code: int = 1006
    reason: str = ""
    retry: bool = True
    """False: opening it again cannot help (bad key, bad settings)."""


# ── our own shell ─────────────────────────────────────────────────────────────────────────────────


@fact(kw_only=True)
class Attached(Event):
    """A client's socket was put to this session: the first one, or one that came back."""

    request_id: str
    """For its `Welcome`."""
    resume_token: str


@fact()
class EntrySaved(Event):
    """An entry is durable."""

    entry: Entry


@fact()
class SaveFailed(Event):
    """An entry could not be made durable: it must not be shown."""

    entry: Entry
    code: str


@fact()
class IntentFinished(Event):
    """A function call that ran here came to its end."""

    request: str
    call_id: str
    outcome: Outcome


@fact()
class NotedCallRun(Event):
    """A call that was noted while the store was away has been run: its result as it stands now."""

    entry: Entry


@fact()
class SoundDropped(Event):
    """Sound was thrown away; what was in five seconds is reported together."""

    towards: str
    """client | agent"""
    dropped_ms: int
    too_fast: bool = False
    """It came faster than anybody speaks. Otherwise its receiver was too slow."""


@fact()
class EndRequested(Event):
    """Somebody on our side ends the session: its owner (DELETE), a take-over, the drain, a failed shell."""

    code: str
    """BRIDGE_TAKEN_OVER, BRIDGE_ENDED, BRIDGE_GOING_AWAY, …; shown to the client unless empty."""
    description: str = ""
    close_code: int = 1000
    patience: float = 0.0
    """Seconds the turn under way may take to come to its end first."""
