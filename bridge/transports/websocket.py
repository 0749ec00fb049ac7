"""One client on a WebSocket: browsers, apps, stock Deepgram SDKs."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from bridge import wire
from bridge.audio.framing import WholeSamples
from bridge.core.commands import Failed, News
from bridge.core.events import (
    AgentAudioDone,
    ClientErred,
    ClientLeft,
    ClientSettings,
    PeerEvent,
    UserStartedSpeaking,
)
from bridge.core.model import AudioFormat
from bridge.errors import PeerGone

WRITE = "bridge.write"
"""The extension of an ASGI scope that writes a binary frame at once: bridge/serving.py."""
MAX_FRAME_BYTES = 64 * 1024
"""Of a frame of a client's, text or sound."""
CLOSE_SECONDS = 1.0
"""How long the closing handshake may take."""
MESSAGES_PER_SECOND = 100
"""Text frames a client may send, and how many at once."""
SOUNDS_PER_SECOND = 1000
"""Binary frames a client may send; 20 ms to a frame are 50."""
SOUNDS_AT_ONCE = 10 * SOUNDS_PER_SECOND
"""Binary frames that may come at once, after the network stood still for example."""
MAX_IGNORED = 100
"""Frames beyond that, over the life of the socket, before it is closed."""
FRAMES_IN_A_ROW = 8
"""Frames that are read before others have their turn, however many are there."""

QUOTA = ClientErred(
    "BRIDGE_QUOTA",
    f"more than {MESSAGES_PER_SECOND} messages or {SOUNDS_PER_SECOND} frames of sound a second; "
    "some were not taken",
)
TOO_BIG = Failed("UNPARSABLE_CLIENT_MESSAGE", f"a frame may have {MAX_FRAME_BYTES} bytes")

GONE = (WebSocketDisconnect, RuntimeError, OSError, TimeoutError)
"""All that Starlette and uvicorn raise on a socket that is gone, closed or stuck."""


class WebSocketTransport:
    """ports.Transport on Starlette's WebSocket, which must be accepted already.

    Frames above 64 KiB get an `Error` and close 1009; above uvicorn's `ws_max_size` uvicorn closes by itself.
    Text frames beyond 100 a second and sound frames beyond 1,000 are dropped and told; when it goes on, close
    1008.
    """

    def __init__(self, websocket: WebSocket, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._websocket = websocket
        self._write: Callable[[bytes], bool] | None = websocket.scope["extensions"].get(WRITE)
        self._messages = _Allowance(MESSAGES_PER_SECOND, MESSAGES_PER_SECOND, clock)
        self._sounds = _Allowance(SOUNDS_PER_SECOND, SOUNDS_AT_ONCE, clock)
        self._ignored = 0
        self._settled = False
        self._from_client = WholeSamples(1)
        self._to_client = WholeSamples(1)
        self._closed = False

    # ── from the client ────────────────────────────────────────────────────────────────────────────────

    async def frames(self) -> AsyncIterator[bytes | PeerEvent]:
        """Sound and events until the socket is gone; `ClientLeft` last.

        Its caller must never keep it waiting: pings and pongs are read behind it.
        """
        for count in itertools.count(1):
            if count % FRAMES_IN_A_ROW == 0:
                await asyncio.sleep(0)  # `receive` does not wait while there are frames
            try:
                message = await self._websocket.receive()
            except GONE:
                yield ClientLeft()
                return
            if message["type"] == "websocket.disconnect":
                yield ClientLeft(_close_code(message))
                return
            frame = message.get("bytes")
            if frame is None:
                frame = message["text"]
            if _size(frame) > MAX_FRAME_BYTES:
                yield await self._turn_away(TOO_BIG, 1009)
                return
            if (read := self._read(frame)) is not None:
                yield read
            if self._ignored > MAX_IGNORED:
                yield await self._turn_away(Failed(QUOTA.code, QUOTA.description), 1008)
                return

    def _read(self, frame: bytes | str) -> bytes | PeerEvent | None:
        allowance = self._sounds if isinstance(frame, bytes) else self._messages
        if not allowance.take():
            self._ignored += 1
            return QUOTA if self._ignored == 1 else None
        return (self._from_client.feed(frame) or None) if isinstance(frame, bytes) else self._event(frame)

    def _event(self, text: str) -> PeerEvent:
        event = wire.read(text)
        if isinstance(event, ClientSettings) and not self._settled:
            self._settled = True
            self._from_client = _samples_of(event.audio_in)
            self._to_client = _samples_of(event.audio_out)
        return event

    async def _turn_away(self, failed: Failed, code: int) -> ClientLeft:
        """Tell the client why, and close. An ASGI message is sent whole: it cannot mix with others."""
        with suppress(PeerGone):
            await self.send(failed)
        await self.close(code, failed.description)
        return ClientLeft(code)

    # ── to the client ──────────────────────────────────────────────────────────────────────────────────

    async def send(self, frame: bytes | News) -> None:
        """Write one frame. Raises PeerGone when the socket is gone.

        One that takes nothing for 5 s is cut, and so gone, by whoever serves it: bridge/serving.py.
        """
        message = self._written(frame)
        if message is None:
            return
        try:
            await self._websocket.send(message)
        except GONE as error:
            raise PeerGone(f"the client's socket is gone: {type(error).__name__}") from error

    def write(self, sound: bytes) -> bool:
        """See ports.Direct."""
        return self._write is not None and self._to_client.is_whole(sound) and self._write(sound)

    def _written(self, frame: bytes | News) -> dict[str, object] | None:
        if isinstance(frame, bytes):
            sound = self._to_client.feed(frame)
            return {"type": "websocket.send", "bytes": sound} if sound else None
        if isinstance(frame, AgentAudioDone | UserStartedSpeaking):
            self._to_client.reset()
        text = wire.write(frame)
        return None if text is None else {"type": "websocket.send", "text": text}

    async def close(self, code: int, reason: str) -> None:
        """Close the socket within 1 s; never raises, may be called twice."""
        if self._closed:
            return
        self._closed = True
        with suppress(*GONE):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._websocket.close(code, _clipped(reason))


class _Allowance:
    """How many frames a client may still send now: a token bucket."""

    __slots__ = ("_clock", "_left", "_most", "_per_second", "_since")

    def __init__(self, per_second: float, most: float, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._most = self._left = most
        self._clock = clock
        self._since = clock()

    def take(self) -> bool:
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._since) * self._per_second)
        self._since = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def _samples_of(audio: AudioFormat) -> WholeSamples:
    return WholeSamples(2 if audio.encoding == "linear16" else 1)


def _size(frame: bytes | str) -> int:
    """Bytes it had on the wire."""
    if isinstance(frame, bytes) or frame.isascii():
        return len(frame)
    return len(frame.encode("utf-8", "replace"))


def _close_code(message: MutableMapping[str, Any]) -> int:
    """1006 for a lost connection: uvicorn says 1005 then too, but gives a reason only with a real close."""
    code = int(message.get("code", 1005))
    return 1006 if code == 1005 and "reason" not in message else code


def _clipped(reason: str) -> str:
    """At most the 123 bytes a close frame holds."""
    return reason.encode("utf-8", "replace")[:123].decode("utf-8", "ignore")
