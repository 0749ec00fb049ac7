"""A database by its URL, SQLite or PostgreSQL; foreign exceptions become StoreUnavailable here."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import asyncpg
import orjson
from sqlalchemy import URL, Table, make_url
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bridge.errors import BadConfig, StoreUnavailable
from persistence.codec import dump_json
from persistence.connection import Connection, PooledConnection, unbroken
from persistence.sqlite import for_file, for_thread
from persistence.sqlite_thread import SqliteThread, WriterConnection
from persistence.walls import work_for

T = TypeVar("T")
Upsert = postgresql.Insert | sqlite.Insert

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 10.0
"""A statement, its wait for locks included."""
HASTY_SECONDS = 1.0
"""The same where somebody waits for an answer."""
GIVE_UP = 1.25
"""A server that has not ended a statement after so many times its time is taken for gone."""
PART_SECONDS = 0.2
"""A polite end of a connection."""
NO_TABLE = "42P01"
"""PostgreSQL's code while somebody restores a backup; SQLite's is one of those for a busy database."""
IDLE_SECONDS = 60
"""PostgreSQL ends a transaction that does nothing for so long."""
_BAD_DATA = (
    *(IntegrityError, DataError, sqlite3.IntegrityError, sqlite3.DataError),
    *(OverflowError, ValueError, TypeError, KeyError),
)


class _Brief(asyncpg.Connection):
    """A connection that parts quickly from a server that does not answer."""

    async def close(self, *, timeout: float | None = None) -> None:
        await super().close(timeout=PART_SECONDS if timeout is None else min(timeout, PART_SECONDS))


class Database:
    """An engine, and the ways to use it. Until `open_for_use` every use is StoreUnavailable."""

    def __init__(self, url: str, *, statement_seconds: float = STATEMENT_SECONDS) -> None:
        """Connects to nothing yet. Raises BadConfig."""
        self.engine = make_engine(url, statement_seconds=statement_seconds)
        self._seconds = statement_seconds
        self.problem = "the database has not been opened yet"
        """Why it cannot be used, for operators; empty = it can."""
        self._writers = asyncio.Lock() if self.is_sqlite else None
        self._sqlite_writer = self._sqlite_thread(0)  # it waits by itself
        self._sqlite_reader = self._sqlite_thread(self._seconds)
        self._hasty = None if self.is_sqlite else make_engine(url, statement_seconds=HASTY_SECONDS)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def reading(self, user_id: str | None = None) -> AsyncIterator[Connection]:
        """A connection in a transaction that writes nothing. Raises StoreUnavailable.

        `user_id`: whose rows it sees (see walls.py); None: all, for work of the system.
        """
        self._check()
        with mapped():
            connection = await self._begun(self.engine, user_id)
            try:
                yield connection
            finally:
                await connection.rollback()

    async def look(self, work: Callable[[SyncConnection], T], user_id: str | None = None) -> T:
        """As `reading`, for a short look that waits for nothing but the database: it costs less.

        Raises StoreUnavailable.
        """
        if not self._sqlite_reader:
            async with self.reading(user_id) as connection:
                return await connection.run(work)
        self._check()
        with mapped():
            return await self._sqlite_reader.look(work)

    @asynccontextmanager
    async def writing(self, user_id: str | None = None, *, hasty: bool = False) -> AsyncIterator[Connection]:
        """A connection in a transaction, committed at the end unless an exception leaves the block.

        `user_id`: whose rows it sees and makes (see walls.py); None: all, for work of the system.

        On SQLite it is the only writer from its first step: what it has read stays true until the commit.
        `hasty`: somebody waits for the answer, so a store that takes long is as good as away.
        Raises StoreUnavailable.
        """
        async with self._turn():
            self._check()
            with mapped():
                connection = await self._begun_writing(user_id, hasty=hasty)
                try:
                    yield connection
                    if not connection.committed:
                        await connection.commit()
                except BaseException:
                    await connection.rollback()
                    raise

    async def transaction(
        self, work: Callable[[SyncConnection], T], user_id: str | None = None, *, hasty: bool = False
    ) -> T:
        """As `writing`, for work that waits for nothing but the database: it costs less.

        Raises StoreUnavailable.
        """
        async with self.writing(user_id, hasty=hasty) as connection:
            return await connection.finish(work)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[asyncpg.Connection[Any]]:
        """A connection to PostgreSQL by itself, to hear NOTIFY with. Raises StoreUnavailable."""
        self._check()
        with mapped():
            connection = await self.engine.connect()
            try:
                driver = (await connection.get_raw_connection()).driver_connection
                assert isinstance(driver, asyncpg.Connection)
                yield driver
            finally:
                await unbroken(_part(connection))

    async def ping(self) -> None:
        """One round trip. Raises StoreUnavailable."""
        async with self.reading() as connection:
            await connection.text("SELECT 1")

    def open_for_use(self) -> None:
        """The tables are there: from now on the database can be used."""
        self.problem = ""

    async def close(self) -> None:
        self.problem = "the database is closed"
        await self.engine.dispose()
        if self._hasty:
            await self._hasty.dispose()
        if self._sqlite_writer:
            async with self._turn():
                await self._sqlite_writer.close()
        if self._sqlite_reader:
            await self._sqlite_reader.close()

    def _sqlite_thread(self, busy_seconds: float) -> SqliteThread | None:
        if not self.is_sqlite:
            return None
        common = _common(self._seconds)
        return SqliteThread(for_thread(self.engine.url, self._seconds, busy_seconds=busy_seconds, **common))

    def insert(self, table: Table) -> Upsert:
        """An INSERT that knows ON CONFLICT."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    async def _begun_writing(self, user_id: str | None, *, hasty: bool) -> Connection:
        if self._sqlite_writer:
            return WriterConnection(self._sqlite_writer, HASTY_SECONDS if hasty else self._seconds)
        return await self._begun(self._hasty if self._hasty and hasty else self.engine, user_id)

    async def _begun(self, engine: AsyncEngine, user_id: str | None) -> Connection:
        """A connection that has begun; nobody but us has it, should we be cancelled meanwhile."""
        connection = engine.connect()
        try:
            if self.is_sqlite:
                await unbroken(_begin(connection))
            else:
                await _begin(connection)
                await work_for(connection, user_id)
        except BaseException:
            if connection.sync_connection is not None:  # it has got one out of the pool
                await unbroken(connection.close())
            raise
        return PooledConnection(connection)

    def _check(self) -> None:
        if self.problem:
            raise StoreUnavailable(self.problem)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Writers of one process queue up fairly; SQLite's own way is to try again every now and then."""
        if self._writers is None:
            yield
            return
        async with self._writers:
            yield


