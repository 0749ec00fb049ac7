"""Uses a SQLite file in a thread: one change of threads for several statements, or for a transaction."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import Engine

from persistence.connection import Connection, unbroken
from persistence.worker import Worker

T = TypeVar("T")

LOOK_SECONDS: Final = 0.01
"""Between looks whether whoever else writes to the file is done."""


class SqliteThread:
    """A connection that stays open, and the one thread that uses it. One transaction at a time."""

    def __init__(self, engine: Engine) -> None:
        """`engine` is ours from here on."""
        self._engine = engine
        self._connection: SyncConnection | None = None
        self._thread = Worker("store")

    def run(self, work: Callable[[SyncConnection], T]) -> asyncio.Future[T]:
        """It goes on to its end, also when nobody waits for it any more."""
        return self._thread.run(partial(self._run, work))

    def look(self, work: Callable[[SyncConnection], T]) -> asyncio.Future[T]:
        """In a transaction of its own, which writes nothing."""
        return self.run(partial(_look, work))

    def _run(self, work: Callable[[SyncConnection], T]) -> T:
        self._connection = self._connection or self._engine.connect()
        return work(self._connection)

    async def close(self) -> None:
        """When all that was begun has ended. Twice is once."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._thread.close()
        if self._connection:
            self._connection.close()
        self._engine.dispose()


class WriterConnection(Connection):
    """That of a thread, in one transaction, which its first step begins."""

    def __init__(self, writer: SqliteThread, seconds: float) -> None:
        """`seconds`: whoever else writes to the file has to be done within."""
        self._writer = writer
        self._seconds = seconds
        self._begun = False

    async def run(self, work: Callable[[SyncConnection], T]) -> T:
        """See Connection."""
        return await unbroken(self._writer.run(partial(self._step, work)))

    async def finish(self, work: Callable[[SyncConnection], T]) -> T:
        """See Connection."""
        return await unbroken(self._writer.run(partial(self._last, work)))

    async def rollback(self) -> None:
        """See Connection."""
        await unbroken(self._writer.run(_rollback))

    async def _commit(self) -> None:
        await self._writer.run(partial(self._last, lambda _: None))

    def _step(self, work: Callable[[SyncConnection], T], connection: SyncConnection) -> T:
        if not self._begun:
            _begin_alone(connection, time.monotonic() + self._seconds)
            connection.begin()  # SQLAlchemy's part of it; it says nothing to the driver
            self._begun = True
        return work(connection)

    def _last(self, work: Callable[[SyncConnection], T], connection: SyncConnection) -> T:
        result = self._step(work, connection)
        connection.commit()
        self.committed = True
        return result


def _begin_alone(connection: SyncConnection, deadline: float) -> None:
    """Be the only writer. `deadline`: on the monotonic clock.

    SQLite's own way to wait holds the connection. A cursor whose statement failed holds on to it until it is
    closed; the garbage collector, which may run in any thread, would wait there to free one.
    """
    with closing(connection.connection.cursor()) as cursor:
        while True:
            try:
                cursor.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() >= deadline:
                    raise
            time.sleep(LOOK_SECONDS)


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # the low byte: there are several kinds of it


def _look(work: Callable[[SyncConnection], T], connection: SyncConnection) -> T:
    try:
        connection.connection.cursor().execute("BEGIN")
        return work(connection)
    finally:
        _rollback(connection)


def _rollback(connection: SyncConnection) -> None:
    connection.rollback()
    connection.connection.rollback()  # after a commit that failed SQLAlchemy has let go, the driver has not
