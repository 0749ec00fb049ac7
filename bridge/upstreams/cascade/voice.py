"""Speaks sentences: their text first, then their sound in short pieces, only slightly ahead of real time."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from bridge.core.events import TextArrived
from bridge.core.model import AudioFormat, Message, Role
from bridge.upstreams.cascade.codec import Encoder
from bridge.upstreams.cascade.outlet import Outlet
from bridge.upstreams.cascade.parts import TextToSpeech
from bridge.upstreams.cascade.speaking.lead_in import LeadIn
from bridge.upstreams.cascade.streams import within

SPEAK_SECONDS: Final = 10.0
"""How long a voice may take for its next piece of sound."""
LETTERS_A_SECOND: Final = 15.0
"""How fast a voice speaks, about; to guess how much of a cut sentence was heard."""

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How sound goes out."""

    piece_ms: int = 100
    """Milliseconds of one piece."""
    lead_ms: int = 400
    """How far ahead of the listener's ear it may be, in milliseconds."""


@dataclass(slots=True)
class Spoken:
    """A sentence on its way out."""

    sentence: str
    begins: float
    """When its sound begins to be heard, on the loop's clock in seconds."""
    seconds: float = 0.0
    """Sound of it sent so far."""
    whole: bool = False
    """All of it was sent."""


class Voice:
    """One session's way to speak. One sentence at a time; cancelling `speak` ends it within one piece."""

    def __init__(
        self,
        speech: TextToSpeech | None,
        audio: AudioFormat,
        outlet: Outlet,
        pace: Pace,
        *,
        clock: Callable[[], float],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`speech` None: text alone. `clock`: seconds that never go back, as `sleep` counts them."""
        self._speech = speech
        self._audio = audio
        self._outlet = outlet
        self._pace = pace
        self._clock = clock
        self._sleep = sleep
        self._heard_until = 0.0
        """When the last sound that was sent will have been heard."""
        self._reply: list[Spoken] = []
        self.on_first_sound: Callable[[float], None] | None = None
        """Called once, with the seconds from the sentence to its first sound, then forgotten."""

    @property
    def sounding(self) -> bool:
        """Sound that was sent is still being heard."""
        return self._heard_until > self._clock()

    def begin(self) -> None:
        """A new reply begins."""
        self._reply = []

    async def speak(self, sentence: str) -> None:
        """Say one sentence: its text at once, its sound in real time. Returns when the last piece is sent."""
        self._outlet.put(TextArrived(Message(Role.ASSISTANT, sentence)))
        asked = self._clock()
        spoken = Spoken(sentence, max(self._heard_until, asked))
        self._reply.append(spoken)
        if self._speech is None:
            spoken.whole = True
            return
        async with aclosing(self._pieces(self._speech, sentence)) as pieces:
            async for piece in pieces:
                await self._send(piece, spoken, asked)
        spoken.whole = True

    async def _send(self, piece: bytes, spoken: Spoken, asked: float) -> None:
        now = self._clock()
        if not spoken.seconds:
            spoken.begins = max(self._heard_until, now)
        self._heard_until = max(self._heard_until, now)
        ahead = self._heard_until - now - self._pace.lead_ms / 1000
        if ahead > 0:
            await self._sleep(ahead)
        seconds = len(piece) / self._audio.bytes_per_second
        spoken.seconds += seconds
        self._heard_until += seconds
        self._outlet.put(piece)
        if told := self.on_first_sound:
            self.on_first_sound = None
            told(self._clock() - asked)

    async def _pieces(self, speech: TextToSpeech, sentence: str) -> AsyncGenerator[bytes, None]:
        """The sentence's sound as it goes out. Raises TimeoutError when the voice makes none for too long."""
        encoder = Encoder(speech.sample_rate, self._audio, self._pace.piece_ms)
        lead_in = LeadIn(speech.sample_rate)
        async with aclosing(within(SPEAK_SECONDS, speech.speak(sentence))) as sound:
            async for pcm in sound:
                for piece in encoder.feed(lead_in.feed(pcm)):
                    yield piece
        for piece in encoder.flush():
            yield piece

    def cut(self) -> str:
        """Stop being ahead: what was sent and not read is taken back. Returns what was heard of the reply."""
        now = self._clock()
        self._outlet.drop_sound()
        heard = [text for spoken in self._reply if (text := _heard(spoken, now))]
        self._heard_until = now
        self._reply = []
        return " ".join(heard)


def _heard(spoken: Spoken, now: float) -> str:
    """The words of a sentence that were heard by now."""
    past = now - spoken.begins
    if spoken.whole and past >= spoken.seconds:
        return spoken.sentence
    if past <= 0 or not spoken.seconds:
        return ""
    length = spoken.seconds if spoken.whole else max(spoken.seconds, len(spoken.sentence) / LETTERS_A_SECOND)
    words = spoken.sentence.split()
    return " ".join(words[: int(len(words) * min(1.0, past / length))])
