"""A thread that runs what it is given, in order: an executor's way there and back costs twice as much."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")
Job = tuple["asyncio.Future[Any]", Callable[[], Any]]


class Worker:
    """Runs until it is closed; whatever it is given has come to its end then."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._closed = False

    def run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """What comes of it. It is done, to its end, also when nobody waits for it any more."""
        if self._closed:
            raise RuntimeError("the thread has ended")
        if self._thread.ident is None:
            self._thread.start()
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put((future, work))
        return future

    def close(self) -> None:
        """Wait until all is done. Not on the event loop. Twice is once."""
        self._closed = True
        self._jobs.put(None)
        if self._thread.ident is not None:
            self._thread.join()

    def _work(self) -> None:
        while job := self._jobs.get():
            _do(*job)
            del job  # nothing is kept while it waits


def _do(future: asyncio.Future[Any], work: Callable[[], Any]) -> None:
    result, error = None, None
    try:
        result = work()
    except BaseException as raised:
        error = raised
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        future.get_loop().call_soon_threadsafe(_tell, future, result, error)
    error = None  # its traceback holds this frame


def _tell(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    """On the loop."""
    if future.done():  # cancelled
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