async def _part(connection: AsyncConnection) -> None:
    """Give a connection back that nobody may use again."""
    await connection.invalidate()
    await connection.close()


async def _begin(connection: AsyncConnection) -> None:
    await connection.start()
    await connection.begin()


@contextmanager
def mapped() -> Iterator[None]:
    """A database that is away, slow, busy or without tables raises StoreUnavailable.

    Bad data and our bugs stay.
    """
    try:
        yield
    except DBAPIError as error:
        if is_bad_data(error) or (isinstance(error, ProgrammingError) and sqlstate(error) != NO_TABLE):
            raise
        raise StoreUnavailable(_first_line(error.orig)) from error
    except sqlite3.Error as error:
        if is_bad_data(error) or isinstance(error, sqlite3.ProgrammingError):
            raise
        raise StoreUnavailable(_first_line(error)) from error
    except (PoolTimeout, OSError) as error:  # OSError is also a time limit's TimeoutError
        raise StoreUnavailable(_first_line(error)) from error


def is_bad_data(error: BaseException) -> bool:
    """True: the database refuses these values for ever; another time, or another row, is another matter."""
    if isinstance(error, _BAD_DATA):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = sqlstate(error)
    cause = error.orig.__cause__ if error.orig else None
    return state[:2] in {"22", "23", "54"} or isinstance(cause, ValueError | OverflowError)


def sqlstate(error: BaseException | None) -> str:
    """The database's own code, five characters; empty when it gave none."""
    if isinstance(error, StoreUnavailable):
        error = error.__cause__
    return str(getattr(error.orig, "sqlstate", None) or "") if isinstance(error, DBAPIError) else ""


def _first_line(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def make_engine(url: str, *, statement_seconds: float = STATEMENT_SECONDS) -> AsyncEngine:
    """The engine for a URL: `sqlite:///file`, `postgres://…`, `postgresql://…`. Raises BadConfig."""
    try:
        parsed = make_url(_known_scheme(url))
    except ArgumentError:
        raise BadConfig("DATABASE_URL is not a database URL") from None
    match parsed.get_backend_name():
        case "sqlite":
            return for_file(
                parsed.set(drivername="sqlite+aiosqlite"), statement_seconds, **_common(statement_seconds)
            )
        case "postgresql":
            return _postgresql(parsed.set(drivername="postgresql+asyncpg"), statement_seconds)
        case name:
            raise BadConfig(f"DATABASE_URL names {name}; SQLite and PostgreSQL are supported")


def _known_scheme(url: str) -> str:
    """Some hosts write `postgres://`, which SQLAlchemy does not know."""
    return "postgresql" + url.removeprefix("postgres") if url.startswith("postgres:") else url


def _postgresql(url: URL, statement_seconds: float) -> AsyncEngine:
    mode = url.query.get("sslmode")
    url = url.difference_update_query(["sslmode", "channel_binding"])
    if mode and "ssl" not in url.query:
        url = url.update_query_dict({"ssl": mode})
    patience = min(CONNECT_SECONDS, statement_seconds)
    connect: dict[str, Any] = {
        "connection_class": _Brief,
        "timeout": patience,
        "command_timeout": statement_seconds * GIVE_UP,
        "server_settings": {
            "application_name": "voice-bridge",
            "statement_timeout": str(round(statement_seconds * 1000)),
            "idle_in_transaction_session_timeout": str(IDLE_SECONDS * 1000),
        },
    }
    return create_async_engine(url, connect_args=connect, pool_pre_ping=True, **_common(statement_seconds))


def _common(statement_seconds: float) -> dict[str, Any]:
    return {
        "pool_timeout": min(CONNECT_SECONDS, statement_seconds),
        "pool_size": 5,
        "max_overflow": 5,
        "hide_parameters": True,  # an exception's text goes to the log, what people said does not
        "json_serializer": lambda value: dump_json(value).decode(),
        "json_deserializer": orjson.loads,
    }
