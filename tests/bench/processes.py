"""Processes we start and measure: each on a core of its own, and gone when we are."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

START_SECONDS = 30.0
POLL_SECONDS = 0.02
_LINUX = sys.platform.startswith("linux")
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Cores:
    """Who runs where; None: wherever the system likes."""

    relay: int | None
    load: int | None
    """The load generator."""
    agent: int | None
    """The same as the load generator's where there are two in all."""


def cores() -> Cores:
    """One each, as far as there are enough and the system lets us choose."""
    if _LINUX and len(mine := sorted(os.sched_getaffinity(0))) > 1:
        return Cores(mine[0], mine[1], mine[2] if len(mine) > 2 else mine[1])
    return Cores(None, None, None)


def allow_many_sockets() -> None:
    """As many as the system lets us have; the processes we start have them too."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def pin(core: int | None) -> None:
    """Run this process on that core alone."""
    if _LINUX and core is not None:
        os.sched_setaffinity(0, {core})


@contextmanager
def started(
    command: Sequence[str],
    address: Callable[[str], str | None],
    *,
    core: int | None,
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[tuple[int, str]]:
    """Start it and wait until `address` finds its host:port in what it printed: (pid, host:port).

    What it prints goes to `log`. It is killed on leaving, and by the system when we are killed.
    """
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, env=environment, stdout=output, stderr=output, preexec_fn=partial(_prepare, core)
        ) as process,
    ):
        try:
            yield process.pid, _await_address(process, address, log)
        finally:
            process.kill()


def _prepare(core: int | None) -> None:
    """In the child, before its program."""
    pin(core)
    if _LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _await_address(process: subprocess.Popen[bytes], address: Callable[[str], str | None], log: Path) -> str:
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        if found := address(log.read_text(errors="replace")):
            return found
        time.sleep(POLL_SECONDS)
    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text(errors='replace')}")


def cpu_seconds(pid: int) -> float:
    """Processor time it has used, all threads."""
    if _LINUX:
        # clock_getcpuclockid(3): nanoseconds, where /proc counts in hundredths of a second.
        return time.clock_gettime((~pid << 3) | 2)
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def resident_bytes(pid: int) -> int:
    """Its memory (RSS)."""
    return int(psutil.Process(pid).memory_info().rss)
