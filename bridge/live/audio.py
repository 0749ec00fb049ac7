"""Sound on its way: which goes across, what is held, what is dropped. It waits for nothing."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum
from typing import NamedTuple, Protocol

from bridge.core import commands as do
from bridge.core.model import AudioFormat
from bridge.live.outbox import SOUND_SECONDS

KEPT_SECONDS = 5
"""Seconds of what the user is saying that are kept until it was understood,"""
BEFORE_SECONDS = 0.5
"""and of what came before the agent noticed that they speak."""
AT_ONCE_SECONDS = 10.0
"""Seconds of sound that may come at once, after the network stood still for example."""


class Sink(Protocol):
    """Where sound goes: an outbox, whatever its messages are."""

    max_sound: int

    def put_sound(self, frame: bytes) -> None: ...

    def clear_sound(self) -> None: ...

    def collect_dropped(self) -> int: ...


class Way(Enum):
    """What happens to the user's sound."""

    CLOSED = "closed"
    """Not expected yet."""
    HELD = "held"
    OPEN = "open"
    SILENCE = "silence"
    """There is no client; silence is sent in its place."""


OPEN, HELD = Way.OPEN, Way.HELD
"""Looked up once, not once a frame."""


class Passed(NamedTuple):
    """What went one way since the last time somebody asked."""

    frames: int
    bytes: int
    dropped: int
    """Bytes that did not get through: their receiver is too slow."""
    too_fast: int = 0
    """Bytes that were not let through: their sender is too fast."""


class _Frames:
    """Frames in order, and how many bytes they are together."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._frames)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._frames)

    def add(self, frame: bytes, most: float) -> int:
        """Add a frame; the oldest go while there are more than `most` bytes. Returns the bytes that went."""
        self._frames.append(frame)
        self._bytes += len(frame)
        before = self._bytes
        while self._bytes > most:
            self._bytes -= len(self._frames.popleft())
        return before - self._bytes

    def clear(self) -> None:
        """Forget them all."""
        self._frames.clear()
        self._bytes = 0


class Speech:
    """The user's sound, on its way to the agent."""

    def __init__(self, rate: float = 1.5, clock: Callable[[], float] = time.monotonic) -> None:
        """`rate`: how many times faster than it is spoken it may come, for long."""
        self.way = Way.CLOSED
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

    def hear(self, frame: bytes) -> bool:
        """Take a frame of the client's. False: sound is not expected now; it is thrown away."""
        self._left -= len(frame)
        if self._left < 0 and not self._allow(len(frame)):
            return self._refuse(frame)
        if self.way is OPEN and self._outbox is not None:
            self._outbox.put_sound(frame)
            self._recent.add(frame, self._most_recent)
        elif self.way is HELD:
            self._hold(frame)
        else:
            return False
        self._frames += 1
        self._bytes += len(frame)
        return True

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
        self._speaking = True
        self._measure()

    def forget(self) -> None:
        """It was understood."""
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
        dropped = self._dropped + (self._outbox.collect_dropped() if self._outbox else 0)
        passed = Passed(self._frames, self._bytes, dropped, self._too_fast)
        self._frames = self._bytes = self._dropped = self._too_fast = 0
        return passed

    def connect(self, outbox: Sink | None) -> None:
        """The agent's end is this one now (None: there is none)."""
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


class Voice:
    """The agent's sound, on its way to the client: which reply it is, how much of it was relayed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.format = AudioFormat(sample_rate=24000)
        self._clock = clock
        self.reply = 0
        """Number of the reply sound was last relayed of; 0 = none yet."""
        self.reply_began = 0.0
        """Clock at which its first sound was relayed."""
        self._frames = 0
        self._bytes = 0
        self._reply_bytes = 0
        self._new = True
        self._dropping = False
        self._outbox: Sink | None = None

    @property
    def reply_ms(self) -> int:
        """Milliseconds of the current reply relayed so far."""
        return self._reply_bytes * 1000 // self.format.bytes_per_second

    def say(self, frame: bytes) -> None:
        """Take a frame of the agent's."""
        if self._dropping:
            return
        if self._new:
            self._new, self._reply_bytes = False, 0
            self.reply, self.reply_began = self.reply + 1, self._clock()
        self._reply_bytes += len(frame)
        self._frames += 1
        self._bytes += len(frame)
        if self._outbox is not None:
            self._outbox.put_sound(frame)

    def collect(self) -> Passed:
        """What was taken from the agent since the last time."""
        dropped = self._outbox.collect_dropped() if self._outbox else 0
        passed = Passed(self._frames, self._bytes, dropped)
        self._frames = self._bytes = 0
        return passed

    def connect(self, outbox: Sink | None) -> None:
        """The client's end is this one now (None: there is none)."""
        self._outbox = outbox
        self.expect(self.format)

    def expect(self, audio: AudioFormat) -> None:
        """The agent speaks in this format from now on."""
        self.format = audio
        if self._outbox is not None:
            self._outbox.max_sound = SOUND_SECONDS * audio.bytes_per_second

    def steer(self, command: do.DropReply | do.PassReply | do.EndReply) -> None:
        """What the session wants of the reply."""
        match command:
            case do.DropReply():
                self.drop()
            case do.PassReply():
                self.go_on()
            case do.EndReply():
                self.end_reply()

    def drop(self) -> None:
        """Throw away what is queued and what still comes, until `go_on`."""
        self._dropping = True
        if self._outbox is not None:
            self._outbox.clear_sound()

    def go_on(self) -> None:
        """Let sound pass again."""
        self._dropping = False

    def end_reply(self) -> None:
        """The next frame begins a new reply."""
        self._new = True
