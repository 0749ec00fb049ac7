"""The load: many sessions that speak evenly, one after the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Self

from picows import WSError

from tests.bench.caller import PATH, Caller, Tally, call
from tests.bench.dress import FRAMES_PER_SECOND, PLAIN, Dress

TICK_SECONDS: Final = 0.001
"""One timer for all sessions; the event loop's are no finer. Whoever is due in it speaks in it."""
AT_ONCE: Final = 50
"""Sessions that connect at the same time."""
CALL_SECONDS: Final = 30.0
"""That many may take to connect."""
AWAIT_ECHO_SECONDS: Final = 1.0
"""How long the last frames may take to come back."""


class Crowd:
    """The sessions of a run."""

    def __init__(self, address: str, dress: Dress = PLAIN) -> None:
        """`address`: host:port of the relay, or of the agent itself."""
        self._url = f"ws://{address}{PATH}"
        self._dress = dress
        self._tally = Tally(0)
        self._callers: list[Caller] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """All sessions end; at once, when something went wrong."""
        for caller in self._callers:
            caller.abort() if kind else caller.leave()

    async def call(self, count: int) -> None:
        """Connect that many more sessions. Raises ConnectionError, TimeoutError."""
        while count > 0:
            callers = [Caller(self._tally, self._dress) for _ in range(min(count, AT_ONCE))]
            self._callers += callers
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    await asyncio.gather(*(call(self._url, caller) for caller in callers))
            except WSError as error:
                raise ConnectionError(f"a session was refused: {error}") from error
            count -= len(callers)

    async def talk(self, seconds: float) -> Tally:
        """All sessions speak. Raises ConnectionError when one is cut."""
        self._tally = Tally(int(seconds * FRAMES_PER_SECOND) * len(self._callers))
        for caller in self._callers:
            caller.tally = self._tally
        await _keep_pace(self._callers, self._tally.frames)
        return self._tally

    async def await_echo(self) -> None:
        """Wait until all is back that was sent, or for a second. Raises ConnectionError when one was cut."""
        with suppress(TimeoutError):
            async with asyncio.timeout(AWAIT_ECHO_SECONDS):
                await self._tally.echoed.wait()
        self.check()

    def check(self) -> None:
        """Raises ConnectionError when a session has ended."""
        if ended := next((caller.ended for caller in self._callers if caller.ended), ""):
            raise ConnectionError(f"a session did not last: {ended}")


async def _keep_pace(callers: Sequence[Caller], total: int) -> None:
    """Frame k belongs to session k mod n and is due k/n of a frame's time after the start."""
    begin, step = time.monotonic_ns(), 1_000_000_000 / (FRAMES_PER_SECOND * len(callers))
    sent = 0
    while sent < total:
        now = time.monotonic_ns()
        while sent < total and (late := now - begin - int(sent * step)) >= 0:
            callers[sent % len(callers)].speak(late)
            sent += 1
        await asyncio.sleep(TICK_SECONDS)
