"""How long a connection may take nothing of what it is sent: one timer when a write begins to wait."""

from __future__ import annotations

import asyncio


class Patience:
    """Aborts a transport that is paused for too long."""

    __slots__ = ("_timer", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, transport: asyncio.WriteTransport) -> None:
        """Its buffer is full."""
        self.end()
        self._timer = asyncio.get_running_loop().call_later(self.seconds, transport.abort)

    def end(self) -> None:
        """There is room again, or it is gone."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
