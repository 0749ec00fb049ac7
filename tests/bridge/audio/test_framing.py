"""Sound cut into frames and whole samples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.framing import FrameSplitter, WholeSamples


@given(st.lists(st.binary(max_size=50)), st.integers(1, 40))
def test_frames_hold_every_byte_in_order_whatever_the_pieces(pieces: list[bytes], size: int) -> None:
    splitter = FrameSplitter(size)
    frames = [frame for piece in pieces for frame in splitter.feed(piece)]
    assert {len(frame) for frame in frames} <= {size}
    rest = splitter.flush()
    assert len(rest) < size
    assert b"".join(frames) + rest == b"".join(pieces)


@given(st.lists(st.binary(max_size=9)), st.integers(1, 4))
def test_a_sample_is_never_split_and_only_the_last_half_is_kept_back(pieces: list[bytes], size: int) -> None:
    whole = WholeSamples(size)
    passed = [whole.feed(piece) for piece in pieces]
    assert all(len(part) % size == 0 for part in passed)
    together = b"".join(pieces)
    assert b"".join(passed) == together[: len(together) - len(together) % size]


def test_what_is_left_of_a_sample_is_not_put_before_a_new_stretch_of_sound() -> None:
    whole = WholeSamples()
    assert whole.feed(b"abc") == b"ab"
    assert not whole.is_whole(b"de")
    whole.reset()
    assert whole.is_whole(b"de")
    assert whole.feed(b"de") == b"de"


def test_a_frame_without_a_size_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        FrameSplitter(0)
