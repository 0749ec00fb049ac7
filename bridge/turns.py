"""How long another thread may keep the event loop waiting: journal, store and log have one each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

TURN_SECONDS: Final = 0.0005
"""Python's own 5 ms, several times in a row, are heard as a gap in the sound."""


@contextmanager
def short_turns() -> Iterator[None]:
    """For this process, as long as it lasts."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
