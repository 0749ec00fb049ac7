"""Listens: finds where speech begins and ends, and gives what lies between to the ear."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bridge.core.model import AudioFormat
from bridge.errors import PeerGone
from bridge.upstreams.cascade.codec import Decoder
from bridge.upstreams.cascade.failures import HEAR, failing
from bridge.upstreams.cascade.parts import FRAME_MS, Fit, SpeechToText, VoiceDetector
from bridge.upstreams.cascade.turns import Ended, Started, Turns

BEFORE: Final = 600 // FRAME_MS
"""Frames from before the detected start that the ear gets too: 0.6 s."""
WAITING: Final = 10_000 // FRAME_MS
"""Frames that wait for the ear at most: 10 s."""
TAKE_SECONDS: Final = 5.0
"""How long `take` waits for room."""
FINISH_SECONDS: Final = 10.0
"""How long an ear may take for its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """A turn of the person's that is over."""

    text: str
    """Empty when nothing was understood."""
    alternatives: tuple[str, ...]
    """What it may also have been, likeliest first."""
    confidence: float
    """0–1."""
    ended: float
    """When speech ended, on the loop's clock in seconds: before the silence that ended the turn."""
    took: float
    """From the end of the turn to its text, in seconds."""
    seconds: float
    """How long the turn lasted, its last silence left out."""
    trigger: str
    """Deepgram: `EndOfTurn.trigger`: model, timeout or manual."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What listens: all of it, or there is no hearing."""

    detector: VoiceDetector
    ear: SpeechToText
    turns: Turns = field(default_factory=Turns)


@dataclass(frozen=True, slots=True)
class Reports:
    """What a listener tells its session; called from its own task, must not wait."""

    fits: Callable[[str], Fit]
    """How finished a partial transcript sounds."""
    speaking: Callable[[], bool]
    """The agent is heard now."""
    started: Callable[[], None]
    """Speech began."""
    ended: Callable[[Utterance], None]
    """A turn is over."""


class Listener:
    """One session's way to hear. `run` is its life; `take` feeds it."""

    def __init__(
        self, hearing: Hearing | None, audio: AudioFormat, reports: Reports, clock: Callable[[], float]
    ) -> None:
        """`hearing` None: sound is ignored."""
        self._hearing = hearing
        self._reports = reports
        self._clock = clock
        self._decoder = Decoder(audio)
        self._frames: asyncio.Queue[bytes] = asyncio.Queue(WAITING)
        self._before: deque[bytes] = deque(maxlen=BEFORE)
        self._forced = False
        self._heard = 0.0
        """Sound so far, in seconds: the time turns are measured in."""
        self._began = 0.0
        """When the turn began, in that time."""

    @property
    def talking(self) -> bool:
        """The person is in the middle of a turn."""
        return self._hearing is not None and self._hearing.turns.talking

    async def take(self, sound: bytes) -> None:
        """Take the person's sound as it comes. Raises PeerGone when there is no room for 5 s."""
        if self._hearing is None:
            return
        try:
            async with asyncio.timeout(TAKE_SECONDS):
                for frame in self._decoder.feed(sound):
                    await self._frames.put(frame)
        except TimeoutError:
            raise PeerGone("the agent hears nothing any more") from None

    def force_end(self) -> bool:
        """End the turn with the next frame; False when nobody is in the middle of one."""
        self._forced = self.talking
        return self._forced

    async def run(self) -> None:
        """Listen until cancelled. Raises PartFailed."""
        if self._hearing is not None:
            with failing(HEAR):
                while True:
                    await self._hear(await self._frames.get(), self._hearing)

    async def _hear(self, frame: bytes, hearing: Hearing) -> None:
        self._heard += FRAME_MS / 1000
        ear, turns = hearing.ear, hearing.turns
        event = turns.hear(
            hearing.detector.feed(frame),
            self._heard,
            lambda: self._reports.fits(ear.partial),
            over_agent=self._reports.speaking(),
        )
        if isinstance(event, Started):
            self._began = event.at
            self._reports.started()
            await ear.start()
            await ear.hear(b"".join([*self._before, frame]))
        elif turns.talking or event:
            await ear.hear(frame)
        self._before.append(frame)
        if self._forced:
            event = event or turns.end(self._heard)
        if isinstance(event, Ended):
            await self._finish(event, ear)

    async def _finish(self, event: Ended, ear: SpeechToText) -> None:
        self._forced = False
        begun = self._clock()
        async with asyncio.timeout(FINISH_SECONDS):
            heard = await ear.finish()
        self._reports.ended(
            Utterance(
                text=heard.text.strip(),
                alternatives=heard.alternatives,
                confidence=heard.confidence,
                ended=begun - (self._heard - event.at),
                took=self._clock() - begun,
                seconds=event.at - self._began,
                trigger=event.trigger,
            )
        )
