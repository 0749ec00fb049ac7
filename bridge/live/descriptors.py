"""How many of its file descriptors the process uses: without one no socket can be taken."""

from __future__ import annotations

import os
import resource
from pathlib import Path

LINUX, OTHERS = Path("/proc/self/fd"), Path("/dev/fd")
"""Where they are listed."""


def used_descriptors() -> float:
    """The share of those it may have that are open, from 0 to 1."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return 0.0
    try:
        return _count() / most
    except OSError:  # none is left to look with
        return 1.0


def _count() -> int:
    if not LINUX.exists():
        return len(os.listdir(OTHERS))
    # Since 6.2 it says how many there are; to list a thousand takes a millisecond.
    return LINUX.stat().st_size or len(os.listdir(LINUX))
