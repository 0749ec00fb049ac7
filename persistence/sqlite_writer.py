"""Writes to a SQLite file in a thread, each transaction as a whole: one change of threads, not one a step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")


class SqliteWriter:
    """A connection that stays open, and the one thread that uses it."""

    def __init__(self, engine: Engine) -> None:
        """`engine` is ours from here on."""
        self._engine = engine
        self._connection: Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")

    def run(self, work: Callable[[Connection], T]) -> asyncio.Future[T]:
        """`work` in a transaction. It goes on to its end, also when nobody waits for it any more."""
        return asyncio.get_running_loop().run_in_executor(self._thread, self._transaction, work)

    def _transaction(self, work: Callable[[Connection], T]) -> T:
        self._connection = self._connection or self._engine.connect()
        with self._connection.begin():
            return work(self._connection)

    async def close(self) -> None:
        """When all that was begun has ended. Twice is once."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._thread.shutdown()
        if self._connection:
            self._connection.close()
        self._engine.dispose()
