"""The tables are what the models say, whoever makes them and however many try at once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge.errors import BadConfig
from persistence import migrate as migrate_module
from persistence.engine import make_engine
from persistence.migrate import migrate
from persistence.record import open_record
from persistence.tables import METADATA

RACER = """
import asyncio, sys
from persistence.engine import make_engine
from persistence.migrate import migrate

async def main():
    engine = make_engine(sys.argv[1], statement_seconds=60)
    print("ready", flush=True)
    sys.stdin.readline()
    await migrate(engine)
    await engine.dispose()

asyncio.run(main())
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/empty.db"
    return str(request.getfixturevalue("empty_postgres_url"))


@pytest.fixture
async def engine(empty_url: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(empty_url)
    yield engine
    await engine.dispose()


async def _tables(engine: AsyncEngine) -> set[str]:
    def names(connection: Connection) -> set[str]:
        return set(connection.dialect.get_table_names(connection))

    async with engine.connect() as connection:
        return await connection.run_sync(names)


async def test_models_and_migrations_say_the_same(engine: AsyncEngine) -> None:
    await migrate(engine)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return list(compare_metadata(context, METADATA))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_second_start_finds_nothing_to_do(engine: AsyncEngine) -> None:
    await migrate(engine)
    tables = await _tables(engine)
    await migrate(engine)
    assert await _tables(engine) == tables == {*METADATA.tables, "alembic_version"}


async def test_of_processes_that_start_at_once_one_migrates_and_all_succeed(
    engine: AsyncEngine, empty_url: str
) -> None:
    racers = [
        await asyncio.create_subprocess_exec(
            *[sys.executable, "-c", RACER, empty_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert await racer.stdout.readline() == b"ready\n"
    errors = [error for _, error in await asyncio.gather(*[racer.communicate(b"go\n") for racer in racers])]
    assert errors == [b""] * 4
    assert [racer.returncode for racer in racers] == [0] * 4
    assert await _tables(engine) == {*METADATA.tables, "alembic_version"}


async def test_a_migration_that_breaks_leaves_nothing_half_made(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = migrate_module._upgrade

    def breaks(connection: Connection) -> None:
        upgrade(connection)
        raise RuntimeError("the power went")

    monkeypatch.setattr(migrate_module, "_upgrade", breaks)
    with pytest.raises(RuntimeError):
        await migrate(engine)
    assert await _tables(engine) == set()


async def test_a_database_of_a_newer_version_is_refused_in_plain_words(
    engine: AsyncEngine, empty_url: str, data_dir: Path
) -> None:
    await migrate(engine)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(BadConfig, match="does not belong to this version"):
        async with open_record(empty_url, data_dir):
            pass
