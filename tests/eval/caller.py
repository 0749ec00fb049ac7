"""Somebody who talks to the bridge: a microphone that never stops, an ear that notes when what came."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.eval.voices import RATE, Spoken, loud_samples
from tests.support.client import SETTINGS, Frame

FRAME_SECONDS = 0.02
FRAME_BYTES = int(RATE * FRAME_SECONDS) * 2
AGENT_RATE = 24_000
PAUSE_SECONDS = 0.4
"""Silence before a sentence."""
IDLE_SECONDS = 8.0
"""Nothing came for that long after the sentence: nothing will."""
LONGEST_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What the agent did after one turn."""

    answered: bool
    """It said something and ended."""
    heard: tuple[str, ...]
    """User text, as the record has it."""
    said: tuple[str, ...]
    done: int
    """Function calls that were done."""
    first_byte: float | None
    """Seconds from the end of speech to the first byte of the agent's sound; None when it spoke too early."""
    first_sound: float | None
    """The same to its first loud sample, played as it comes."""
    stages: Frame
    """Deepgram: `LatencyReport`."""

    @property
    def asks(self) -> bool:
        return any("?" in line for line in self.said)


@dataclass(slots=True)
class Caller:
    """One socket. `talk` or `write`, then `reply`."""

    socket: ClientConnection
    frames: list[tuple[float, Frame]] = field(default_factory=list)
    sound: list[tuple[float, bytes]] = field(default_factory=list)
    ended: float = 0.0
    """When the last loud sample was sent, or the text."""
    closed: bool = False
    _queue: bytearray = field(default_factory=bytearray)
    """Speech the microphone has not sent yet."""
    _until_loud: int = 0
    """Bytes of it up to its last loud sample."""
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def settle(self) -> None:
        """Say how sound is sent and wait until it is accepted; no greeting is asked for."""
        await self.socket.send(json.dumps(SETTINGS))
        async with asyncio.timeout(20):
            await self._until(lambda: any(f["type"] == "SettingsApplied" for _, f in self.frames))

    async def talk(self, spoken: Spoken) -> None:
        """Say it into the microphone; returns when speech has ended."""
        self.forget()
        await asyncio.sleep(PAUSE_SECONDS)
        self._until_loud = spoken.last_loud * 2 + 2
        self._queue += spoken.pcm
        async with asyncio.timeout(len(spoken.pcm) / RATE / 2 + 10):
            await self._ended.wait()

    async def write(self, text: str) -> None:
        """Type it."""
        self.forget()
        self.ended = self._now()
        await self.socket.send(json.dumps({"type": "InjectUserMessage", "content": text}))

    async def reply(self) -> Reply:
        """Wait until the agent has answered and its sound has been played, or nothing comes any more."""
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                while not (answered := self._answered()) and not self.closed and await self._came():
                    pass
        except TimeoutError:
            answered = False
        heard = self.sound_after()
        if heard:
            await asyncio.sleep(max(0.0, heard[0][0] + _seconds(heard) - self._now()))
        return self._reply(answered)

    def forget(self) -> None:
        """What came so far is not of interest any more."""
        self.frames.clear()
        self.sound.clear()
        self._ended.clear()

    def sound_after(self) -> list[tuple[float, bytes]]:
        """The agent's sound since the end of speech."""
        return [(at, piece) for at, piece in self.sound if at >= self.ended]

    def _answered(self) -> bool:
        """It has said something since, and then was done."""
        types = [(f["type"], f.get("role")) for at, f in self.frames if at >= self.ended]
        if ("ConversationText", "assistant") not in types:
            return False
        said = types.index(("ConversationText", "assistant"))
        return ("AgentAudioDone", None) in types[said:]

    def _reply(self, answered: bool) -> Reply:
        frames = [frame for _, frame in self.frames]
        texts = [(f["role"], str(f["content"])) for f in frames if f["type"] == "ConversationText"]
        results = [f for f in frames if f["type"] == "FunctionCallResponse" and f["status"] == "done"]
        heard = self.sound_after()
        early = any(at < self.ended for at, _ in self.sound)
        begin = heard[0][0] - self.ended if heard and not early else None
        loud = loud_samples(b"".join(piece for _, piece in heard))
        reports = [f for f in frames if f["type"] == "LatencyReport"]
        return Reply(
            answered,
            tuple(text for role, text in texts if role == "user"),
            tuple(text for role, text in texts if role == "assistant"),
            len(results),
            begin,
            begin + int(loud[0]) / AGENT_RATE if begin is not None and loud.size else None,
            reports[-1] if reports else {},
        )

    # ── its microphone and its ear ───────────────────────────────────────────────────────────────────

    async def microphone(self) -> None:
        """Send a frame every 20 ms, speech or silence, until the socket is closed."""
        due = self._now()
        try:
            while True:
                await self.socket.send(self._next_frame())
                if self._until_loud > 0 and (self._until_loud - FRAME_BYTES) <= 0:
                    self.ended = self._now()
                    self._ended.set()
                self._until_loud = max(0, self._until_loud - FRAME_BYTES)
                due += FRAME_SECONDS
                await asyncio.sleep(max(0.0, due - self._now()))
        except ConnectionClosed:
            return

    def _next_frame(self) -> bytes:
        frame = bytes(self._queue[:FRAME_BYTES])
        del self._queue[:FRAME_BYTES]
        return frame.ljust(FRAME_BYTES, b"\0")

    async def listen(self) -> None:
        """Note what comes until the socket is closed."""
        try:
            async for frame in self.socket:
                if isinstance(frame, bytes):
                    self.sound.append((self._now(), frame))
                else:
                    self.frames.append((self._now(), json.loads(frame)))
                self._changed.set()
        except ConnectionClosed:
            pass
        self.closed = True
        self._changed.set()

    async def _came(self) -> bool:
        """Wait until something comes; False when nothing does."""
        self._changed.clear()
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            if self.closed:
                raise ConnectionError("the bridge closed the socket")
            self._changed.clear()
            await self._changed.wait()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _seconds(pieces: list[tuple[float, bytes]]) -> float:
    return sum(len(piece) for _, piece in pieces) / 2 / AGENT_RATE


@asynccontextmanager
async def calling(url: str, token: str, *, microphone: bool) -> AsyncIterator[Caller]:
    """A caller whose settings are accepted; hangs up when the block is left."""
    offered = [Subprotocol("bearer"), Subprotocol(token)]
    async with (
        connect(url, subprotocols=offered, compression=None, proxy=None, close_timeout=1) as socket,
        asyncio.TaskGroup() as group,
    ):
        caller = Caller(socket)
        group.create_task(caller.listen(), name="ear")
        try:
            await caller.settle()
            if microphone:
                group.create_task(caller.microphone(), name="microphone")
            yield caller
        finally:
            await socket.close()
