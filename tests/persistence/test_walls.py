"""PostgreSQL shows each user's rows to nobody else, even when a query forgets to ask for them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Table, delete, event, func, select, update
from sqlalchemy.exc import DBAPIError

from bridge.core.model import Message, Role
from bridge.errors import BadConfig
from bridge.ports import Rate
from persistence.engine import Database
from persistence.record import Record, open_record
from persistence.store import Store
from persistence.tables import ATTEMPTS, CONVERSATIONS, ENTRIES, FUNCTION_CALLS, GOALS, METADATA, TASKS
from tests.persistence.build import entry
from tests.support.postgres import PostgresServer

NOT_A_USERS = {"graves"}
"""For everybody: ids of what was deleted, and nothing else."""
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def mine(table: Table) -> str:
    """The column that says whose a row is; empty: no user sees any."""
    return {"users": "id"}.get(table.name) or ("user_id" if table.name in OF_USERS else "")


OF_USERS = {"conversations", "leases", "entries", "function_calls", "goals", "tasks", "usage", "starts"}


async def rows_of(record: Record, user_id: str) -> None:
    """Something of that user's in every table."""
    claim = await record.store.claim(user_id, agent="flux", conversation_id=None)
    key = claim.conversation.id
    await record.journal.append(entry(claim, 0, Message(Role.USER, "Hello.")))
    await record.store.release(user_id, key, epoch=1, seconds=5)
    await record.store.spend({user_id: 5})
    await record.store.count_session(user_id, [Rate(20, 86_400)])
    at = datetime.now(UTC)
    async with record.database.writing() as connection:
        for table, values in {
            "function_calls": {"request": "r", "call_id": "c", "epoch": 1, "name": "f", "arguments": {}}
            | {"fingerprint": "", "status": "done", "started_at": at},
            "goals": {"statement": "", "timeline": "", "context_notes": "", "status": "", "created_at": at},
            "tasks": {
                "title": "",
                "trigger_type": "",
                "status": "",
                "reschedule_reason": "",
                "created_at": at,
            },
        }.items():
            row = {"conversation_id": key, "user_id": user_id, **values}
            await connection.execute(METADATA.tables[table].insert().values(row))
        for table, values in {
            "tickets": {"digest": uuid4().hex, "conversation_id": key, "expires_at": at},
            "noted_calls": {"conversation_id": key, "epoch": 1, "idx": 0, "call_epoch": 1, "call_idx": 0},
            "graves": {"conversation_id": uuid4().hex, "dug_at": at},
            "accounts": {"user_id": user_id, "locked": False, "deleted": False, "created_at": at},
            "sign_ins": {"digest": uuid4().hex, "user_id": user_id, "issued_at": at, "expires_at": at},
            "revoked": {"digest": uuid4().hex, "expires_at": at},
            "attempts": {"key": uuid4().hex, "failures": 1, "last_at": at, "wait_until": at},
        }.items():
            await connection.execute(METADATA.tables[table].insert().values(values))


