"""The SQL that every batch needs, for each database: SQLAlchemy takes longer over a row than SQLite does.

Rows are mappings; their values are text, times and JSON too, and numbers. What the driver raises comes out,
and TypeError or OverflowError for a number that is too large.
"""
# ruff: noqa: S608 - what is put together are our own names

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, Protocol

import orjson
from sqlalchemy import Connection

Key = tuple[str, int, int]
"""Of an entry: conversation, epoch, idx."""
Rows = Sequence[Mapping[str, Any]]

_ENTRY: Final = {
    "conversation_id": "text",
    "epoch": "bigint",
    "idx": "bigint",
    "user_id": "text",
    "at": "timestamptz",
    "kind": "text",
    "role": "text",
    "content": "text",
    "input_modality": "text",
    "interrupted": "boolean",
    "heard": "text",
    "detail": "jsonb",
}
_NEWS: Final = {"key": "text", "more": "bigint", "at": "timestamptz", "wish": "text"}
"""Of a conversation: messages more, its newest time, what may become its title."""
_NAMES: Final = ", ".join(_ENTRY)


class BatchSql(Protocol):
    """What every batch does."""

    def owners(self, connection: Connection, ids: Collection[str]) -> dict[str, str]:
        """Of those conversations that are there; nobody deletes them before this transaction ends."""
        ...

    def insert(self, connection: Connection, rows: Rows) -> set[Key]:
        """Entries that are not there yet; which those were."""
        ...

    def touch(self, connection: Connection, rows: Rows) -> None:
        """The news of conversations."""
        ...


class SqliteSql:
    """Row by row, in the driver. Times are without their zone in a file: all are UTC."""

    _OWNERS: Final = "SELECT id, user_id FROM conversations WHERE id IN (SELECT value FROM json_each(?))"
    _PLACES: Final = ", ".join("substr(?, 1, 26)" if name == "at" else "?" for name in _ENTRY)
    _INSERT: Final = f"INSERT INTO entries ({_NAMES}) VALUES ({_PLACES}) ON CONFLICT DO NOTHING"
    _VALUES: Final = itemgetter(*_ENTRY)  # by place: by name costs the driver more
    _TOUCH: Final = """
        UPDATE conversations SET
            message_count = message_count + :more,
            last_activity_at = max(last_activity_at, substr(:at, 1, 26)),
            title = CASE WHEN title = '' THEN :wish ELSE title END
        WHERE id = :key
    """

    def owners(self, connection: Connection, ids: Collection[str]) -> dict[str, str]:
        """See BatchSql. There is one writer: nothing needs a lock."""
        given = orjson.dumps([*ids]).decode()
        return dict(connection.connection.cursor().execute(self._OWNERS, (given,)))

    def insert(self, connection: Connection, rows: Rows) -> set[Key]:
        """See BatchSql."""
        cursor = connection.connection.cursor()
        return {
            (row["conversation_id"], row["epoch"], row["idx"])
            for row in rows
            if cursor.execute(self._INSERT, self._VALUES(row)).rowcount
        }

    def touch(self, connection: Connection, rows: Rows) -> None:
        """See BatchSql."""
        connection.connection.cursor().executemany(self._TOUCH, rows)


def _given(columns: Mapping[str, str]) -> str:
    """All rows as a table; they are one parameter, a JSON array of objects."""
    texts = ", ".join(f"{name} text" for name in columns)
    values = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in columns.items())
    return f"(SELECT {values} FROM jsonb_to_recordset(CAST($1 AS text)::jsonb) AS raw ({texts})) AS given"


class PostgresqlSql:
    """All rows in one go."""

    _OWNERS: Final = (
        f"SELECT id, user_id FROM conversations WHERE id IN (SELECT key FROM {_given({'key': 'text'})})"
        " ORDER BY id FOR NO KEY UPDATE"  # everybody in the same order: no deadlock
    )
    _INSERT: Final = (
        f"INSERT INTO entries ({_NAMES}) SELECT {_NAMES} FROM {_given(_ENTRY)}"
        " ON CONFLICT DO NOTHING RETURNING conversation_id, epoch, idx"
    )
    _TOUCH: Final = f"""
        UPDATE conversations SET
            message_count = message_count + more,
            last_activity_at = greatest(last_activity_at, at),
            title = CASE WHEN title = '' THEN wish ELSE title END
        FROM {_given(_NEWS)} WHERE id = key
    """

    def owners(self, connection: Connection, ids: Collection[str]) -> dict[str, str]:
        """See BatchSql."""
        return dict(_run(connection, self._OWNERS, [{"key": key} for key in ids]))

    def insert(self, connection: Connection, rows: Rows) -> set[Key]:
        """See BatchSql."""
        return {*_run(connection, self._INSERT, rows)}

    def touch(self, connection: Connection, rows: Rows) -> None:
        """See BatchSql."""
        _run(connection, self._TOUCH, rows)


def _run(connection: Connection, sql: str, rows: Rows) -> list[tuple[Any, ...]]:
    found = connection.exec_driver_sql(sql, (orjson.dumps(rows).decode(),))
    return [tuple(row) for row in found] if found.returns_rows else []


def sql_of(connection: Connection) -> BatchSql:
    """That of its database."""
    return SqliteSql() if connection.dialect.name == "sqlite" else PostgresqlSql()
