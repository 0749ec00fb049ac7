"""A connection inside a transaction that a cancellation cannot break in the middle of a step."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar, cast

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import CursorResult, Executable
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")
Parameters = Sequence[dict[str, Any]] | dict[str, Any] | None


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


class Connection(ABC):
    """What the rest of `persistence/` sees of a connection. Made by engine.Database."""

    committed = False
    """True from the moment the commit is through."""

    @abstractmethod
    async def run(self, work: Callable[[SyncConnection], T]) -> T:
        """Run something that waits for nothing but the database: several statements for the price of one."""

    @abstractmethod
    async def rollback(self) -> None:
        """Undo everything and give the connection back; the last step."""

    @abstractmethod
    async def _commit(self) -> None:
        """Commit, say so, and give the connection back."""

    async def commit(self) -> None:
        """Commit and give the connection back; the last step."""
        await unbroken(self._commit())

    async def finish(self, work: Callable[[SyncConnection], T]) -> T:
        """Run something, and commit; the last step."""
        result = await self.run(work)
        await self.commit()
        return result

    async def execute(self, statement: Executable, parameters: Parameters = None) -> CursorResult[Any]:
        """Run a statement, with its parameters or with many rows of them; the result is complete."""
        return await self.run(partial(_execute, statement, parameters))

    async def scalar(self, statement: Executable) -> Any:
        """The first column of the first row, or None."""
        return (await self.execute(statement)).scalar()

    async def text(self, sql: str) -> CursorResult[Any]:
        """Run SQL as it is written."""
        return await self.run(partial(_text, sql))


class PooledConnection(Connection):
    """One of an engine's."""

    def __init__(self, connection: AsyncConnection) -> None:
        """`connection` has begun its transaction."""
        self._connection = connection
        # SQLite's driver works in a thread: a statement that nobody waits for any more goes on there, and
        # would keep its lock after its connection was closed.
        self._step: Callable[[Coroutine[Any, Any, Any]], Awaitable[Any]] = (
            unbroken if connection.dialect.name == "sqlite" else _as_it_is
        )

    async def run(self, work: Callable[[SyncConnection], T]) -> T:
        """See Connection."""
        result: T = await self._step(self._connection.run_sync(work))
        return result

    async def rollback(self) -> None:
        """See Connection."""
        await unbroken(self._connection.close())

    async def _commit(self) -> None:
        try:
            await self._connection.commit()
            self.committed = True
        finally:
            await self._connection.close()


def _execute(statement: Executable, parameters: Parameters, connection: SyncConnection) -> CursorResult[Any]:
    return _complete(connection.execute(statement, parameters))


def _text(sql: str, connection: SyncConnection) -> CursorResult[Any]:
    return _complete(connection.exec_driver_sql(sql))


def _complete(result: CursorResult[Any]) -> CursorResult[Any]:
    """All rows are read, so that nobody needs the connection for them."""
    return cast(CursorResult[Any], result.freeze()()) if result.returns_rows else result


async def _as_it_is(step: Coroutine[Any, Any, T]) -> T:
    return await step
