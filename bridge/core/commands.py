"""What to do about an event, in the imperative; and the news a client is told, the asks an agent is sent."""

from __future__ import annotations

from dataclasses import field

from bridge.core import events
from bridge.core.fact import fact
from bridge.core.model import JSON, AudioFormat, Call, Cursor, Entry
from bridge.core.timers import Timer

# ── news: what a client is told (bridge/wire.py gives it its JSON) ────────────────────────────────


@fact()
class Welcome:
    """Deepgram: `Welcome`, at once on attach."""

    request_id: str


@fact(kw_only=True)
class Ready:
    """Ours: `BridgeReady`, as soon as the client's `Settings` are accepted."""

    session_id: str
    conversation_id: str
    agent: str
    cursor: Cursor | None
    """The newest durable entry; None = there is none."""
    resumed: bool
    """The conversation had entries before this client came."""
    recovered: bool
    """False: the client's cursor means nothing any more; reload."""
    resume_token: str
    audio_in: AudioFormat
    audio_out: AudioFormat


@fact()
class Applied:
    """Deepgram: `SettingsApplied`."""


@fact()
class Shown:
    """A durable entry: `ConversationText`, `FunctionCallRequest`, `FunctionCallResponse` with its cursor."""

    entry: Entry


@fact()
class Replayed:
    """Ours: `BridgeEntry`, an entry the client missed."""

    entry: Entry


@fact()
class Ponged:
    """Ours: `BridgePong`, at once; the id is that of the ping."""

    id: str


@fact()
class Warned:
    """Deepgram: `Warning`."""

    code: str
    description: str


@fact()
class Failed:
    """Deepgram: `Error`."""

    code: str
    description: str


Extended = (
    events.UserStartedSpeaking
    | events.TurnEnded
    | events.AgentThought
    | events.AgentStartedSpeaking
    | events.AgentAudioDone
    | events.CallsCancelled
    | events.LatencyReported
    | events.AgentWarned
    | events.AgentErred
)
"""Control events of the agent whose further keys a client gets too."""

Relayed = Extended | events.AgentSaidOther
"""Control events of the agent that a client gets as they are."""

News = Welcome | Ready | Applied | Shown | Replayed | Ponged | Warned | Failed | Relayed


# ── asks: what an agent is sent ───────────────────────────────────────────────────────────────────


@fact()
class Hear:
    """The user typed this (Deepgram: `InjectUserMessage`)."""

    content: str


@fact()
class Answer:
    """The result of a function call (Deepgram: `FunctionCallResponse`)."""

    call_id: str
    name: str
    content: str
    note: str = ""
    """Never to be spoken: ids the agent may need."""


@fact()
class Speak:
    """Say this (Deepgram: `InjectAgentMessage`)."""

    message: str
    behavior: str = "queue"


@fact()
class Steer:
    """A client's message, passed on as it came."""

    raw: JSON


Ask = Hear | Answer | Speak | Steer


# ── commands ──────────────────────────────────────────────────────────────────────────────────────


@fact()
class Tell:
    """Send news to the client; dropped when there is none."""

    news: News


@fact()
class AskAgent:
    """Send the agent something."""

    ask: Ask


@fact()
class Save:
    """Make an entry durable; `EntrySaved` follows, in the order of the saves."""

    entry: Entry


@fact()
class RunIntent:
    """Execute a call of ours; `IntentFinished` follows."""

    call: Call
    cursor: Cursor
    answered: frozenset[tuple[str, str]] = frozenset()
    """(request, call id) of earlier calls the user was asked about and has answered since."""


@fact()
class CancelIntent:
    """Withdraw a running call; `IntentFinished` follows all the same."""

    request: str
    call_id: str


@fact(kw_only=True)
class OpenAgent:
    """Open the agent's end; `AgentReady` or `AgentLeft` follows."""

    audio_in: AudioFormat
    audio_out: AudioFormat
    greet: bool
    history: tuple[Entry, ...]
    client_agent: JSON | None = None
    """The client's own agent block, when this agent allows it."""
    context: JSON = field(default_factory=dict)


@fact()
class CloseAgent:
    """Close the agent's end; nothing follows."""


@fact()
class CloseClient:
    """Send what is queued, then close the client's socket."""

    code: int = 1000
    reason: str = ""


@fact()
class HoldSpeech:
    """Keep the user's sound (bounded) until `PassSpeech`."""


@fact()
class KeepSpeech:
    """The user speaks: keep what they say, should the agent be lost before it understood it."""


@fact()
class ForgetSpeech:
    """What the user said was understood."""


@fact()
class PassSpeech:
    """Send the user's held sound, then let it straight across."""


@fact()
class PlaySilence:
    """The client is gone: send the agent silence in real time, so that it can find the end of the turn."""


@fact()
class DropReply:
    """Throw away the agent's queued sound and what still arrives of that reply, until `PassReply`."""


@fact()
class PassReply:
    """Let the agent's sound straight across."""


@fact()
class EndReply:
    """The next sound of the agent begins a new reply."""


@fact()
class Schedule:
    """Report `event` in `seconds`; replaces an earlier one of its type."""

    seconds: float
    event: Timer


@fact()
class Unschedule:
    """Forget the timer of that type, if it is set."""

    event: type[Timer]


@fact()
class Finish:
    """All is saved and done: end the session's tasks."""

    reason: str


Command = (
    Tell
    | AskAgent
    | Save
    | RunIntent
    | CancelIntent
    | OpenAgent
    | CloseAgent
    | CloseClient
    | HoldSpeech
    | KeepSpeech
    | ForgetSpeech
    | PassSpeech
    | PlaySilence
    | DropReply
    | PassReply
    | EndReply
    | Schedule
    | Unschedule
    | Finish
)
