"""All that a client sent to the scripted Deepgram, in order, with times; and waiting for what must come."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TypeVar

from bridge.core.model import JSON

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Received:
    """One frame of the client's."""

    at: float
    """Seconds on the event loop's clock."""
    frame: bytes | JSON


class Record:
    """Grows while the client talks. `expect…` methods fail the test with what came instead."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._messages: list[tuple[float, JSON]] = []
        self._audio = bytearray()
        self.close_code: int | None = None
        """How the socket ended, as the server saw it; None while it is open."""
        self._taken: dict[str, int] = {}
        self._changed = asyncio.Event()

    def note(self, frame: bytes | JSON) -> None:
        """Keep a frame and wake whoever waits for it."""
        now = asyncio.get_running_loop().time()
        self.received.append(Received(now, frame))
        if isinstance(frame, bytes):
            self._audio += frame
        else:
            self._messages.append((now, frame))
        self._changed.set()

    def note_close(self, code: int) -> None:
        """Keep the end, and wake whoever waits."""
        self.close_code = code
        self._changed.set()

    def messages(self, kind: str | None = None) -> list[JSON]:
        """All messages so far, or those of one type."""
        return [message for _, message in self._messages if kind is None or message.get("type") == kind]

    @property
    def audio(self) -> bytes:
        """All sound so far, joined."""
        return bytes(self._audio)

    def times(self, kind: str) -> list[float]:
        """When the messages of a type came, in seconds on the event loop's clock."""
        return [at for at, message in self._messages if message.get("type") == kind]

    async def expect(self, kind: str, within: float = 5.0) -> JSON:
        """The next message of that type not yet handed out; waits for it at most `within` seconds."""

        def take() -> JSON | None:
            index = self._taken.get(kind, 0)
            found = self.messages(kind)
            if index >= len(found):
                return None
            self._taken[kind] = index + 1
            return found[index]

        return await self._until(take, kind, within)

    async def expect_audio(self, size: int, within: float = 5.0) -> bytes:
        """All sound so far, once there are at least `size` bytes of it."""
        return await self._until(lambda: self.audio if len(self._audio) >= size else None, "sound", within)

    async def expect_close(self, within: float = 5.0) -> int:
        """The code with which the client's socket ended: 1000 = politely, 1006 = without a close."""

        def closed() -> int | None:
            return self.close_code

        return await self._until(closed, "the close", within)

    async def frames(self) -> AsyncIterator[bytes | JSON]:
        """Every frame from the first to the end of the socket, for agents that answer by themselves."""
        index = 0
        while True:
            while index < len(self.received):
                yield self.received[index].frame
                index += 1
            if self.close_code is not None:
                return
            await self._change()

    async def _until(self, find: Callable[[], Found | None], what: str, within: float) -> Found:
        try:
            async with asyncio.timeout(within):
                while (found := find()) is None:
                    if self.close_code is not None:
                        raise AssertionError(
                            f"the client left ({self.close_code}) before {what}; {self.story}"
                        )
                    await self._change()
                return found
        except TimeoutError:
            raise AssertionError(f"{what} did not come within {within} s; {self.story}") from None

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    @property
    def story(self) -> str:
        """What came so far in a few words, for messages of failing tests."""
        kinds = [str(message.get("type")) for message in self.messages()]
        return f"until now: {', '.join(kinds) or 'no message'} and {len(self._audio)} bytes of sound"
