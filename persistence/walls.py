"""The second wall: PostgreSQL itself shows each user's rows to nobody else, should a query of ours forget to.

Each transaction says for whom it works; one that says nothing sees nothing. The tables' policies are in
migration 0009.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.errors import BadConfig
from persistence.tables import METADATA

RIGHTS: Final = "SELECT, INSERT, UPDATE, DELETE"
"""On our tables, of who works for a user."""
_USER: Final = """
SELECT set_config('bridge.user', $1, true),
       set_config('role', coalesce((
           SELECT rolname FROM pg_roles WHERE rolname = 'voice_bridge_user' AND pg_has_role(
               current_user, oid,
               CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END)
       ), 'none'), true)
"""
"""The role owns nothing, and no policy is below it, as it would be for a superuser.

Since PostgreSQL 16 whoever made it, and is no superuser, is a member that may not take it.
"""
_MAKE_ROLE: Final = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'voice_bridge_user') THEN
        CREATE ROLE voice_bridge_user NOLOGIN;
    END IF;
EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
    RAISE NOTICE 'no role voice_bridge_user: policies hold for the owner of the tables all the same';
END $$
"""
_SHUT_OUT: Final = """
SELECT pg_class.oid::regclass::text AS name, relkind = 'S' AS is_sequence
FROM pg_roles, pg_class
WHERE rolname = 'voice_bridge_user' AND pg_has_role(current_user, pg_roles.oid, 'MEMBER')
      AND relnamespace = current_schema()::regnamespace
      AND (relkind = 'r' AND relname = ANY($1::text[]) OR relkind = 'S' AND EXISTS (
           SELECT FROM pg_depend JOIN pg_class AS ours ON ours.oid = refobjid
           WHERE objid = pg_class.oid AND ours.relname = ANY($1::text[])))
      AND NOT CASE relkind
           WHEN 'S' THEN has_sequence_privilege(pg_roles.oid, pg_class.oid, 'USAGE')
           ELSE has_schema_privilege(pg_roles.oid, relnamespace, 'USAGE')
                AND has_table_privilege(pg_roles.oid, pg_class.oid, 'SELECT')
                AND has_table_privilege(pg_roles.oid, pg_class.oid, 'INSERT')
                AND has_table_privilege(pg_roles.oid, pg_class.oid, 'UPDATE')
                AND has_table_privilege(pg_roles.oid, pg_class.oid, 'DELETE')
       END
"""
"""Our tables, and what numbers their rows, that the role, which we may take, may not use."""
_OPEN_SCHEMA: Final = """
DO $$ BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO voice_bridge_user', current_schema());
END $$
"""
_SYSTEM: Final = "SELECT set_config('bridge.system', 'on', true)"


async def work_for(connection: AsyncConnection, user_id: str | None) -> None:
    """Until this transaction ends its rows are those of that user; None: of all, for work of the system."""
    if user_id is None:
        await connection.exec_driver_sql(_SYSTEM)
    else:
        await connection.exec_driver_sql(_USER, (user_id,))


def see_all(connection: Connection) -> None:
    """For the rest of this transaction: everybody's rows, to find out why something is not there."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_SYSTEM)


async def let_users_in(connection: AsyncConnection) -> None:
    """Make the role if we may, and let it use our tables: new ones, and those restored without privileges.

    What else is in the schema is somebody else's.

    PostgreSQL only. Raises BadConfig when the tables are somebody else's, who did not let it in.
    """
    await connection.exec_driver_sql(_MAKE_ROLE)
    if not (shut_out := await _shut_out(connection)):
        return
    try:
        await connection.exec_driver_sql(_OPEN_SCHEMA)
        for name, rights in shut_out:
            await connection.exec_driver_sql(f"GRANT {rights} ON {name} TO voice_bridge_user")
    except ProgrammingError as error:
        raise _not_let_in() from error
    if await _shut_out(connection):  # PostgreSQL warns only of one who may use a table but let nobody in
        raise _not_let_in()


async def _shut_out(connection: AsyncConnection) -> list[tuple[str, str]]:
    """Tables and sequences, quoted, and the rights that the role needs on each."""
    found = await connection.exec_driver_sql(_SHUT_OUT, ([*METADATA.tables],))
    return [
        (f"SEQUENCE {row.name}", "USAGE") if row.is_sequence else (row.name, RIGHTS) for row in found.all()
    ]


def _not_let_in() -> BadConfig:
    told = f"GRANT {RIGHTS} ON ALL TABLES IN SCHEMA … TO voice_bridge_user"
    return BadConfig(f"the owner of the tables has to let our role use them: {told}")
