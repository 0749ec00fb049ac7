"""Reads an open agent session in the background, as the runner does, and waits for what a test expects."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from bridge.core.events import AgentLeft, PeerEvent, TextArrived
from bridge.core.model import Message, Role
from bridge.ports import Brief, Upstream, Upstreams

Kind = TypeVar("Kind", bound=PeerEvent)


class Reading:
    """What came from an upstream so far."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.got: list[bytes | PeerEvent] = []
        """Everything, in order."""
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Read to the end."""
        await self.upstream.read(self._take)

    def _take(self, frame: bytes | PeerEvent) -> None:
        self.got.append(frame)
        self._changed.set()

    @property
    def events(self) -> list[PeerEvent]:
        """All but the sound."""
        return [frame for frame in self.got if not isinstance(frame, bytes)]

    @property
    def sound(self) -> bytes:
        """All sound, joined."""
        return b"".join(frame for frame in self.got if isinstance(frame, bytes))

    def of(self, kind: type[Kind]) -> list[Kind]:
        """The events of one type."""
        return [event for event in self.events if isinstance(event, kind)]

    def said(self, role: Role) -> list[str]:
        """What one side said."""
        messages: list[Message] = [event.message for event in self.of(TextArrived)]
        return [message.content for message in messages if message.role is role]

    async def until(self, kind: type[Kind], count: int = 1) -> Kind:
        """The first (or a later) event of that type, once it is there."""
        await self.holds(lambda: len(self.of(kind)) >= count, f"{kind.__name__} × {count}")
        return self.of(kind)[count - 1]

    async def holds(self, condition: Callable[[], bool], what: str, within: float = 10.0) -> None:
        """Wait until the condition is true; looked at whenever something came."""
        try:
            async with asyncio.timeout(within):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            names = [type(event).__name__ for event in self.events]
            raise AssertionError(f"{what} did not come within {within} s, but {names}") from None


@asynccontextmanager
async def open_and_read(upstreams: Upstreams, brief: Brief) -> AsyncIterator[Reading]:
    """An agent session that is being read; closed at the end, when `AgentLeft` must be the last, and once."""
    upstream = await upstreams.open(brief)
    reading = Reading(upstream)
    async with asyncio.TaskGroup() as group:
        group.create_task(reading.run(), name="reading")
        try:
            yield reading
        finally:
            await upstream.close()
    assert isinstance(reading.got[-1], AgentLeft), "AgentLeft is the last"
    assert len(reading.of(AgentLeft)) == 1
    assert b"" not in reading.got
