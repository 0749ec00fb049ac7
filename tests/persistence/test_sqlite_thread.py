"""The thread that writes to a SQLite file: what it waits for holds up nobody else."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, make_url
from sqlalchemy.exc import OperationalError

from persistence.sqlite import for_thread
from persistence.sqlite_thread import SqliteThread, WriterConnection


def _make(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE counted (n INTEGER)")


async def _refused(thread: SqliteThread) -> BaseException:
    """What somebody who does not wait is told; with the frames it went through."""
    try:
        await WriterConnection(thread, 0).run(_make)
    except (sqlite3.Error, OperationalError) as error:
        return error
    raise AssertionError("it was let in")


async def test_nobody_waits_to_forget_who_was_refused_while_another_one_waits(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    thread = SqliteThread(for_thread(make_url(f"sqlite:///{path}"), 1, busy_seconds=0))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")
        gc.freeze()  # a pass looks at what comes from now on, and is quick
        refused = [await _refused(thread) for _ in range(5)]
        patient = WriterConnection(thread, 10)
        waiting = asyncio.ensure_future(patient.finish(_make))
        while refused:
            await asyncio.sleep(0.01)
            began = time.monotonic()
            refused.pop()
            gc.collect()
            assert time.monotonic() - began < 1
        assert not waiting.done()
        other.execute("ROLLBACK")
        await waiting
        assert patient.committed
    gc.unfreeze()
    await thread.close()


async def test_a_connection_is_made_while_another_process_has_the_file_for_itself(tmp_path: Path) -> None:
    """Only what it writes later does not wait in SQLite."""
    path = tmp_path / "x.db"
    thread = SqliteThread(for_thread(make_url(f"sqlite:///{path}"), 10, busy_seconds=0))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        timeout = thread.run(lambda one: one.exec_driver_sql("PRAGMA busy_timeout").scalar())
        await asyncio.wait({timeout}, timeout=0.3)
        assert not timeout.done()
        other.execute("ROLLBACK")
        assert await timeout == 0
    await thread.close()
