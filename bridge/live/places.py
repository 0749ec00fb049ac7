"""So many agent sessions at a time, and a short queue for one: ports.Upstreams around another."""

from __future__ import annotations

import asyncio
from collections import deque

from bridge.core.commands import Ask
from bridge.errors import UpstreamBusy
from bridge.ports import Brief, Direct, Take, Upstream, Upstreams

WAIT_SECONDS = 3.0
"""How long a place is waited for before the client is told; then it is tried again, for a minute."""


class Places:
    """Takes a place for each agent session and gives it back when that is closed."""

    def __init__(self, upstreams: Upstreams, *, most: int, queue: int, wait: float = WAIT_SECONDS) -> None:
        """`most`: agent sessions at a time; `queue`: how many may wait for a place."""
        self._upstreams = upstreams
        self._free = most
        self._queue = queue
        self._wait = wait
        self._going_on: deque[asyncio.Future[None]] = deque()
        self._beginning: deque[asyncio.Future[None]] = deque()

    @property
    def name(self) -> str:
        """See ports.Upstreams."""
        return self._upstreams.name

    @property
    def waiting(self) -> int:
        """How many wait for a place now."""
        return len(self._going_on) + len(self._beginning)

    async def open(self, brief: Brief) -> Upstream:
        """See ports.Upstreams. A talk that goes on comes before one that begins."""
        await self._take(self._going_on if brief.history else self._beginning)
        try:
            upstream = await self._upstreams.open(brief)
        except BaseException:
            self._leave()
            raise
        return _DirectlySeated(upstream, self) if isinstance(upstream, Direct) else _Seated(upstream, self)

    async def aclose(self) -> None:
        """See ports.Upstreams."""
        await self._upstreams.aclose()

    async def _take(self, queue: deque[asyncio.Future[None]]) -> None:
        """Wait in that queue for a place. Raises UpstreamBusy."""
        if self._free:
            self._free -= 1
            return
        if self.waiting >= self._queue:
            raise UpstreamBusy("all places are taken, and so is the queue for them")
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(place)
        try:
            async with asyncio.timeout(self._wait):
                await asyncio.shield(place)
        except BaseException as error:
            self._give_up(place, queue)
            if isinstance(error, TimeoutError):
                raise UpstreamBusy("all places are taken") from None
            raise

    def _give_up(self, place: asyncio.Future[None], queue: deque[asyncio.Future[None]]) -> None:
        """Nobody waits for it any more; had it just been given, it is the next one's."""
        if place.done():
            self._leave()
        else:
            queue.remove(place)
            place.cancel()

    def _leave(self) -> None:
        """A place is free: for whoever waits longest, of those that go on first."""
        if queue := self._going_on or self._beginning:
            queue.popleft().set_result(None)
        else:
            self._free += 1


class _Seated:
    """ports.Upstream with a place of its own."""

    def __init__(self, upstream: Upstream, places: Places) -> None:
        self._upstream = upstream
        self._places: Places | None = places

    async def read(self, take: Take) -> None:
        await self._upstream.read(take)

    async def send(self, frame: bytes | Ask) -> None:
        await self._upstream.send(frame)

    async def close(self) -> None:
        """See ports.Upstream. The place is free when the agent session is gone."""
        places, self._places = self._places, None
        try:
            await self._upstream.close()
        finally:
            if places:
                places._leave()


class _DirectlySeated(_Seated):
    """The same for an end that can be written to directly, with nothing between it and whoever writes."""

    def __init__(self, upstream: Upstream, places: Places) -> None:
        super().__init__(upstream, places)
        assert isinstance(upstream, Direct)
        self.write = upstream.write
        """See ports.Direct."""
        self.credit = upstream.credit
        """The same."""
