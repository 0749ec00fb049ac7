"""The user's sound on its way: what goes across, what is held, what is dropped. It waits for nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from enum import Enum

from bridge.core import commands as do
from bridge.core.model import AudioFormat
from bridge.live.audio import Passed, Sink
from bridge.live.outbox import SOUND_SECONDS
from bridge.live.queue import Queue
from bridge.ports import Credit

KEPT_SECONDS = 5
"""Seconds of what the user is saying that are kept until it was understood,"""
BEFORE_SECONDS = 0.5
"""and of what came before the agent noticed that they speak."""
AT_ONCE_SECONDS = 10.0
"""Seconds of sound that may come at once, after the network stood still for example."""


class Way(Enum):
    """What happens to the user's sound."""

    CLOSED = "closed"
    """Not expected yet."""
    HELD = "held"
    OPEN = "open"
    SILENCE = "silence"
    """There is no client; silence is sent in its place."""


class _Frames:
    """Frames in order, and how many bytes they are together."""

    def __init__(self) -> None:
        self._frames: Queue[bytes] = Queue()
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._frames)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._frames)

    def add(self, frame: bytes, most: float) -> int:
        """Add a frame; the oldest go while there are more than `most` bytes. Returns the bytes that went."""
        self._frames.put(frame)
        return self.count(len(frame), most)

    def adder(self) -> Callable[[bytes], None]:
        """What adds a frame that is counted later; until then nothing else may be done here."""
        return self._frames.putter()

    def count(self, more: int, most: float) -> int:
        """So many bytes were appended. The oldest go as with `add`."""
        before = kept = self._bytes + more
        if kept > most:
            oldest = self._frames.popper()
            while kept > most:
                kept -= len(oldest())
            if not kept:
                self._frames.clear()
        self._bytes = kept
        return before - kept

    def clear(self) -> None:
        """Forget them all."""
        self._frames.clear()
        self._bytes = 0


class Speech:
    """The user's sound, on its way to the agent."""

    def __init__(self, rate: float = 1.5, clock: Callable[[], float] = time.monotonic) -> None:
        """`rate`: how many times faster than it is spoken it may come, for long."""
        self.credit: Credit | None = None
        """Leave for whoever brings the sound to send it straight to the agent."""
        self._way = Way.CLOSED
        self._rate = rate
        self._clock = clock
        self._since = clock()
        self._left = 0.0
        """Bytes that may still come; more are allowed as time goes by, when these are used up."""
        self._too_fast = 0
        """Bytes that were more."""
        self._frames = 0
        self._bytes = 0
        self._dropped = 0
        """Bytes of held sound that had to go."""
        self._outbox: Sink | None = None
        self._held = _Frames()
        self._recent = _Frames()
        """What the agent may not have understood yet."""
        self._speaking = False
        self._most_recent = 0
        """Bytes of it, at most."""
        self.format = AudioFormat()

    @property
    def way(self) -> Way:
        """What happens to it."""
        return self._way

    @way.setter
    def way(self, way: Way) -> None:
        self.settle()
        self._way = way

    def hear(self, frame: bytes) -> bool:
        """Take a frame of the client's. False: sound is not expected now; it is thrown away."""
        self.settle()
        self._left -= len(frame)
        if self._left < 0 and not self._allow(len(frame)):
            return self._refuse(frame)
        if self._way is Way.OPEN and self._outbox is not None:
            self._recent.add(frame, self._most_recent)
            if credit := self._outbox.put_sound(frame):
                credit.keep, self.credit = self._recent.adder(), credit
        elif self._way is Way.HELD:
            self._hold(frame)
        else:
            return False
        self._frames += 1
        self._bytes += len(frame)
        return True

    def settle(self) -> None:
        """Count what went straight to the agent; whoever sent it has to bring the next frame here."""
        if credit := self.credit:
            self.credit = None
            credit.revoke()
            self._left -= credit.bytes
            self._frames += credit.frames
            self._bytes += credit.bytes
            self._recent.count(credit.bytes, self._most_recent)

    def _refuse(self, frame: bytes) -> bool:
        """It comes too fast. False: it is not expected at all."""
        if self.way not in (Way.OPEN, Way.HELD):
            return False
        self._too_fast += len(frame)
        return True

    def _allow(self, size: int) -> bool:
        """What was left is used up: as much more as the time since then allows."""
        now = self._clock()
        more = (now - self._since) * self._rate * self.format.bytes_per_second
        self._left, self._since = min(self._most_at_once, self._left + size + more), now
        if self._left < size:
            return False
        self._left -= size
        return True

    @property
    def _most_at_once(self) -> float:
        return AT_ONCE_SECONDS * self.format.bytes_per_second

    def mind(self, command: do.KeepSpeech | do.ForgetSpeech) -> None:
        """What the session wants of what is being said."""
        if isinstance(command, do.KeepSpeech):
            self.keep()
        else:
            self.forget()

    def keep(self) -> None:
        """The user has begun to speak: what they say is sent again should the agent be lost."""
        self.settle()
        self._speaking = True
        self._measure()

    def forget(self) -> None:
        """It was understood."""
        self.settle()
        self._speaking = False
        self._measure()
        self._recent.clear()

    def hold(self) -> None:
        """Send nothing until `open`. What the agent may not have understood is held as well."""
        self.way = Way.HELD
        if self._speaking:
            for frame in self._recent:
                self._hold(frame)
        self.forget()

    @property
    def format(self) -> AudioFormat:
        """What the client sends."""
        return self._format

    @format.setter
    def format(self, audio: AudioFormat) -> None:
        self.settle()
        self._format = audio
        self._left, self._since = self._most_at_once, self._clock()
        self._measure()

    def _measure(self) -> None:
        seconds = KEPT_SECONDS if self._speaking else BEFORE_SECONDS
        self._most_recent = int(seconds * self.format.bytes_per_second)

    def _hold(self, frame: bytes) -> None:
        self._dropped += self._held.add(frame, SOUND_SECONDS * self.format.bytes_per_second)

    def collect(self) -> Passed:
        """What was taken from the client since the last time."""
        self.settle()
        dropped = self._dropped + (self._outbox.collect_dropped() if self._outbox else 0)
        passed = Passed(self._frames, self._bytes, dropped, self._too_fast)
        self._frames = self._bytes = self._dropped = self._too_fast = 0
        return passed

    def connect(self, outbox: Sink | None) -> None:
        """The agent's end is this one now (None: there is none)."""
        self.settle()
        self._outbox = outbox
        if outbox is not None:
            outbox.max_sound = SOUND_SECONDS * self.format.bytes_per_second

    def open(self) -> None:
        """Send what is held, then let sound straight across."""
        self.way = Way.OPEN
        if self._outbox is not None:
            if self._held:
                self.keep()  # nobody has understood it yet, and this agent may be lost as well
            for frame in self._held:
                self._outbox.put_sound(frame)
                self._recent.add(frame, self._most_recent)
        self._held.clear()

    def play_silence(self, frame: bytes) -> None:
        """Send a frame of our own making."""
        if self._outbox is not None:
            self._outbox.put_sound(frame)


def silence(audio: AudioFormat, milliseconds: int) -> bytes:
    """Silence in that format; empty when the format is compressed and silence has no fixed bytes."""
    size = audio.bytes_per_second * milliseconds // 1000
    match audio.encoding:
        case "linear16" | "linear32":
            return bytes(size)
        case "mulaw":
            return b"\xff" * size
        case "alaw":
            return b"\xd5" * size
        case _:
            return b""
