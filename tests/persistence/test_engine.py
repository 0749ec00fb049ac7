"""A database by its URL, and what becomes of the errors of drivers."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from bridge.errors import BadConfig, StoreUnavailable
from persistence.engine import Database, make_engine, mapped
from persistence.record import Record, open_record
from tests.persistence.build import begun


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///x.db", "aiosqlite"),
        ("sqlite+aiosqlite:///x.db", "aiosqlite"),
        ("postgres://u:p@h/d", "asyncpg"),
        ("postgresql://u:p@h/d?sslmode=require&channel_binding=prefer", "asyncpg"),
        ("postgresql+psycopg://u:p@h/d", "asyncpg"),
    ],
)
def test_a_url_names_the_database_and_we_choose_the_driver(url: str, driver: str) -> None:
    engine = make_engine(url)
    assert engine.dialect.driver == driver
    assert "sslmode" not in engine.url.query
    assert engine.url.query.get("ssl") == ("require" if "sslmode" in url else None)


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://h/d", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_cannot_work_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(BadConfig, match="DATABASE_URL"):
        make_engine(url)


def test_a_password_is_not_in_the_message() -> None:
    with pytest.raises(BadConfig) as refused:
        make_engine("mysql://user:secret@host/d")
    assert "secret" not in str(refused.value)


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that refuses connections: bound, and nobody listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


async def test_a_database_that_refuses_connections_is_unavailable(deaf_port: int, data_dir: Path) -> None:
    async with open_record(f"postgresql://u@127.0.0.1:{deaf_port}/d", data_dir) as record:
        assert not record.ready
        assert record.problem
        with pytest.raises(StoreUnavailable):
            await record.store.ping()


async def test_a_database_that_is_not_there_is_unavailable(postgres_url: str, data_dir: Path) -> None:
    async with open_record(postgres_url + "x", data_dir) as record:
        assert not record.ready
        assert "does not exist" in record.problem


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadConfig, match="BRIDGE_DATA_DIR"):
        async with open_record(f"sqlite:///{tmp_path}/x.db", tmp_path / "file" / "data"):
            pass


async def test_a_file_that_is_no_database_ends_the_start(tmp_path: Path) -> None:
    path = tmp_path / "bridge.db"
    path.write_bytes(b"no database at all, and never will be one\n" * 100)
    with pytest.raises(BadConfig, match="DATABASE_URL: the file is not a database"):
        async with open_record(f"sqlite:///{path}", tmp_path / "data"):
            pass


@pytest.mark.parametrize(("path", "problem"), [("here", "is a folder"), ("nowhere/x.db", "is not there")])
def test_a_place_where_no_database_can_be_is_refused(tmp_path: Path, path: str, problem: str) -> None:
    (tmp_path / "here").mkdir()
    with pytest.raises(BadConfig, match=problem):
        make_engine(f"sqlite:///{tmp_path / path}")


async def test_what_the_database_refuses_for_ever_is_not_called_unavailable(record: Record) -> None:
    claim = await begun(record)
    insert = "INSERT INTO leases SELECT * FROM leases"
    with pytest.raises(IntegrityError):
        async with record.database.writing() as connection:
            await connection.text(insert)
    assert (await record.store.conversation("user-1", claim.conversation.id)).id == claim.conversation.id


async def test_a_database_without_tables_is_unavailable_for_as_long(record: Record) -> None:
    """Somebody restores a backup."""
    claim = await begun(record)
    async with record.database.writing() as connection:
        await connection.text("ALTER TABLE leases RENAME TO away")
    with pytest.raises(StoreUnavailable):
        await record.store.release("user-1", claim.conversation.id, epoch=1, seconds=0)
    async with record.database.writing() as connection:
        await connection.text("ALTER TABLE away RENAME TO leases")
    await record.store.release("user-1", claim.conversation.id, epoch=1, seconds=0)


async def test_parameters_are_in_no_message(record: Record) -> None:
    with pytest.raises(DBAPIError) as raised:
        async with record.database.writing() as connection:
            await connection.execute(
                text("INSERT INTO users (id) VALUES (:secret)"), [{"secret": "what somebody said"}]
            )
    assert "what somebody said" not in str(raised.value).split("DETAIL")[0]


async def test_a_sqlite_file_locked_by_somebody_else_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("BEGIN IMMEDIATE")
    database = Database(f"sqlite:///{path}", statement_seconds=0)
    database.open_for_use()
    with pytest.raises(StoreUnavailable, match="locked"):
        async with database.writing() as connection:
            await connection.text("SELECT 1")
    other.close()
    await database.close()


async def test_writers_of_one_process_queue_up_instead_of_failing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/x.db", statement_seconds=0)
    database.open_for_use()
    async with database.writing() as connection:
        await connection.text("CREATE TABLE counted (n INTEGER)")

    async def count() -> None:
        async with database.writing() as connection:
            await connection.text("INSERT INTO counted SELECT count(*) FROM counted")
            await asyncio.sleep(0)

    await asyncio.gather(*[count() for _ in range(20)])
    async with database.reading() as connection:
        rows = await connection.text("SELECT n FROM counted")
        assert sorted(n for (n,) in rows) == list(range(20))
    await database.close()


def _make(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE counted (n INTEGER)")


def _add(number: int | None, connection: Connection) -> None:
    connection.exec_driver_sql(f"INSERT INTO counted VALUES ({number or 0})")
    if number is None:
        raise LookupError


def _all(connection: Connection) -> list[int]:
    return [n for (n,) in connection.exec_driver_sql("SELECT n FROM counted ORDER BY n")]


def _make_pair(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
    connection.exec_driver_sql(
        "CREATE TABLE children (parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)"
    )


def _add_orphan(connection: Connection) -> None:
    connection.exec_driver_sql("INSERT INTO children VALUES (1)")


async def _write(database: Database, work: Callable[[Connection], None], *, whole: bool) -> None:
    """In one go, or in steps."""
    if whole:
        await database.transaction(work)
    else:
        async with database.writing() as connection:
            await connection.run(work)


async def test_a_look_waits_for_nobody_who_writes(record: Record) -> None:
    def count(connection: Connection) -> int:
        return int(connection.execute(text("SELECT count(*) FROM conversations")).scalar_one())

    async with asyncio.timeout(5):
        await begun(record)
        async with record.database.writing() as connection:
            await connection.text("DELETE FROM conversations")
            assert await record.database.look(count) == 1
        assert await record.database.look(count) == 0


async def test_a_transaction_that_fails_leaves_nothing_and_the_next_one_works(record: Record) -> None:
    database = record.database
    await database.transaction(_make)
    await database.transaction(partial(_add, 1))
    with pytest.raises(LookupError):
        await database.transaction(partial(_add, None))
    await database.transaction(partial(_add, 2))
    assert await database.transaction(_all) == [1, 2]


async def test_a_transaction_goes_on_once_nobody_else_locks_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE counted (n INTEGER)")
        database = Database(f"sqlite:///{path}", statement_seconds=0)
        database.open_for_use()
        await database.transaction(partial(_add, 1))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            await database.transaction(partial(_add, 2))
        other.execute("ROLLBACK")
        await database.transaction(partial(_add, 3))
        assert await database.transaction(_all) == [1, 3]
    for _ in range(2):  # twice is once
        await database.close()


@pytest.mark.parametrize("whole", [False, True])
async def test_a_commit_that_fails_leaves_nothing_and_the_next_one_works(
    tmp_path: Path, *, whole: bool
) -> None:
    database = Database(f"sqlite:///{tmp_path}/x.db")
    database.open_for_use()
    await database.transaction(_make_pair)
    with pytest.raises(IntegrityError):
        await _write(database, _add_orphan, whole=whole)
    async with database.writing() as connection:
        await connection.text("INSERT INTO parents VALUES (7)")
    async with database.reading() as connection:
        assert (await connection.text("SELECT * FROM parents UNION ALL SELECT * FROM children")).all() == [
            (7,)
        ]
    await database.close()


async def test_whoever_is_in_a_hurry_waits_for_a_locked_file_for_a_second(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/x.db", statement_seconds=60)
    database.open_for_use()
    await database.transaction(_make)
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(30):
            with pytest.raises(StoreUnavailable, match="locked"):
                async with database.writing(hasty=True) as connection:
                    await connection.text("SELECT 1")
    await database.close()


@pytest.mark.parametrize("whole", [False, True])
async def test_whoever_waits_while_it_is_closed_is_told_so(tmp_path: Path, *, whole: bool) -> None:
    database = Database(f"sqlite:///{tmp_path}/x.db")
    database.open_for_use()
    over = threading.Event()

    async with asyncio.TaskGroup() as group:
        group.create_task(database.transaction(lambda _: over.wait(10)))
        waiting = asyncio.gather(_write(database, _make, whole=whole), return_exceptions=True)
        await asyncio.sleep(0)
        group.create_task(database.close())
        await asyncio.sleep(0)
        over.set()
    [told] = await waiting
    assert isinstance(told, StoreUnavailable)
    assert "closed" in str(told)


async def test_what_was_begun_when_it_is_closed_ends_well(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/x.db")
    database.open_for_use()
    async with asyncio.TaskGroup() as group, database.writing() as connection:
        await connection.run(_make)
        group.create_task(database.close())
        await asyncio.sleep(0)
        await connection.run(partial(_add, 1))
    with closing(sqlite3.connect(tmp_path / "x.db")) as other:
        assert other.execute("SELECT n FROM counted").fetchall() == [(1,)]


async def test_a_transaction_nobody_waits_for_any_more_goes_on_to_its_end(record: Record) -> None:
    database = record.database
    await database.transaction(_make)
    task = asyncio.get_running_loop().create_task(database.transaction(partial(_add, 1)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert await database.transaction(_all) == ([1] if database.is_sqlite else [])


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError("no"), TimeoutError(), socket.gaierror("no such host")]
)
def test_a_network_error_is_unavailable(error: OSError) -> None:
    with pytest.raises(StoreUnavailable), mapped():
        raise error


def test_a_fault_of_ours_stays_one() -> None:
    with pytest.raises(ZeroDivisionError), mapped():
        raise ZeroDivisionError
