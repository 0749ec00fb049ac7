"""Writes log lines from a thread of its own: whoever reads them slowly, or not at all, delays no talk."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

MOST_BYTES = 4 << 20
"""Characters of lines that wait to be written at most; what comes then is lost, and counted."""
CLOSE_SECONDS = 2.0
"""How long the last lines are waited for."""


class LogWriter:
    """A context manager; what waits is written when it is left. Used from any thread."""

    def __init__(self, descriptor: int, lost: Callable[[int], str]) -> None:
        """`descriptor`: of a file. `lost` makes the line that tells how many were lost."""
        # Not a stream: one that a thread still writes to cannot be closed when the process ends.
        self._descriptor = descriptor
        self._lost_line = lost
        self._lines: deque[str] = deque()
        self._size = 0
        self._lost = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(CLOSE_SECONDS)

    def __call__(self, line: str) -> None:
        """Queue a line, without waiting."""
        with self._changed:
            if self._size + len(line) > MOST_BYTES:
                self._lost += 1
                return
            if self._lost:
                line = f"{self._lost_line(self._lost)}\n{line}"
                self._lost = 0
            self._lines.append(line)
            self._size += len(line)
            self._changed.notify()

    def _run(self) -> None:
        while batch := self._take():
            rest = memoryview("".join(f"{line}\n" for line in batch).encode("utf-8", "replace"))
            with suppress(OSError):  # a full disk must not end a talk
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]

    def _take(self) -> list[str]:
        """All that waits, as soon as there is something; nothing: it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._closed)
            batch = list(self._lines)
            self._lines.clear()
            self._size = 0
            return batch
