# cython: language_level=3, annotation_typing=False, auto_pickle=False
"""Leave to send sound straight from one socket into another, some frames at a time."""

from __future__ import annotations

from collections.abc import Callable

MOST_FRAMES = 32
"""Frames that may go straight until somebody looks again: most of a second."""
MOST_BYTES = 4096
"""A frame that goes straight has fewer: 20 ms of sound at 48 kHz have 1,920. A power of two."""


class Credit:
    """Whoever brings sound may write so many more frames itself, and counts them.

    The end that is written to gives it; whoever sits between two ends counts what was spent and may take it
    back at any time; the other end spends it. A frame that goes straight costs two calls instead of eight;
    compiled (ADR 15) it does not enter the interpreter.
    """

    __slots__ = ("bytes", "frames", "keep", "most", "odd", "write")

    def __init__(self, write: Callable[[bytes], bool], sample: int = 1) -> None:
        """`write`: see ports.Direct. `sample`: bytes of a sample, 1 or 2; frames hold whole ones."""
        self.write = write
        self.odd = -MOST_BYTES | (sample - 1)
        """Bits that the size of a frame must not have: it would be too long, or hold half a sample."""
        self.most = MOST_FRAMES
        self.frames = 0
        """How many went,"""
        self.bytes = 0
        """and what they had together."""
        self.keep: Callable[[bytes], object] | None = None
        """Gets each frame that went."""

    def revoke(self) -> None:
        """Nothing goes straight any more."""
        self.most = 0
