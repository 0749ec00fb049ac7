"""Writes entries into the store: any entry any number of times, in any order, with the same end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, bindparam, update

from bridge.core.model import Cursor, Cut, Entry, Result, Role, Status
from persistence.batch_sql import Key, sql_of
from persistence.codec import storable
from persistence.engine import Database
from persistence.rows import from_entry, shortened
from persistence.tables import ENTRIES, NOTED_CALLS

CUT: Final = (
    update(ENTRIES)
    .where(
        ENTRIES.c.conversation_id == bindparam("key"),
        ENTRIES.c.epoch == bindparam("in_epoch"),
        ENTRIES.c.idx == bindparam("at_idx"),
    )
    .values(interrupted=True, heard=bindparam("part"))
)


def write(connection: Connection, database: Database, entries: list[Entry], *, again: bool = False) -> None:
    """Insert what is not there yet and bring conversations and messages up to date with it.

    Entries of a conversation that is gone, or somebody else's, are dropped. `again`: these were in the store
    once and it may have lost them, and with them the effects of calls: those that are gone are run again.
    """
    sql = sql_of(connection)
    owners = sql.owners(connection, {entry.conversation_id for entry in entries})
    mine = (entry for entry in entries if owners.get(entry.conversation_id) == entry.user_id)
    kept = {_key(entry): entry for entry in mine}
    if not kept:
        return
    rows = {key: from_entry(entry) for key, entry in kept.items()}
    new = sql.insert(connection, [*rows.values()])
    if fresh := [entry for key, entry in kept.items() if key in new]:
        sql.touch(connection, _news(row for key, row in rows.items() if key in new))
        _cut(connection, fresh)
        _note(connection, database, [entry for entry in fresh if is_to_run(entry, again=again)])


def is_to_run(entry: Entry, *, again: bool) -> bool:
    """It ends a call whose effect is not in the store. `again`: see `write`."""
    match entry.what:
        case Result(ours=True, of=Cursor(), outcome=outcome):
            return outcome.status is Status.NOTED or (again and outcome.status is Status.DONE)
        case _:
            return False


def _key(entry: Entry) -> Key:
    return entry.conversation_id, entry.cursor.epoch, entry.cursor.idx


def _news(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each conversation: its messages counted, its activity, a title of the first wish."""
    news: dict[str, dict[str, Any]] = {}
    for row in rows:
        blank = {"key": row["conversation_id"], "more": 0, "at": "", "wish": ""}
        mine = news.setdefault(row["conversation_id"], blank)
        mine["at"] = max(mine["at"], row["at"])
        if row["kind"] == "message":
            mine["more"] += 1
            if row["role"] == Role.USER:
                mine["wish"] = mine["wish"] or shortened(row["content"])
    return [*news.values()]


def _note(connection: Connection, database: Database, entries: list[Entry]) -> None:
    """Remember the calls that are still to be run (see notes.py); the ledger knows those that were."""
    notes = [
        {
            "conversation_id": entry.conversation_id,
            "epoch": entry.cursor.epoch,
            "idx": entry.cursor.idx,
            "call_epoch": entry.what.of.epoch,
            "call_idx": entry.what.of.idx,
        }
        for entry in entries
        if isinstance(entry.what, Result) and entry.what.of
    ]
    if notes:
        connection.execute(database.insert(NOTED_CALLS).on_conflict_do_nothing(), notes)


def _cut(connection: Connection, entries: list[Entry]) -> None:
    """Note on the messages themselves how much of them was heard."""
    cuts = [
        {
            "key": entry.conversation_id,
            "in_epoch": entry.what.of.epoch,
            "at_idx": entry.what.of.idx,
            "part": storable(entry.what.heard),
        }
        for entry in entries
        if isinstance(entry.what, Cut)
    ]
    if cuts:
        connection.execute(CUT, cuts)
