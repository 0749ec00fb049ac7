"""One client on a picows socket: what it sends is taken in the moment it is parsed."""

from __future__ import annotations

from bridge.core.commands import News
from bridge.core.events import ClientLeft
from bridge.ports import Credit, Take
from bridge.sockets.picows import PicowsSocket
from bridge.transports.client_frames import ClientFrames, TurnedAway, clipped

SOCKET = "bridge.socket"
"""The extension of an ASGI scope that holds an accepted PicowsSocket: bridge/serving.py."""


class PicowsTransport:
    """ports.Transport. The same limits as WebSocketTransport's."""

    stays = True

    def __init__(self, socket: PicowsSocket, frames: ClientFrames | None = None) -> None:
        self._socket = socket
        self._frames = frames or ClientFrames()

    async def read(self, take: Take) -> None:
        """Bring sound and events until the socket is gone; `ClientLeft` last."""

        frames = self._frames

        def arrived(frame: bytes | str) -> Credit | None:
            if isinstance(frame, bytes) and frames.passes(frame):
                return frames.bound(take(frame))
            read = frames.read(frame)
            if isinstance(read, TurnedAway):
                self._turn_away(read)
            elif read is not None:
                take(read)
            return None

        closed = await self._socket.read(arrived)
        take(ClientLeft(closed.code))

    def _turn_away(self, away: TurnedAway) -> None:
        told = self._frames.write(away.failed)
        if isinstance(told, str):
            self._socket.tell(told)
        self._socket.hang_up(away.code, clipped(away.failed.description))

    async def send(self, frame: bytes | News) -> None:
        """Write one frame. Raises PeerGone when the socket is gone, as one is that takes nothing for 5 s."""
        if (written := self._frames.write(frame)) is not None:
            await self._socket.send(written)

    def tell(self, news: News) -> bool:
        """See ports.Transport."""
        written = self._frames.write(news)
        return not isinstance(written, str) or self._socket.write_text(written)

    def write(self, sound: bytes) -> bool:
        """See ports.Direct."""
        return self._frames.is_whole(sound) and self._socket.write(sound)

    def credit(self) -> Credit:
        """See ports.Direct."""
        return Credit(self._socket.write, self._frames.sample_bytes)

    async def close(self, code: int, reason: str) -> None:
        """Close the socket within 1 s; never raises, may be called twice."""
        await self._socket.close(code, clipped(reason))
