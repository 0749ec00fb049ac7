"""What a client's frames mean and which are too much, and what ours to it look like; on any WebSocket."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from bridge import wire
from bridge.audio.framing import WholeSamples
from bridge.core.commands import Failed, News
from bridge.core.events import (
    AgentAudioDone,
    ClientErred,
    ClientSettings,
    PeerEvent,
    UserStartedSpeaking,
)
from bridge.core.model import AudioFormat
from bridge.ports import Credit

MAX_FRAME_BYTES = 64 * 1024
"""Of a frame of a client's, text or sound."""
MESSAGES_PER_SECOND = 100
"""Text frames a client may send, and how many at once."""
SOUNDS_PER_SECOND = 1000
"""Binary frames a client may send; 20 ms to a frame are 50."""
SOUNDS_AT_ONCE = 10 * SOUNDS_PER_SECOND
"""Binary frames that may come at once, after the network stood still for example."""
MAX_IGNORED = 100
"""Frames beyond that, over the life of the socket, before it is closed."""

ENDS_SOUND = AgentAudioDone, UserStartedSpeaking
"""What follows is a new sound."""

QUOTA = ClientErred(
    "BRIDGE_QUOTA",
    f"more than {MESSAGES_PER_SECOND} messages or {SOUNDS_PER_SECOND} frames of sound a second; "
    "some were not taken",
)


class TurnedAway(NamedTuple):
    """The client is told this, and its socket closed."""

    failed: Failed
    code: int
    """Close code."""


TOO_BIG = TurnedAway(Failed("UNPARSABLE_CLIENT_MESSAGE", f"a frame may have {MAX_FRAME_BYTES} bytes"), 1009)
TOO_MANY = TurnedAway(Failed(QUOTA.code, QUOTA.description), 1008)


class ClientFrames:
    """Reads what one client sends, writes what it is told. The frames pass in order, each once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._messages = _Allowance(MESSAGES_PER_SECOND, MESSAGES_PER_SECOND, clock)
        self._sounds = _Allowance(SOUNDS_PER_SECOND, SOUNDS_AT_ONCE, clock)
        self._ignored = 0
        self._settled = False
        self._from_client = WholeSamples(1)
        self._to_client = WholeSamples(1)
        self._credit: Credit | None = None
        """What is spent of it counts as sound that was taken."""

    def passes(self, sound: bytes) -> bool:
        """It may go on as it is, and is counted; False: ask `read`."""
        size, samples, allowance = len(sound), self._from_client, self._sounds
        if self._credit is not None:
            allowance.left -= self._credit.frames
            self._credit = None
        if not 0 < size <= MAX_FRAME_BYTES or samples.half or size % samples.size or allowance.left < 1:
            return False
        allowance.left -= 1
        return True

    def bound(self, credit: Credit | None) -> Credit | None:
        """Only frames of whole samples may go straight; they are counted when `passes` is asked again."""
        if credit is not None:
            credit.odd |= self._from_client.size - 1
            self._credit = credit
        return credit

    def read(self, frame: bytes | str) -> bytes | PeerEvent | TurnedAway | None:
        """Sound (whole samples) or an event; None: nothing yet, or too much. A client is turned away once."""
        if _size(frame) > MAX_FRAME_BYTES:
            return TOO_BIG
        is_sound = isinstance(frame, bytes)
        if not (self._sounds if is_sound else self._messages).take():
            self._ignored += 1
            if self._ignored > MAX_IGNORED:
                return TOO_MANY
            return QUOTA if self._ignored == 1 else None
        return (self._from_client.feed(frame) or None) if isinstance(frame, bytes) else self._event(frame)

    def _event(self, text: str) -> PeerEvent:
        event = wire.read(text)
        if isinstance(event, ClientSettings) and not self._settled:
            self._settled = True
            self._from_client = _samples_of(event.audio_in)
            self._to_client = _samples_of(event.audio_out)
        return event

    def write(self, frame: bytes | News) -> bytes | str | None:
        """What goes out for it; None: nothing, or nothing yet."""
        if isinstance(frame, bytes):
            return self._to_client.feed(frame) or None
        if isinstance(frame, ENDS_SOUND):
            self._to_client.reset()
        return wire.write(frame)

    def is_whole(self, sound: bytes) -> bool:
        """It may go out as it is."""
        return not (self._to_client.half or len(sound) % self._to_client.size)

    @property
    def sample_bytes(self) -> int:
        """Of a sample of what goes to the client."""
        return self._to_client.size


class _Allowance:
    """How many frames a client may still send now: a token bucket."""

    __slots__ = ("_clock", "_most", "_per_second", "_since", "left")

    def __init__(self, per_second: float, most: float, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._most = self.left = most
        self._clock = clock
        self._since = clock()

    def take(self) -> bool:
        """One frame; False: it is too much. The clock is asked only when there is nothing left."""
        if self.left < 1:
            now = self._clock()
            self.left = min(self._most, self.left + (now - self._since) * self._per_second)
            self._since = now
            if self.left < 1:
                return False
        self.left -= 1
        return True


def clipped(reason: str) -> str:
    """At most the 123 bytes a close frame holds."""
    return reason.encode("utf-8", "replace")[:123].decode("utf-8", "ignore")


def _samples_of(audio: AudioFormat) -> WholeSamples:
    return WholeSamples(2 if audio.encoding == "linear16" else 1)


def _size(frame: bytes | str) -> int:
    """Bytes it had on the wire."""
    if isinstance(frame, bytes) or frame.isascii():
        return len(frame)
    return len(frame.encode("utf-8", "replace"))
