"""Several server processes on one socket: kept alive, renewed one after the other, stopped together."""

from __future__ import annotations

import multiprocessing
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

import structlog

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.2
READY_SECONDS = 60.0
"""How long a new worker may take until it serves."""
PAUSE_SECONDS = 1.0
"""Between the death of a worker and the next one in its place."""
HOPELESS = 2
"""Exit status of a worker that can never start: its settings are wrong."""

Work = Callable[[socket.socket, int, Connection], None]
"""Serves on the socket as that worker. Sends something when it is ready. Sent something, it leaves the
socket to the others and ends; when the other end is gone it ends."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One process, and what is heard of it."""

    process: BaseProcess
    link: Connection

    def stop(self) -> None:
        """Tell it to; twice is for at once."""
        if self.process.is_alive() and self.process.pid:
            self.process.terminate()

    def retire(self) -> None:
        """Let the others serve, and end with the turns under way."""
        try:
            self.link.send("retire")
        except OSError:
            self.stop()


class Workers:
    """The process above the workers. SIGTERM, SIGINT: stop; again: at once. SIGHUP: renew all, in turn."""

    def __init__(self, count: int, listening: socket.socket, work: Work) -> None:
        self._listening = listening
        self._work = work
        self._count = count
        self._workers: dict[int, Worker] = {}
        self._starts: dict[int, float] = {}
        """Worker → when the one in its place is to be started (monotonic)."""
        self._stops = 0
        """How often we were told to stop."""
        self._renew = False
        self._status = 0

    def run(self) -> int:
        """Until all are gone. Returns the process's exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told_to_stop)
        signal.signal(signal.SIGHUP, self._told_to_renew)
        for place in range(1, self._count + 1):
            self._workers[place] = self._start(place)
        while any(worker.process.is_alive() for worker in self._workers.values()) or self._starts:
            wait([worker.process.sentinel for worker in self._workers.values()], LOOK_SECONDS)
            self._replace_the_dead()
            if self._renew and not self._stops:
                self._renew = False
                self._renew_all()
        return self._status

    def _start(self, place: int) -> Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=self._work, args=(self._listening, place, theirs), name=f"worker-{place}"
        )
        process.start()
        theirs.close()
        return Worker(process, ours)

    def _told_to_stop(self, *_: object) -> None:
        self._stops += 1
        self._starts.clear()
        for worker in self._workers.values():
            worker.stop()

    def _told_to_renew(self, *_: object) -> None:
        self._renew = True

    def _replace_the_dead(self) -> None:
        for place, worker in list(self._workers.items()):
            if worker.process.is_alive() or self._stops:
                continue
            if worker.process.exitcode == HOPELESS:
                self._status = HOPELESS
                self._told_to_stop()
                return
            if place not in self._starts:
                log.error("worker_died", worker=place, status=worker.process.exitcode)
                self._starts[place] = time.monotonic() + PAUSE_SECONDS
            elif time.monotonic() >= self._starts[place]:
                del self._starts[place]
                worker.link.close()
                self._workers[place] = self._start(place)

    def _renew_all(self) -> None:
        """Each gets a successor that is ready before it is told to stop."""
        for place, old in list(self._workers.items()):
            new = self._start(place)
            if not self._ready(new):
                log.error("worker_not_ready", worker=place)
                new.stop()
                new.process.join()
                return
            self._workers[place] = new
            old.retire()
            while old.process.is_alive():
                old.process.join(LOOK_SECONDS)
                if self._stops > 1:
                    old.stop()
            old.link.close()
            log.info("worker_renewed", worker=place)
            if self._stops:
                return

    def _ready(self, worker: Worker) -> bool:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and worker.process.is_alive() and not self._stops:
            if worker.link.poll(LOOK_SECONDS):
                return True
        return False
