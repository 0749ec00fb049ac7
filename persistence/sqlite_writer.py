"""Writes to a SQLite file in a thread: each step of a transaction, or all of it, in one change of threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import Engine

from persistence.connection import Connection, unbroken

T = TypeVar("T")


class SqliteWriter:
    """A connection that stays open, and the one thread that uses it. One transaction at a time."""

    def __init__(self, engine: Engine) -> None:
        """`engine` is ours from here on."""
        self._engine = engine
        self._connection: SyncConnection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")

    async def begin(self, seconds: float) -> Connection:
        """A transaction; whoever has the file has to give it back within so many seconds."""
        connection = WriterConnection(self)
        try:
            await connection.run(partial(_begin, seconds))
        except BaseException:
            await connection.rollback()
            raise
        return connection

    def transaction(self, work: Callable[[SyncConnection], T], seconds: float) -> asyncio.Future[T]:
        """`work` in a transaction. It goes on to its end, also when nobody waits for it any more."""
        return self.run(partial(_transaction, work, seconds))

    def run(self, work: Callable[[SyncConnection], T]) -> asyncio.Future[T]:
        """Something that opens a transaction, goes on with the one that is open, or ends it."""
        return asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    def _run(self, work: Callable[[SyncConnection], T]) -> T:
        self._connection = self._connection or self._engine.connect()
        return work(self._connection)

    async def close(self) -> None:
        """When all that was begun has ended. Twice is once."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._thread.shutdown()
        if self._connection:
            self._connection.close()
        self._engine.dispose()


class WriterConnection(Connection):
    """The writer's, in one transaction."""

    def __init__(self, writer: SqliteWriter) -> None:
        self._writer = writer

    async def run(self, work: Callable[[SyncConnection], T]) -> T:
        """See Connection."""
        return await unbroken(self._writer.run(work))

    async def rollback(self) -> None:
        """See Connection."""
        await self.run(_rollback)

    async def _commit(self) -> None:
        await self._writer.run(_commit)
        self.committed = True


def _transaction(work: Callable[[SyncConnection], T], seconds: float, connection: SyncConnection) -> T:
    _begin(seconds, connection)
    try:
        result = work(connection)
    except BaseException:
        _rollback(connection)
        raise
    _commit(connection)
    return result


def _begin(seconds: float, connection: SyncConnection) -> None:
    connection.connection.cursor().execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
    connection.begin()


def _commit(connection: SyncConnection) -> None:
    try:
        connection.commit()
    except BaseException:
        _rollback(connection)
        raise


def _rollback(connection: SyncConnection) -> None:
    connection.rollback()
    connection.connection.rollback()  # after a commit that failed SQLAlchemy has let go, the driver has not
