"""The store's thread: in order, to the end, and what goes wrong is told to whoever waits."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest

from persistence.worker import Worker


async def test_work_is_done_in_order_in_one_thread_and_its_results_are_told() -> None:
    worker, threads = Worker("test"), set()

    def work(number: int) -> int:
        threads.add(threading.current_thread().name)
        return number

    assert await asyncio.gather(*[worker.run(partial(work, n)) for n in range(9)]) == list(range(9))
    assert threads == {"test"}
    await asyncio.to_thread(worker.close)


async def test_what_it_raises_comes_out_and_the_next_is_done() -> None:
    worker = Worker("test")
    with pytest.raises(ValueError, match="invalid literal"):
        await worker.run(partial(int, "x"))
    assert await worker.run(lambda: 1) == 1
    await asyncio.to_thread(worker.close)


async def test_what_nobody_waits_for_is_done_all_the_same() -> None:
    worker, done = Worker("test"), threading.Event()
    worker.run(done.set).cancel()
    await asyncio.to_thread(worker.close)
    assert done.is_set()


async def test_a_closed_one_takes_nothing() -> None:
    worker = Worker("test")
    for _ in range(2):
        await asyncio.to_thread(worker.close)
    with pytest.raises(RuntimeError):
        worker.run(lambda: 1)
