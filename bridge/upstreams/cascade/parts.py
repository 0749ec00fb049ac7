"""The vocabulary of the cascade: what a voice detector, an ear, a mind and a voice owe the pipeline.

    client sound ─▶ VoiceDetector ─▶ turns.py ─┐ speech started / turn ended
                 └▶ SpeechToText ──────────────┴▶ LanguageModel ─▶ sentences.py ─▶ TextToSpeech ─▶ client

Sound towards the detector and the ear is PCM16, little-endian, mono, 16,000 Hz, in frames of 20 ms (640
bytes). Every part belongs to one talking session; what is heavy (a model, a process, a connection) is pooled
behind it. A part may be local or remote, so whatever can wait is a coroutine, and each may be cancelled.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from bridge.ports import Brief

FRAME_MS: Final = 20
"""Length of one frame of sound towards the detector and the ear, in milliseconds."""
FRAME_RATE: Final = 16_000
"""Samples a second of such a frame."""
FRAME_BYTES: Final = FRAME_RATE * FRAME_MS // 1000 * 2
"""Bytes of such a frame: 320 samples of two bytes."""


# ------------------------------------------------------------------------------------------------ detecting


class VoiceDetector(Protocol):
    """Says how likely it is that somebody is speaking now. Synchronous; well under 1 ms a frame."""

    def feed(self, frame: bytes) -> float:
        """Take one 20 ms frame; return the probability of speech (0–1) in the newest complete window."""


# -------------------------------------------------------------------------------------------------- hearing


@dataclass(frozen=True, slots=True)
class Heard:
    """What the ear made of one utterance."""

    text: str
    """As people write it, but for punctuation that the ear does not give; empty: nothing was understood."""
    confidence: float
    """How sure the ear is of the whole, 0–1."""
    took_ms: float
    """From `finish()` to the result, in milliseconds."""
    alternatives: tuple[str, ...] = ()
    """What it may also have been, likeliest first."""


class SpeechToText(Protocol):
    """Turns one utterance after another into text.

    Order of calls: `start`, any number of `hear`, then `finish` or `cancel`; then `start` again. The pipeline
    begins with the 0.6 s of sound before the detected start of speech. `aclose` last, once, in any state.
    """

    @property
    def partial(self) -> str:
        """The words so far: may be rewritten, may lag by some frames. Empty between utterances."""

    async def start(self) -> None:
        """Begin an utterance."""

    async def hear(self, frame: bytes) -> None:
        """Take one frame or several joined. Waits for room in a bounded buffer, never for recognition."""

    async def finish(self) -> Heard:
        """End the utterance and return its text."""

    async def cancel(self) -> None:
        """Drop the utterance; nothing is returned. Without an utterance: nothing happens."""

    async def aclose(self) -> None:
        """Give back what the session held."""


# ------------------------------------------------------------------------------------------------- thinking


class Fit(Enum):
    """How finished a partial transcript sounds; decides how much silence ends the turn."""

    COMPLETE = "complete"
    """It fills an intent or answers the question: a short silence is enough."""
    OPEN = "open"
    """It may be all or not: the usual silence."""
    UNFINISHED = "unfinished"
    """It ends in "to", "called", "for", "and" …: the person is looking for words."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What the person said, as the mind gets it."""

    text: str
    """The words; empty when speech was found but nothing was understood."""
    confidence: float = 1.0
    """How sure the ear is, 0–1; 1 for typed text."""
    typed: bool = False
    """True when it was typed and not spoken."""
    cut: str | None = None
    """How much of the reply before was heard when the person broke in; None when all of it was."""


@dataclass(frozen=True, slots=True)
class Say:
    """Speak this. Deepgram: one `ConversationText{assistant}` and its sound."""

    sentence: str
    """One sentence, or a piece of one from a model that streams; `sentences.py` joins and splits pieces."""
    whole: bool = False
    """True: an utterance complete as it is; it is spoken as one, neither joined nor split."""


@dataclass(frozen=True, slots=True)
class CallFunction:
    """Have a function run. Deepgram: one item of `FunctionCallRequest`."""

    id: str
    """Names the call for its answer; unique within the session."""
    name: str
    """The function, as declared in the agent's intents."""
    arguments_json: str
    """A JSON object as text; from a language model it may be invalid."""


Thought = Say | CallFunction


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of one call. Deepgram: `FunctionCallResponse`."""

    id: str
    """The call's id."""
    name: str
    """The function's name."""
    content: str
    """The result, or what went wrong, in words the mind can use; may be JSON as text."""
    note: str = ""
    """Never to be spoken: ids the mind may need later, e.g. `task_id: 12`."""


class LanguageModel(Protocol):
    """The mind: reads a turn, says sentences, asks for functions. It keeps the dialogue of its session.

        reply(turn) ─▶ Say* CallFunction* ─▶ (if there were calls) answered(answers) ─▶ Say* CallFunction* …

    The pipeline speaks each `Say` as it comes, sends out together the calls that came in a row, and runs
    `answered` once after the iterator's end, with one answer for every call, as often as there are new calls.
    To abandon a reply it closes the iterator. **A new `reply` while calls are open withdraws them**: no
    answer will come (Deepgram: `FunctionCallCancelled`), and the mind must not count them as done.
    """

    def reply(self, turn: Turn) -> AsyncIterator[Thought]:
        """Answer what the person said."""

    def answered(self, answers: Sequence[Answer]) -> AsyncIterator[Thought]:
        """Go on, now that every open call has its answer."""

    def fits(self, partial: str) -> Fit:
        """How finished `partial` sounds as the dialogue stands. Synchronous, under 1 ms, no effect."""

    def choose(self, heard: Sequence[str]) -> str:
        """What was probably said of what the ear makes of it, likeliest first. Synchronous, no effect."""


MakeModel = Callable[[Brief], LanguageModel]
"""How the pipeline gets the mind of a new session from its brief; what else it needs is bound before."""


# ------------------------------------------------------------------------------------------------- speaking


class TextToSpeech(Protocol):
    """Turns one sentence into sound."""

    @property
    def sample_rate(self) -> int:
        """Samples a second of what `speak` yields; constant."""

    def speak(self, sentence: str) -> AsyncIterator[bytes]:
        """Yield PCM16 mono at `sample_rate` in whole samples as it is made, faster than real time.

        The caller paces it. Closing or cancelling the iterator stops the work behind it. Text with nothing to
        pronounce yields nothing.
        """

    async def aclose(self) -> None:
        """Give back what the voice held. No `speak` may follow."""
