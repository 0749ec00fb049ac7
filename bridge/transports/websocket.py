"""One client on Starlette's WebSocket: the plain way, by which the others are judged."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from bridge.core.commands import News
from bridge.core.events import ClientLeft
from bridge.errors import PeerGone
from bridge.ports import Take
from bridge.transports.client_frames import ClientFrames, TurnedAway, clipped

WRITE = "bridge.write"
"""The extension of an ASGI scope that writes a binary frame at once: bridge/serving.py."""
CLOSE_SECONDS = 1.0
"""How long the closing handshake may take."""
FRAMES_IN_A_ROW = 8
"""Frames that are read before others have their turn, however many are there."""

GONE = (WebSocketDisconnect, RuntimeError, OSError, TimeoutError)
"""All that Starlette and uvicorn raise on a socket that is gone, closed or stuck."""


class WebSocketTransport:
    """ports.Transport on Starlette's WebSocket, which must be accepted already.

    Frames above 64 KiB get an `Error` and close 1009; above uvicorn's `ws_max_size` uvicorn closes by itself.
    Text frames beyond 100 a second and sound frames beyond 1,000 are dropped and told; when it goes on, close
    1008.
    """

    stays = False

    def __init__(self, websocket: WebSocket, frames: ClientFrames | None = None) -> None:
        self._websocket = websocket
        self._write: Callable[[bytes], bool] | None = websocket.scope["extensions"].get(WRITE)
        self._frames = frames or ClientFrames()
        self._closed = False

    # ── from the client ────────────────────────────────────────────────────────────────────────────────

    async def read(self, take: Take) -> None:
        """Bring sound and events until the socket is gone; `ClientLeft` last."""
        for count in itertools.count(1):
            if count % FRAMES_IN_A_ROW == 0:
                await asyncio.sleep(0)  # `receive` does not wait while there are frames
            try:
                message = await self._websocket.receive()
            except GONE:
                take(ClientLeft())
                return
            if message["type"] == "websocket.disconnect":
                take(ClientLeft(_close_code(message)))
                return
            frame = message.get("bytes")
            read = self._frames.read(message["text"] if frame is None else frame)
            if isinstance(read, TurnedAway):
                take(await self._turn_away(read))
                return
            if read is not None:
                take(read)

    async def _turn_away(self, away: TurnedAway) -> ClientLeft:
        """Tell the client why, and close. An ASGI message is sent whole: it cannot mix with others."""
        with suppress(PeerGone):
            await self.send(away.failed)
        await self.close(away.code, away.failed.description)
        return ClientLeft(away.code)

    # ── to the client ──────────────────────────────────────────────────────────────────────────────────

    async def send(self, frame: bytes | News) -> None:
        """Write one frame. Raises PeerGone when the socket is gone.

        One that takes nothing for 5 s is cut, and so gone, by whoever serves it: bridge/serving.py.
        """
        written = self._frames.write(frame)
        if written is None:
            return
        kind = "bytes" if isinstance(written, bytes) else "text"
        try:
            await self._websocket.send({"type": "websocket.send", kind: written})
        except GONE as error:
            raise PeerGone(f"the client's socket is gone: {type(error).__name__}") from error

    def tell(self, news: News) -> bool:
        """See ports.Transport. Starlette writes nothing without waiting."""
        return False

    def write(self, sound: bytes) -> bool:
        """See ports.Direct."""
        return self._write is not None and self._frames.is_whole(sound) and self._write(sound)

    def credit(self) -> None:
        """See ports.Direct."""

    async def close(self, code: int, reason: str) -> None:
        """Close the socket within 1 s; never raises, may be called twice."""
        if self._closed:
            return
        self._closed = True
        with suppress(*GONE):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._websocket.close(code, clipped(reason))


def _close_code(message: MutableMapping[str, Any]) -> int:
    """1006 for a lost connection: uvicorn says 1005 then too, but gives a reason only with a real close."""
    code = int(message.get("code", 1005))
    return 1006 if code == 1005 and "reason" not in message else code
