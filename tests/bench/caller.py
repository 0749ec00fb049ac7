"""The load: sessions that talk in steady frames, each with the time it was sent, and hear them come back."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import orjson

from tests.bench.frames import BINARY, CLOSE, TEXT, Peer, header, request

PATH: Final = "/v1/agent/converse"
FRAMES_PER_SECOND: Final = 50
FRAME_BYTES: Final = 640
"""20 ms of linear16 at 16 kHz."""
STAMP_BYTES: Final = 8
"""Of each frame: monotonic nanoseconds at which it was sent."""
TICK_SECONDS: Final = 0.001
"""The event loop's timers are no finer."""
CONNECT_SECONDS: Final = 20.0
AWAIT_ECHO_SECONDS: Final = 1.0
"""How long the last frames may take to come back."""

HEAD: Final = header(BINARY, FRAME_BYTES, masked=True)
TAIL: Final = bytes(FRAME_BYTES - STAMP_BYTES)
LINEAR16: Final = {"encoding": "linear16", "sample_rate": 16000}
SETTINGS: Final = orjson.dumps(
    {
        "type": "Settings",
        "audio": {"input": LINEAR16, "output": {**LINEAR16, "container": "none"}},
        "agent": {},
    }
)


class Tally:
    """What was measured of all sessions together; times in nanoseconds."""

    def __init__(self, frames: int) -> None:
        """`frames`: how many will be sent."""
        self.begin_ns = time.monotonic_ns()
        self.frames = frames
        self.echoed = asyncio.Event()
        """All are back."""
        self.round_trips = array("q")
        """Of each frame."""
        self.lines = array("q")
        """Of each line of text: from the agent to here."""
        self.lateness = array("q")
        """Of each frame: how long after its time it was sent. Our own fault."""


class Caller(Peer):
    """One session."""

    masked = True

    def __init__(self, address: str, tally: Tally) -> None:
        super().__init__()
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the agent has applied our settings; fails when the session ends before."""
        self.ended = ""
        """Why the session is over."""
        self.tally = tally
        self._address = address

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.write(request(self._address, PATH))

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(f"the socket was closed ({exc})")

    def shook_hands(self, head: bytes) -> None:
        if head.startswith(b"HTTP/1.1 101"):
            self.send(TEXT, SETTINGS)
        else:
            self._end(f"refused: {head.decode('latin-1')}")

    def speak(self, late_ns: int) -> None:
        """Send a frame of sound that was due `late_ns` ago."""
        self.tally.lateness.append(late_ns)
        self.transport.write(HEAD + time.monotonic_ns().to_bytes(STAMP_BYTES, "little") + TAIL)

    def heard(self, payload: bytes) -> None:
        now, sent = time.monotonic_ns(), int.from_bytes(payload[:STAMP_BYTES], "little")
        if sent >= self.tally.begin_ns:
            self.tally.round_trips.append(now - sent)
            if len(self.tally.round_trips) == self.tally.frames:
                self.tally.echoed.set()

    def read(self, payload: bytes) -> None:
        now, message = time.monotonic_ns(), orjson.loads(payload)
        match message["type"]:
            case "SettingsApplied" if not self.ready.done():
                self.ready.set_result(None)
            case "ConversationText":
                said = int(message["content"].rpartition(" ")[2])
                if said >= self.tally.begin_ns:
                    self.tally.lines.append(now - said)
            case "Error":
                self._end(f"error {message['code']}: {message['description']}")

    def leave(self) -> None:
        """Close, as a client does that has said all."""
        self.send(CLOSE, (1000).to_bytes(2, "big"))

    def _end(self, why: str) -> None:
        self.ended = self.ended or why
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(why))


class Crowd:
    """The sessions of a run."""

    def __init__(self, address: str) -> None:
        """`address`: host:port of the relay, or of the agent itself."""
        self._address = address
        self._tally = Tally(0)
        self._callers: list[Caller] = []

    async def call(self, count: int) -> None:
        """Connect that many more sessions, all at once. Raises ConnectionError, TimeoutError."""
        host, port = self._address.split(":")
        loop, callers = asyncio.get_running_loop(), []
        async with asyncio.timeout(CONNECT_SECONDS):
            for _ in range(count):
                _, caller = await loop.create_connection(
                    lambda: Caller(self._address, self._tally), host, int(port)
                )
                callers.append(caller)
            await asyncio.gather(*(caller.ready for caller in callers))
        self._callers += callers

    async def talk(self, seconds: float) -> Tally:
        """All sessions speak, evenly one after the other. Raises ConnectionError when one was cut off."""
        self._tally = Tally(int(seconds * FRAMES_PER_SECOND) * len(self._callers))
        for caller in self._callers:
            caller.tally = self._tally
        await _keep_pace(self._callers, self._tally.frames)
        return self._tally

    async def await_echo(self) -> None:
        """Wait until all is back that was sent, or for a second."""
        with suppress(TimeoutError):
            async with asyncio.timeout(AWAIT_ECHO_SECONDS):
                await self._tally.echoed.wait()
        if ended := next((caller.ended for caller in self._callers if caller.ended), ""):
            raise ConnectionError(f"a session did not last: {ended}")

    def leave(self) -> None:
        """All sessions close."""
        for caller in self._callers:
            caller.leave()


async def _keep_pace(callers: Sequence[Caller], total: int) -> None:
    """Frame k belongs to session k mod n and is due k/n of a frame's time after the start."""
    begin, step = time.monotonic_ns(), 1_000_000_000 // (FRAMES_PER_SECOND * len(callers))
    sent = 0
    while sent < total:
        now = time.monotonic_ns()
        while sent < total and (late := now - begin - sent * step) >= 0:
            callers[sent % len(callers)].speak(late)
            sent += 1
        await asyncio.sleep(TICK_SECONDS)
