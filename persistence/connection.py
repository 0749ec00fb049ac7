"""A connection inside a transaction that a cancellation cannot break in the middle of a step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import CursorResult, Executable
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncTransaction

from persistence.walls import work_for

T = TypeVar("T")


async def unbroken(step: Awaitable[T]) -> T:
    """Run to the end even when cancelled meanwhile; only then be cancelled."""
    # A gather of one, not a task of a group: a group would hand the cancellation on.
    running = asyncio.gather(step)
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError as error:
            cancelled = error
        except Exception:  # the step's own; it is raised below
            break
    if cancelled is None or running.cancelled():
        return running.result()[0]
    running.exception()  # it has been looked at: nobody warns that it was not
    raise cancelled


class Connection:
    """What the rest of `persistence/` sees of a connection. Made by engine.Database."""

    def __init__(self, connection: AsyncConnection) -> None:
        """`connection` has begun its transaction."""
        self._connection = connection
        # SQLite's driver works in a thread: a statement that nobody waits for any more goes on there, and
        # would keep the write lock after its connection was closed.
        self._step: Callable[[Coroutine[Any, Any, Any]], Awaitable[Any]] = (
            unbroken if connection.dialect.name == "sqlite" else _as_it_is
        )
        self.committed = False
        """True from the moment the commit is through."""

    async def execute(
        self, statement: Executable, parameters: Sequence[dict[str, Any]] | dict[str, Any] | None = None
    ) -> CursorResult[Any]:
        """Run a statement, with its parameters or with many rows of them; the result is complete."""
        result: CursorResult[Any] = await self._step(self._connection.execute(statement, parameters))
        return result

    async def scalar(self, statement: Executable) -> Any:
        """The first column of the first row, or None."""
        return (await self.execute(statement)).scalar()

    async def text(self, sql: str) -> CursorResult[Any]:
        """Run SQL as it is written."""
        result: CursorResult[Any] = await self._step(self._connection.exec_driver_sql(sql))
        return result

    async def run(self, work: Callable[[SyncConnection], T]) -> T:
        """Run something that waits for nothing but the database."""
        result: T = await self._step(self._connection.run_sync(work))
        return result

    async def see_all(self) -> None:
        """For the rest of this transaction: everybody's rows, to find out why something is not there."""
        if self._connection.dialect.name == "postgresql":
            await work_for(self._connection, None)

    async def savepoint(self) -> Savepoint:
        """Begin something that can be undone by itself."""
        return Savepoint(await self._step(_nested(self._connection)), self._step)

    async def commit(self) -> None:
        """Commit and give the connection back; the last step."""
        await unbroken(self._commit())

    async def rollback(self) -> None:
        """Undo everything and give the connection back; the last step."""
        await unbroken(self._connection.close())

    async def _commit(self) -> None:
        try:
            await self._connection.commit()
            self.committed = True
        finally:
            await self._connection.close()


class Savepoint:
    """A part of a transaction."""

    def __init__(
        self, nested: AsyncTransaction, step: Callable[[Coroutine[Any, Any, Any]], Awaitable[Any]]
    ) -> None:
        self._nested = nested
        self._step = step

    async def keep(self) -> None:
        """What was done since belongs to the transaction."""
        await self._step(self._nested.commit())

    async def undo(self) -> None:
        """What was done since is undone."""
        await self._step(self._nested.rollback())


async def _nested(connection: AsyncConnection) -> AsyncTransaction:
    return await connection.begin_nested()


async def _as_it_is(step: Coroutine[Any, Any, T]) -> T:
    return await step
