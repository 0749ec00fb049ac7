"""What waits for one socket: bounded in bytes. Sound that is too much is dropped, messages never are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

import orjson

from bridge.core.model import AudioFormat
from bridge.live.queue import Queue
from bridge.ports import Credit, Direct

T = TypeVar("T")

SOUND_SECONDS = 10
"""Seconds of sound that may wait for a socket; the oldest is dropped beyond."""
MESSAGE_BYTES = 256 * 1024
"""Bytes of messages that may wait for a socket; a peer that leaves it at more is too slow."""


class Outbox(Generic[T]):
    """Sound and messages in the order they came. One task takes, any code puts."""

    def __init__(self) -> None:
        self.max_sound = SOUND_SECONDS * AudioFormat(sample_rate=24000).bytes_per_second
        """Bytes of sound that may wait."""
        self._dropped = 0
        """Bytes of sound dropped because the socket was too slow."""
        self.message_bytes = 0
        """Of the messages that wait, about."""
        self._sounds: Queue[tuple[int, bytes]] = Queue()
        self._messages: Queue[tuple[int, int, T]] = Queue()
        self._sound_bytes = 0
        self._count = 0
        self._taker: asyncio.Future[None] | None = None
        """Whoever takes waits for it."""
        self._write: Callable[[bytes], bool] = _never
        self._leave: Callable[[], Credit | None] = _none
        self._credit: Credit | None = None
        """What it gave away last."""
        self.idle = False
        """Whoever takes waits for something to come, and nothing is queued."""

    def connect(self, end: object) -> None:
        """Whoever takes sends to this end. Sound goes to it directly when nothing waits, if it can."""
        if isinstance(end, Direct):
            self._write, self._leave = end.write, end.credit

    @property
    def queued_bytes(self) -> int:
        """Of all that waits, sound and messages."""
        return self._sound_bytes + self.message_bytes

    @property
    def crowded(self) -> bool:
        """More messages wait than a peer that reads leaves there for long."""
        return self.message_bytes > MESSAGE_BYTES

    def put_sound(self, frame: bytes) -> Credit | None:
        """Write a frame or queue it; the oldest ones go when there is too much.

        Returns leave to write what follows past the outbox, until something is put here.
        """
        if self.idle and self._write(frame):
            self._credit = self._leave()
            return self._credit
        self._busy()
        self._count += 1
        self._sounds.put((self._count, frame))
        self._sound_bytes += len(frame)
        while self._sound_bytes > self.max_sound:
            self._dropped += len(self._pop_sound())
        self._wake()
        return None

    def put(self, message: T, size: int | None = None) -> None:
        """Queue a message. `size`: the bytes it counts for; None: those it has."""
        size = weigh(message) if size is None else size
        self._busy()
        self._count += 1
        self._messages.put((self._count, size, message))
        self.message_bytes += size
        self._wake()

    def clear_sound(self) -> None:
        """Throw queued sound away, on purpose."""
        self._sound_bytes = 0
        self._sounds.clear()

    def clear(self) -> None:
        """Throw away all that is queued."""
        self.clear_sound()
        self.message_bytes = 0
        self._messages.clear()

    async def take(self) -> bytes | T:
        """The next frame or message; waits for one."""
        while not (self._sounds or self._messages):
            self._taker = asyncio.get_running_loop().create_future()
            self.idle = True
            try:
                await self._taker
            finally:
                self.idle, self._taker = False, None
        if self._messages and (not self._sounds or self._messages.first()[0] < self._sounds.first()[0]):
            _, size, message = self._messages.pop()
            self.message_bytes -= size
            return message
        return self._pop_sound()

    def collect_dropped(self) -> int:
        """Bytes dropped since the last time."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    def _wake(self) -> None:
        if self._taker is not None and not self._taker.done():
            self._taker.set_result(None)

    def _busy(self) -> None:
        self.idle = False
        if self._credit is not None:
            self._credit.revoke()
            self._credit = None

    def _pop_sound(self) -> bytes:
        _, frame = self._sounds.pop()
        self._sound_bytes -= len(frame)
        return frame


def _never(frame: bytes) -> bool:
    """An end that cannot be written to directly."""
    return False


def _none() -> None:
    """Nor straight."""


def weigh(message: object) -> int:
    """Bytes a message of ours (a dataclass) takes as JSON: what it has on the wire, give or take its keys."""
    try:
        return len(orjson.dumps(message, default=str))
    except TypeError:  # lone surrogates, giant integers, too deep: rare, and no smaller than this
        return len(repr(message))
