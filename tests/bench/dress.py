"""How a frame of sound looks on its way: bytes as they are, or base64 in JSON; made but for its time."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

FRAMES_PER_SECOND: Final = 50
FRAME_BYTES: Final = 640
"""20 ms of linear16 at 16 kHz."""
STAMP_BYTES: Final = 8
"""At the start of each frame: monotonic nanoseconds at which it was sent."""
STAMP_CHARS: Final = 12
"""The same in base64, with one byte of sound."""

APPEND: Final = "input_audio_buffer.append"
"""Type of a message with sound in `audio`, from the client."""
DELTA: Final = "response.audio.delta"
"""Type of a message with sound in `delta`, from the agent."""

TEXT, BINARY = 1, 2
"""Opcodes of RFC 6455."""
MASK: Final = 0x5A
"""All four bytes of the mask: so it is the same wherever the time stands."""
MASKED: Final = bytes(byte ^ MASK for byte in range(256))
STAMP_MASK: Final = int.from_bytes(bytes([MASK]) * STAMP_BYTES, "little")


@dataclass(frozen=True, slots=True)
class Dress:
    """What callers and agent speak in."""

    name: str
    frame: Callable[[int], bytes]
    """A whole WebSocket frame of sound that is sent at that time, as a client masks it."""


def header(opcode: int, size: int) -> bytes:
    """What stands before a client's payload of 126 to 65535 bytes."""
    return bytes((0x80 | opcode, 0x80 | 126)) + size.to_bytes(2, "big") + bytes([MASK]) * 4


HEAD: Final = header(BINARY, FRAME_BYTES)
TAIL: Final = bytes(FRAME_BYTES - STAMP_BYTES).translate(MASKED)


def plain(now: int) -> bytes:
    return HEAD + (now ^ STAMP_MASK).to_bytes(STAMP_BYTES, "little") + TAIL


def _in_json() -> Callable[[int], bytes]:
    rest = b2a_base64(bytes(FRAME_BYTES - STAMP_BYTES - 1), newline=False)
    before, after = b'{"type":"%s","audio":"' % APPEND.encode(), rest + b'"}'
    head = header(TEXT, len(before) + STAMP_CHARS + len(after)) + before.translate(MASKED)
    tail = after.translate(MASKED)

    def frame(now: int) -> bytes:
        stamp = b2a_base64(now.to_bytes(STAMP_BYTES + 1, "little"), newline=False)
        return head + stamp.translate(MASKED) + tail

    return frame


def stamp_in(sound: str) -> int:
    """The time in a frame's sound, which is base64."""
    return int.from_bytes(a2b_base64(sound[:STAMP_CHARS])[:STAMP_BYTES], "little")


PLAIN: Final = Dress("binary", plain)
JSON: Final = Dress("base64 in JSON", _in_json())
