"""The processes that hear: started when first needed, shared by all sessions, gone with the server.

One loop, one crew. A process serves many utterances at a time; their frames go down its standard input, the
results come back through a callback of the event loop, so nothing here is a task and nothing blocks.
"""

import asyncio
import itertools
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import structlog

from bridge.errors import UpstreamFailed
from bridge.upstreams.cascade.hearing.worker import (
    CANCEL,
    FAILED,
    FINISH,
    HEADER,
    HEAR,
    HEARD,
    PARTIAL,
    START,
    pack,
)

log = structlog.get_logger(__name__)

MOST_WAITING: Final = 2**20
"""Bytes a process may be behind: 33 s of one voice. One that is further behind is stuck, and is ended."""
STOP_SECONDS: Final = 2.0
"""How long a process may take to end by itself."""

Lost = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an utterance."""

    text: str
    confidence: float
    state: str
    """What is known of the voice now; given back when its next utterance starts."""
    alternatives: Sequence[str] = ()


@dataclass(slots=True)
class Line:
    """Our end of one utterance, from its start to its result."""

    worker: "Worker"
    number: int
    result: asyncio.Future[Result]
    partial: str = ""

    def hear(self, pcm: bytes) -> None:
        """Send sound. To a process that is gone nothing is sent: `finish` tells."""
        self.worker.send(pack(HEAR, self.number, pcm))

    async def finish(self) -> Result:
        """End the utterance. Raises UpstreamFailed when its process is gone."""
        self.worker.send(pack(FINISH, self.number))
        return await self.result

    def drop(self) -> None:
        """Forget the utterance, in any state."""
        self.worker.send(pack(CANCEL, self.number))
        self.worker.lines.pop(self.number, None)
        self.result.cancel()


class Worker(asyncio.SubprocessProtocol):
    """One process, as the event loop sees it."""

    def __init__(self) -> None:
        self.lines: dict[int, Line] = {}
        """The utterances under way, by number."""
        self.gone = asyncio.get_running_loop().create_future()
        """Done when the process has ended."""
        self._data = b""
        self._process: asyncio.SubprocessTransport | None = None
        self._input: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The process runs."""
        self._process = cast(asyncio.SubprocessTransport, transport)
        self._input = cast(asyncio.WriteTransport, self._process.get_pipe_transport(0))

    def open(self, number: int, state: str) -> Line:
        """Begin an utterance."""
        line = Line(self, number, asyncio.get_running_loop().create_future())
        line.result.add_done_callback(_seen)
        self.lines[number] = line
        self.send(pack(START, number, state.encode()))
        return line

    def send(self, frame: bytes) -> None:
        """Queue a frame towards the process; end a process that has stopped reading."""
        if self._input is None or self._input.is_closing():
            return
        if self._input.get_write_buffer_size() > MOST_WAITING:
            log.error("ear_stuck")
            self.kill()
            return
        self._input.write(frame)

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        """Cut what comes into frames."""
        if fd != 1 or isinstance(data, str):
            return
        self._data += data
        while len(self._data) >= HEADER.size:
            kind, number, length = HEADER.unpack_from(self._data)
            end = HEADER.size + length
            if len(self._data) < end:
                return
            payload, self._data = self._data[HEADER.size : end], self._data[end:]
            self._take(kind, number, payload)

    def _take(self, kind: int, number: int, payload: bytes) -> None:
        line = self.lines.get(number)
        if line is None:
            return
        if kind == PARTIAL:
            line.partial = payload.decode()
            return
        del self.lines[number]
        if line.result.done():
            return
        if kind == HEARD:
            line.result.set_result(Result(**json.loads(payload)))
        elif kind == FAILED:
            log.warning("ear_busy")
            line.result.set_result(Result("", 0.0, ""))

    def process_exited(self) -> None:
        """The process is gone: whoever waits for it is told."""
        for line in self.lines.values():
            if not line.result.done():
                line.result.set_exception(UpstreamFailed("the hearing process is gone", retry=True))
        self.lines.clear()
        if self._process is not None:
            self._process.close()
        if not self.gone.done():
            self.gone.set_result(None)

    def kill(self) -> None:
        """End the process now."""
        if self._process is not None and self._process.get_returncode() is None:
            self._process.kill()

    async def stop(self) -> None:
        """Let the process end by itself, by closing its input; help if it does not."""
        if self._input is not None:
            self._input.close()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await asyncio.shield(self.gone)
        except TimeoutError:
            self.kill()
            await self.gone


class Crew:
    """All hearing processes for one language model."""

    def __init__(self, folder: Path, processes: int | None = None) -> None:
        """`folder`: of `model.arpa.gz` and `words.dict`. `processes`: at most; else half the cores."""
        self._folder = folder
        self._most = processes or max(1, min(4, (os.cpu_count() or 2) // 2))
        self._workers: list[Worker] = []
        self._starting = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._closed = False

    async def open(self, state: str) -> Line:
        """Begin an utterance at the process that has least to do. Raises UpstreamFailed."""
        worker = await self._worker()
        return worker.open(next(self._numbers), state)

    async def warm(self) -> None:
        """Start the first process, so that the first utterance need not wait for it (0.4 s)."""
        await self._worker()

    async def aclose(self) -> None:
        """End all processes; returns when they are gone."""
        self._closed = True
        async with self._starting:
            await asyncio.gather(*(worker.stop() for worker in self._workers))
            self._workers.clear()

    async def _worker(self) -> Worker:
        async with self._starting:
            self._workers = [worker for worker in self._workers if not worker.gone.done()]
            if self._closed:
                raise UpstreamFailed("the ear is closed", retry=False)
            least = min(self._workers, key=lambda worker: len(worker.lines), default=None)
            if least is None or (least.lines and len(self._workers) < self._most):
                least = await self._start()
            return least

    async def _start(self) -> Worker:
        """Start a process. It is killed with this one, and ends when its input does."""
        command = [sys.executable, "-m", "bridge.upstreams.cascade.hearing.worker"]
        loop = asyncio.get_running_loop()
        try:
            _, worker = await loop.subprocess_exec(
                Worker, *command, str(self._folder), str(os.getpid()), stderr=None
            )
        except OSError as error:
            raise UpstreamFailed("the hearing process cannot be started", retry=True) from error
        log.info("ear_started", processes=len(self._workers) + 1)
        self._workers.append(worker)
        return worker


def _seen(result: asyncio.Future[Result]) -> None:
    """Nobody may wait for it any more; that is no reason to complain at the end."""
    if not result.cancelled():
        result.exception()
