"""Brings a database's tables up to date at start-up: one transaction, under a lock, whoever else starts."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge.errors import BadConfig
from persistence.walls import let_users_in, work_for

PATIENCE_SECONDS: Final = 600
"""A migration's time; give it an engine that lets it have it."""
_LOCK: Final = 0x766F696365  # "voice"; any number nobody else uses on this database


async def migrate(engine: AsyncEngine) -> None:
    """Make the tables what this version needs. Who comes second waits, and finds nothing to do.

    Killed in the middle it leaves nothing half-made. Raises BadConfig when the database is newer than we are.
    """
    async with engine.execution_options(immediate=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            await connection.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            await work_for(connection, None)
        await connection.run_sync(_upgrade)
        if connection.dialect.name == "postgresql":
            await let_users_in(connection)


def alembic_config() -> Config:
    """Alembic's settings, without a file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _upgrade(connection: Connection) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except (CommandError, ResolutionError) as error:
        raise BadConfig(f"the database does not belong to this version of the program: {error}") from error


async def revisions(engine: AsyncEngine) -> tuple[str | None, bool]:
    """What the tables are (None: there are none), and whether that is what this version needs.

    Changes nothing. Raises BadConfig when the database is newer than we are.
    """
    async with engine.connect() as connection:
        there = await connection.run_sync(_revision)
    steps = ScriptDirectory.from_config(alembic_config())
    try:
        steps.get_revision(there or "base")
    except (CommandError, ResolutionError) as error:
        raise BadConfig(f"the database does not belong to this version of the program: {error}") from error
    return there, there == steps.get_current_head()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
