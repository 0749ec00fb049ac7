"""Cuts sound as it comes, in pieces of any length, into whole samples or into frames of one size."""


class FrameSplitter:
    """Cuts a byte stream into frames of one size, whatever pieces it comes in; what is left waits for more.

    With an even `size` a 16-bit sample is never split, even when a network piece ends in the middle of one.
    """

    def __init__(self, size: int) -> None:
        """`size`: bytes of one frame; for PCM16 a multiple of 2."""
        if size < 1:
            raise ValueError("a frame has at least one byte")
        self._size = size
        self._rest = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """Take a piece of any length; return the frames that are complete now, oldest first."""
        data = self._rest + piece
        end = len(data) - len(data) % self._size
        self._rest = data[end:]
        return [data[at : at + self._size] for at in range(0, end, self._size)]

    def flush(self) -> bytes:
        """Take out what is left (shorter than a frame) and start anew."""
        rest, self._rest = self._rest, b""
        return rest


class WholeSamples:
    """Passes sound on in whole samples: the bytes of a half one wait for the rest of it."""

    __slots__ = ("half", "size")

    def __init__(self, size: int = 2) -> None:
        """`size`: bytes of a sample; 2 for PCM16, 1 for G.711, which passes as it is."""
        self.size = size
        self.half = b""
        """What waits."""

    def is_whole(self, piece: bytes) -> bool:
        """The piece may pass as it is."""
        return not (self.half or len(piece) % self.size)

    def feed(self, piece: bytes) -> bytes:
        """Take bytes of any length; return whole samples, perhaps none."""
        if self.is_whole(piece):
            return piece
        data = self.half + piece
        end = len(data) - len(data) % self.size
        self.half = data[end:]
        return data[:end]

    def reset(self) -> None:
        """A new stretch of sound begins: half a sample of the old one is void."""
        self.half = b""
