"""The two ends of a running session: the seat a client's socket takes, and the line to an agent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial

import structlog

from bridge.core.commands import Ask, News, Replayed
from bridge.core.events import AgentLeft, PeerEvent
from bridge.errors import BridgeError, PeerGone
from bridge.live.outbox import Outbox
from bridge.ports import Credit, Transport, Upstream

log = structlog.get_logger(__name__)

TOO_SLOW = 4410
"""Close code for a client that does not read; it may come back."""
BURST_SECONDS = 1.0
"""How long more may wait than a client that reads leaves there: what comes at once was not let pile up."""
BURST_BYTES = 4 * 1024 * 1024
"""Bytes of messages that may never wait."""


Start = Callable[[Coroutine[object, object, None], str], asyncio.Task[None]]
"""Starts a task of that name; whoever gave it waits for its end."""


@dataclass(frozen=True, slots=True)
class Close:
    """In an outbox: what stands before it is sent, then the socket is closed."""

    code: int
    reason: str


class Seat:
    """A client's place at a session. Taken by one socket at a time."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.outbox: Outbox[News | Close] = Outbox()
        self.warned = False
        """It was told that it speaks too early."""
        self._closing = False
        self._judging: asyncio.TimerHandle | None = None

    def tell(self, news: News) -> None:
        """Write news, or queue it. A client that lets too much pile up, and leaves it there, is closed."""
        if self._closing or (self.outbox.idle and self.transport.tell(news)):
            return
        # What is replayed is in memory anyway, and may be long: it was missed, not piled up.
        self.outbox.put(news, 0 if isinstance(news, Replayed) else None)
        if self.outbox.message_bytes > BURST_BYTES:
            self._too_slow()
        elif self.outbox.crowded and self._judging is None:
            self._judging = asyncio.get_running_loop().call_later(BURST_SECONDS, self._judge)

    def _judge(self) -> None:
        self._judging = None
        if self.outbox.crowded:
            self._too_slow()

    def _too_slow(self) -> None:
        self.outbox.clear()
        self.close(TOO_SLOW, "too slow")

    def close(self, code: int, reason: str) -> None:
        """Close the socket once what is queued was sent."""
        if not self._closing:
            self._closing = True
            self.outbox.put(Close(code, reason), 0)

    async def pump(self) -> None:
        """Write what is queued until it is closed or gone. Ends with the socket closed."""
        self.outbox.connect(self.transport)
        try:
            while True:
                item = await self.outbox.take()
                if isinstance(item, Close):
                    await self.transport.close(item.code, item.reason)
                    return
                await self.transport.send(item)
        except PeerGone:
            await self.transport.close(TOO_SLOW, "too slow")
        finally:
            if self._judging:
                self._judging.cancel()


class Line:
    """One agent session: opened, read, written to, closed. `report` gets each frame and event as it comes."""

    def __init__(self, report: Callable[[Line, bytes | PeerEvent], Credit | None]) -> None:
        self.outbox: Outbox[Ask] = Outbox()
        self._report = report

    def ask(self, ask: Ask) -> bool:
        """Queue an ask. False: the agent takes none, so it is lost; this one was not queued."""
        if self.outbox.crowded:
            return False
        self.outbox.put(ask)
        return True

    async def run(self, opening: Awaitable[Upstream], start: Start) -> None:
        """Open it and stay until it is gone. The last report is `AgentLeft`, unless this is cancelled.

        `start` starts its tasks: a group of its own, when cancelled, would leave it in a cycle of tracebacks.
        """
        try:
            upstream = await opening
        except BridgeError as error:
            log.warning("agent_unreachable", code=error.code, retry=error.retry, problem=error.description)
            self._report(self, AgentLeft(reason=error.code, retry=error.retry))
            return
        pump = start(self._pump(upstream), "agent-pump")
        try:
            await upstream.read(partial(self._report, self))
        finally:
            pump.cancel()
            await upstream.close()

    async def _pump(self, upstream: Upstream) -> None:
        self.outbox.connect(upstream)
        try:
            while True:
                await upstream.send(await self.outbox.take())
        except PeerGone:
            await upstream.close()
