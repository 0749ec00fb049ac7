"""How many of its file descriptors the process uses: without one no socket can be taken."""

from __future__ import annotations

import os
import resource
from pathlib import Path

OPEN = Path("/proc/self/fd") if Path("/proc/self/fd").exists() else Path("/dev/fd")


def used_descriptors() -> float:
    """The share of those it may have that are open, from 0 to 1."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return 0.0
    try:
        return len(os.listdir(OPEN)) / most
    except OSError:  # none is left to look with
        return 1.0
