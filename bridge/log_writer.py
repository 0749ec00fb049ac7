"""Writes log lines from a thread of its own: whoever reads them slowly, or not at all, delays no talk."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

MOST_BYTES = 4 << 20
"""Of lines that wait to be written at most; what comes then is lost, and counted."""
CLOSE_SECONDS = 2.0
"""How long the last lines are waited for."""


class LogWriter:
    """A context manager; what waits is written when it is left. Used from any thread."""

    def __init__(self, descriptor: int, lost: Callable[[int], str]) -> None:
        """`descriptor`: of a file. `lost` makes the line that tells how many were lost."""
        # Not a stream: one that a thread still writes to cannot be closed when the process ends.
        self._descriptor = descriptor
        self._lost_line = lost
        self._lines: deque[bytes] = deque()
        self._size = 0
        """Bytes that are not written yet."""
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
        raw = f"{line}\n".encode("utf-8", "replace")
        with self._changed:
            if self._size + len(raw) > MOST_BYTES:
                self._lost += 1
                return
            if self._lost:
                raw = f"{self._lost_line(self._lost)}\n".encode() + raw
                self._lost = 0
            self._lines.append(raw)
            self._size += len(raw)
            self._changed.notify()

    def _run(self) -> None:
        while batch := self._take():
            rest = memoryview(batch)
            while rest:
                written = self._write(rest)
                rest = rest[written:]
                with self._changed:
                    self._size -= written

    def _write(self, raw: memoryview) -> int:
        """How much of it is done with. What cannot be written is lost: a full disk must not end a talk."""
        try:
            return os.write(self._descriptor, raw)
        except OSError:
            return len(raw)

    def _take(self) -> bytes:
        """All that waits, as soon as there is something; nothing: it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._closed)
            batch = b"".join(self._lines)
            self._lines.clear()
            return batch
