"""What a SQLite file needs of its engines: settings of each connection, WAL, who may write."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bridge.errors import BadConfig


def for_file(url: URL, statement_seconds: float, **settings: Any) -> AsyncEngine:
    """An engine for a file. Raises BadConfig."""
    if not url.database or url.database == ":memory:":
        raise BadConfig("DATABASE_URL: a SQLite database must be a file")
    path = Path(url.database)
    if path.is_dir() or not path.parent.is_dir():
        problem = "is a folder" if path.is_dir() else f"the folder {path.parent} is not there"
        raise BadConfig(f"DATABASE_URL: {path}: {problem}")
    engine = create_async_engine(url, **settings)
    event.listen(engine.sync_engine, "connect", partial(_prepare_sqlite, statement_seconds))
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def for_thread(url: URL, statement_seconds: float, *, busy_seconds: float, **settings: Any) -> Engine:
    """An engine for a thread that begins what it writes; `for_file` has made the file what it has to be.

    `busy_seconds`: how long it waits for other writers, once it is connected.
    """
    engine = create_engine(url.set(drivername="sqlite"), **settings)
    event.listen(engine, "connect", partial(_set_sqlite, statement_seconds))
    event.listen(engine, "connect", lambda connection, _: _wait_for_others(connection, busy_seconds))
    return engine


def _set_sqlite(statement_seconds: float, connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; _begin_sqlite does
    _wait_for_others(connection, statement_seconds)
    cursor = connection.cursor()
    for pragma in ("synchronous = FULL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _wait_for_others(connection: Any, seconds: float) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
    cursor.close()


def _prepare_sqlite(statement_seconds: float, connection: Any, record: object) -> None:
    _set_sqlite(statement_seconds, connection, record)
    cursor = connection.cursor()
    _write_ahead(connection, cursor, time.monotonic() + statement_seconds)
    cursor.close()
    connection.run_async(_add_casefold)


def _write_ahead(connection: Any, cursor: Any, deadline: float) -> None:
    """Turn WAL on. Alone among all statements it does not wait for who else is doing that."""
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            connection.run_async(lambda _: asyncio.sleep(0.01))


async def _add_casefold(connection: Any) -> None:
    await connection.create_function("casefold", 1, _casefold, deterministic=True)


def _casefold(text: str | None) -> str | None:
    return None if text is None else text.casefold()


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