@pytest.fixture
async def two(postgres_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    """Ada and Bob have something everywhere."""
    async with open_record(postgres_url, tmp_path / "data") as record:
        for user_id in ("ada", "bob"):
            await rows_of(record, user_id)
        yield record.database


async def test_a_query_that_forgets_whose_rows_it_wants_gets_the_users_own(two: Database) -> None:
    for table in METADATA.tables.values():
        async with two.reading() as system:
            everything = (await system.execute(select(table))).all()
        assert len(everything) >= 2, f"{table.name}: the test must put something there"
        async with two.reading("ada") as connection:
            seen = (await connection.execute(select(table))).mappings().all()
        if table.name in NOT_A_USERS:
            continue
        column = mine(table)
        assert {row[column] for row in seen} == {"ada"} if column else not seen, table.name


async def test_a_transaction_that_says_for_whom_it_works_not_at_all_sees_nothing(two: Database) -> None:
    async with two.engine.connect() as connection:
        await connection.exec_driver_sql("SET LOCAL ROLE voice_bridge_user")
        for table in METADATA.tables.values():
            if table.name not in NOT_A_USERS:
                assert not (await connection.execute(select(table))).all(), table.name


async def test_nobody_changes_or_deletes_what_is_not_theirs(two: Database) -> None:
    async with two.writing("ada") as connection:
        await connection.execute(update(TASKS).values(title="ada was here"))
        await connection.execute(update(CONVERSATIONS).values(title="ada was here"))
        for table in (GOALS, FUNCTION_CALLS, ENTRIES):
            await connection.execute(delete(table))
    async with two.reading() as system:
        titles = await system.execute(select(TASKS.c.user_id, TASKS.c.title))
        assert {row.user_id: row.title for row in titles} == {"ada": "ada was here", "bob": ""}
        for table in (GOALS, FUNCTION_CALLS, ENTRIES):
            assert (await system.execute(select(table.c.user_id))).scalars().all() == ["bob"]


async def test_nobody_makes_something_for_somebody_else(two: Database) -> None:
    goal = {"statement": "", "timeline": "", "context_notes": "", "status": "", "created_at": NOW}
    with pytest.raises(DBAPIError, match="row-level security"):
        async with two.writing("ada") as connection:
            await connection.execute(GOALS.insert().values(user_id="bob", **goal))
    with pytest.raises(DBAPIError, match="row-level security"):
        async with two.writing("ada") as connection:
            await connection.execute(update(TASKS).values(user_id="bob"))
    attempt = {"key": "k", "failures": 0, "last_at": NOW, "wait_until": NOW}
    with pytest.raises(DBAPIError, match="row-level security"):
        async with two.writing("ada") as connection:
            await connection.execute(ATTEMPTS.insert().values(attempt))


async def test_a_connection_remembers_nobody(two: Database) -> None:
    """One connection after the other is out of the same pool."""
    for _ in range(12):
        for user_id in ("ada", "bob"):
            async with two.reading(user_id) as connection:
                assert (await connection.execute(select(GOALS.c.user_id))).scalars().all() == [user_id]
        async with two.reading() as system:
            assert await system.scalar(select(func.count()).select_from(GOALS)) == 2


WALLS = """
SELECT relname AS name, relrowsecurity AND relforcerowsecurity AS walled,
       (SELECT array_agg(polname::text ORDER BY polname) FROM pg_policy WHERE polrelid = pg_class.oid)
       AS policies
FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
"""


async def test_every_table_has_its_policies(two: Database) -> None:
    """A new one needs them in the migration that makes it: see migration 0009."""
    async with two.reading() as system:
        found = (await system.text(WALLS)).all()
    assert {table.name for table in found} == {*METADATA.tables, "alembic_version"}
    for table in found:
        if table.name != "alembic_version":
            assert table.walled, table.name
            assert table.policies == ["of_the_system", "of_the_user"], table.name


@pytest.fixture
def plain_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database whose owner may do nothing but own it."""
    name = f"plain_{uuid4().hex}"
    postgres_server.run(f"CREATE ROLE {name} LOGIN", f"CREATE DATABASE {name} OWNER {name}")
    yield postgres_server.url(name).replace("//bridge@", f"//{name}@")
    postgres_server.run(f"DROP DATABASE {name} WITH (FORCE)", f"DROP ROLE {name}")


async def test_the_walls_hold_for_an_owner_who_may_make_no_roles(plain_url: str, tmp_path: Path) -> None:
    async with open_record(plain_url, tmp_path / "data") as record:
        for user_id in ("ada", "bob"):
            await rows_of(record, user_id)
        for user_id in ("ada", "bob"):
            async with record.database.reading(user_id) as connection:
                role = await connection.scalar(select(func.current_user()))
                assert (await connection.execute(select(GOALS.c.user_id))).scalars().all() == [user_id]
            assert role.startswith("plain_")
        async with record.database.engine.connect() as nobody:
            assert not (await nobody.execute(select(ENTRIES))).all()


async def test_whoever_made_the_role_but_may_not_take_it_has_the_walls_all_the_same(
    plain_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """PostgreSQL 16 and newer: so is an owner who may make roles, as those of most hosts are."""
    owner = plain_url.rpartition("/")[2]
    grant = f"GRANT voice_bridge_user TO {owner} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE"
    await asyncio.to_thread(postgres_server.run, grant)
    async with open_record(plain_url, tmp_path / "data") as record:
        for user_id in ("ada", "bob"):
            await rows_of(record, user_id)
        async with record.database.reading("ada") as connection:
            assert (await connection.execute(select(GOALS.c.user_id))).scalars().all() == ["ada"]


REVOKED = tuple(
    f"REVOKE ALL ON {what} FROM voice_bridge_user"
    for what in ("ALL TABLES IN SCHEMA public", "ALL SEQUENCES IN SCHEMA public", "SCHEMA public")
)


async def test_what_was_restored_without_privileges_is_put_right_at_the_next_start(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    database = postgres_url.rpartition("/")[2]
    await asyncio.to_thread(postgres_server.run, *REVOKED, database=database)
    async with open_record(postgres_url, tmp_path / "data") as record:
        for user_id in ("ada", "bob"):
            await rows_of(record, user_id)
        await asyncio.to_thread(postgres_server.run, *REVOKED[:2], database=database)
        with pytest.raises(DBAPIError, match="permission denied"):
            await record.store.goals("ada")
    async with open_record(postgres_url, tmp_path / "data") as record, record.database.reading("ada") as ada:
        assert await ada.scalar(select(func.current_user())) == "voice_bridge_user"
        assert (await ada.execute(select(GOALS.c.user_id))).scalars().all() == ["ada"]
        with pytest.raises(DBAPIError, match="permission denied"):
            await ada.text("SELECT * FROM alembic_version")


async def test_a_role_that_came_later_is_let_in_at_the_next_start(
    plain_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    owner = plain_url.rpartition("/")[2]
    async with open_record(plain_url, tmp_path / "data") as record:
        for user_id in ("ada", "bob"):
            await rows_of(record, user_id)
    await asyncio.to_thread(postgres_server.run, f"GRANT voice_bridge_user TO {owner}")
    async with open_record(plain_url, tmp_path / "data") as record, record.database.reading("ada") as ada:
        assert await ada.scalar(select(func.current_user())) == "voice_bridge_user"
        assert (await ada.execute(select(GOALS.c.user_id))).scalars().all() == ["ada"]


async def test_what_else_is_in_the_schema_is_left_alone(
    plain_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    owner = plain_url.rpartition("/")[2]
    others = "CREATE TABLE others (id serial)"
    await asyncio.to_thread(postgres_server.run, f"GRANT voice_bridge_user TO {owner}")
    await asyncio.to_thread(postgres_server.run, others, database=owner)
    async with open_record(plain_url, tmp_path / "data") as record:
        await rows_of(record, "ada")
        async with record.database.reading("ada") as ada:
            assert await ada.scalar(select(func.current_user())) == "voice_bridge_user"
            assert not await ada.scalar(select(func.has_table_privilege("others", "SELECT")))


async def test_who_does_not_own_the_tables_and_finds_the_role_shut_out_is_told_what_to_do(
    plain_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    owner = plain_url.rpartition("/")[2]
    async with open_record(plain_url, tmp_path / "data"):
        pass
    guest = f"guest_{uuid4().hex}"
    lets_in = f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {guest}"
    await asyncio.to_thread(postgres_server.run, f"CREATE ROLE {guest} LOGIN IN ROLE voice_bridge_user")
    await asyncio.to_thread(postgres_server.run, lets_in, database=owner)
    try:
        with pytest.raises(BadConfig, match="GRANT SELECT, INSERT, UPDATE, DELETE"):
            async with open_record(plain_url.replace(f"//{owner}@", f"//{guest}@"), tmp_path / "data"):
                pass
    finally:
        await asyncio.to_thread(postgres_server.run, f"DROP OWNED BY {guest}", database=owner)
        await asyncio.to_thread(postgres_server.run, f"DROP ROLE {guest}")


async def test_it_costs_one_statement_a_transaction(two: Database) -> None:
    asked: list[str] = []

    def hear(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(two.engine.sync_engine, "before_cursor_execute", hear)
    async with two.reading("ada") as connection:
        await connection.execute(select(GOALS.c.id))
    async with two.reading() as connection:
        await connection.execute(select(GOALS.c.id))
    assert ["set_config" in statement for statement in asked] == [True, False, True, False]


OF_NO_USER = {"keep_ticket", "take_ticket", "watch", "ping", "shared", "spend"}
"""A ticket is taken before it is known who brings it; the others read nobody's words."""


def test_whoever_asks_the_store_says_first_for_whom() -> None:
    methods = {name: method for name, method in vars(Store).items() if not name.startswith("_")}
    for name in OF_NO_USER:
        methods.pop(name)
    assert methods
    for name, method in methods.items():
        assert list(inspect.signature(method).parameters)[:2] == ["self", "user_id"], name
