"""What one agent session has for its client: events in order, and sound that can still be taken back."""

import asyncio
from collections import deque
from typing import Final

from bridge.core.events import AgentLeft, PeerEvent
from bridge.ports import Take

MOST: Final = 4096
"""Events and pieces of sound that wait at most; a reader that leaves more is gone."""


class Outlet:
    """A queue with one reader. Writers never wait: sound is paced before it comes here."""

    def __init__(self) -> None:
        self._waiting: deque[bytes | PeerEvent] = deque()
        self._ready = asyncio.Event()
        self.closed = False
        """Nothing more will be taken."""

    def put(self, item: bytes | PeerEvent) -> None:
        """Queue sound or an event. After `AgentLeft` nothing is taken any more."""
        if self.closed:
            return
        self._waiting.append(item)
        if isinstance(item, AgentLeft):
            self.closed = True
        elif len(self._waiting) > MOST:
            self.abandon()
        self._ready.set()

    def drop_sound(self) -> int:
        """Take back the sound that nobody has read yet; returns its bytes. Events stay, in their order."""
        dropped = sum(len(item) for item in self._waiting if isinstance(item, bytes))
        self._waiting = deque(item for item in self._waiting if not isinstance(item, bytes))
        return dropped

    def abandon(self) -> None:
        """Drop everything and end, because nobody reads."""
        self._waiting.clear()
        self.put(AgentLeft(reason="nobody reads"))

    async def read(self, take: Take) -> None:
        """Bring everything in order; ends after `AgentLeft`."""
        while True:
            while self._waiting:
                item = self._waiting.popleft()
                take(item)
                if isinstance(item, AgentLeft):
                    return
            self._ready.clear()
            await self._ready.wait()
