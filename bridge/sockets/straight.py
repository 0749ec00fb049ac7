# cython: language_level=3, annotation_typing=False, auto_pickle=False
"""What each frame of sound passes through on a socket: from picows' parser straight into another socket.

Compiled where there is a C compiler (straight.pxd says which types it has then), and the same without.
"""

from __future__ import annotations

from picows import picows

from bridge.ports import Credit
from bridge.sockets.closed import TakeMessage

BINARY = picows.WSMsgType.BINARY
COPIED = 8192
"""Bytes of a message that picows copies, header and all, into one write."""
HEADER = 14
"""Bytes of the longest header of a frame."""


class Straight(picows.WSListener):
    """Writes sound, and sends on what comes as long as there is credit for it; ADR 14."""

    def __init__(self, take: TakeMessage) -> None:
        """`take` gets each message there is no credit for."""
        self.transport: picows.WSTransport | None = None
        """picows' own; None before the handshake."""
        self._take = take
        self._credit: Credit | None = None
        """Lets sound go on without `_take`."""
        self._passing = True
        """It is open, and no message comes in pieces."""
        self._full = True
        """A write would have to wait, or would come to nothing."""

    def write(self, sound: bytes) -> bool:
        """Write one binary frame now; False: it would have to wait, or the socket is going."""
        if self._full:
            return False
        assert self.transport is not None
        if len(sound) <= COPIED:
            self.transport.send(BINARY, sound)
        else:
            self._put(BINARY, sound)
        return True

    def _put(self, kind: picows.WSMsgType, message: bytes) -> None:
        """Of a long message picows would queue a header of its own that the next one overwrites (2.3)."""
        assert self.transport is not None
        if len(message) <= COPIED:
            self.transport.send(kind, message)
        else:
            self.transport.send_reuse_external_bytearray(kind, bytearray(HEADER) + message, HEADER)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """A frame is there; what it points at is gone when this returns."""
        reserved = frame.rsv1 or frame.rsv2 or frame.rsv3
        try:
            if frame.msg_type == BINARY and self._passing and frame.fin and not reserved:
                sound, credit = frame.get_payload_as_bytes(), self._credit
                size = len(sound)
                if (
                    credit is not None
                    and credit.frames < credit.most
                    and size
                    and not size & credit.odd
                    and credit.write(sound)
                ):
                    credit.frames += 1
                    credit.bytes += size
                    if credit.keep is not None:
                        credit.keep(sound)
                else:
                    self._credit = self._take(sound)
            else:
                self._other(frame, reserved=reserved)
        except Exception as fault:
            self._break(fault)

    def _other(self, frame: picows.WSFrame, *, reserved: bool) -> None:
        """Not a whole message of sound."""
        raise NotImplementedError

    def _break(self, fault: Exception) -> None:
        """A fault of ours, which picows would swallow."""
        raise NotImplementedError
