"""The agent's sound on its way: which reply it is, how much of it was relayed. It waits for nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

from bridge.core import commands as do
from bridge.core.model import AudioFormat
from bridge.live.audio import Passed, Sink
from bridge.live.outbox import SOUND_SECONDS
from bridge.ports import Credit


class Voice:
    """The agent's sound, on its way to the client: which reply it is, how much of it was relayed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.format = AudioFormat(sample_rate=24000)
        self._per_second = self.format.bytes_per_second
        self._clock = clock
        self.reply = 0
        """Number of the reply sound was last relayed of; 0 = none yet."""
        self.reply_began = 0.0
        """Clock at which its first sound was relayed."""
        self._credit: Credit | None = None
        """Leave for whoever brings the sound to send it straight to the client."""
        self._frames = 0
        self._bytes = 0
        self._reply_bytes = 0
        self._new = True
        self._dropping = False
        self._outbox: Sink | None = None

    @property
    def reply_ms(self) -> int:
        """Milliseconds of the current reply relayed so far."""
        straight = self._credit.bytes if self._credit else 0
        return (self._reply_bytes + straight) * 1000 // self._per_second

    def say(self, frame: bytes) -> Credit | None:
        """Take a frame of the agent's. Returns leave to send what follows straight to the client."""
        self.settle()
        if self._dropping:
            return None
        if self._new:
            self._new, self._reply_bytes = False, 0
            self.reply, self.reply_began = self.reply + 1, self._clock()
        self._reply_bytes += len(frame)
        self._frames += 1
        self._bytes += len(frame)
        if self._outbox is not None:
            self._credit = self._outbox.put_sound(frame)
        return self._credit

    def settle(self) -> None:
        """Count what went straight to the client; whoever sent it has to bring the next frame here."""
        if credit := self._credit:
            self._credit = None
            credit.revoke()
            self._reply_bytes += credit.bytes
            self._frames += credit.frames
            self._bytes += credit.bytes

    def collect(self) -> Passed:
        """What was taken from the agent since the last time."""
        self.settle()
        dropped = self._outbox.collect_dropped() if self._outbox else 0
        passed = Passed(self._frames, self._bytes, dropped)
        self._frames = self._bytes = 0
        return passed

    def connect(self, outbox: Sink | None) -> None:
        """The client's end is this one now (None: there is none)."""
        self.settle()
        self._outbox = outbox
        self.expect(self.format)

    def expect(self, audio: AudioFormat) -> None:
        """The agent speaks in this format from now on."""
        self.settle()
        self.format, self._per_second = audio, audio.bytes_per_second
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
        self.settle()
        self._dropping = True
        if self._outbox is not None:
            self._outbox.clear_sound()

    def go_on(self) -> None:
        """Let sound pass again."""
        self._dropping = False

    def end_reply(self) -> None:
        """The next frame begins a new reply."""
        self.settle()
        self._new = True
