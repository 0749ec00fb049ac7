"""Writes entries into the store: any entry any number of times, in any order, with the same end."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import bindparam, case, select, update

from bridge.core.model import Cut, Entry, Message, Result, Role, Status
from persistence.codec import storable
from persistence.connection import Connection
from persistence.engine import Database
from persistence.rows import from_entry, shortened
from persistence.tables import CONVERSATIONS, ENTRIES, NOTED_CALLS

Key = tuple[str, int, int]

_COLUMNS = CONVERSATIONS.c
_AT = bindparam("at", type_=_COLUMNS.last_activity_at.type)
# Statements are built once: to build one takes longer than SQLite needs to run it.
OWNERS = (
    select(_COLUMNS.id, _COLUMNS.user_id)
    .where(_COLUMNS.id.in_(bindparam("ids", expanding=True)))
    .order_by(_COLUMNS.id)  # everybody in the same order: no deadlock
    .with_for_update(key_share=True)
)
TOUCH = (
    update(CONVERSATIONS)
    .where(_COLUMNS.id == bindparam("key"))
    .values(
        message_count=_COLUMNS.message_count + bindparam("more"),
        last_activity_at=case((_COLUMNS.last_activity_at < _AT, _AT), else_=_COLUMNS.last_activity_at),
        title=case(
            (_COLUMNS.title == "", bindparam("wish", type_=_COLUMNS.title.type)), else_=_COLUMNS.title
        ),
    )
)
CUT = (
    update(ENTRIES)
    .where(
        ENTRIES.c.conversation_id == bindparam("key"),
        ENTRIES.c.epoch == bindparam("in_epoch"),
        ENTRIES.c.idx == bindparam("at_idx"),
    )
    .values(interrupted=True, heard=bindparam("part"))
)


async def write(
    connection: Connection, database: Database, entries: list[Entry], *, again: bool = False
) -> None:
    """Insert what is not there yet and bring conversations and messages up to date with it.

    Entries of a conversation that is gone, or somebody else's, are dropped. `again`: these were in the store
    once and it may have lost them, and with them the effects of calls: those that are gone are run again.
    """
    owners = await _lock(connection, {entry.conversation_id for entry in entries})
    mine = (entry for entry in entries if owners.get(entry.conversation_id) == entry.user_id)
    kept = list({_key(entry): entry for entry in mine}.values())
    if not kept:
        return
    written = await connection.execute(
        database.insert(ENTRIES)
        .on_conflict_do_nothing()
        .returning(ENTRIES.c.conversation_id, ENTRIES.c.epoch, ENTRIES.c.idx),
        [from_entry(entry) for entry in kept],
    )
    new = {tuple(row) for row in written}
    fresh = [entry for entry in kept if _key(entry) in new]
    if fresh:
        await _touch(connection, fresh)
        await _cut(connection, fresh)
        await _note(connection, database, fresh, {Status.NOTED, Status.DONE} if again else {Status.NOTED})


def _key(entry: Entry) -> Key:
    return entry.conversation_id, entry.cursor.epoch, entry.cursor.idx


async def _lock(connection: Connection, ids: set[str]) -> dict[str, str]:
    """The owners of those conversations that are there; nobody deletes them before this transaction ends."""
    rows = await connection.execute(OWNERS, {"ids": sorted(ids)})
    return {row.id: row.user_id for row in rows}


async def _touch(connection: Connection, entries: list[Entry]) -> None:
    """Count the messages, note the activity, make a title of the first wish."""
    by_conversation: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_conversation[entry.conversation_id].append(entry)
    await connection.execute(TOUCH, [_news(key, mine) for key, mine in sorted(by_conversation.items())])


def _news(conversation_id: str, entries: list[Entry]) -> dict[str, Any]:
    messages = [entry.what for entry in entries if isinstance(entry.what, Message)]
    wishes = [shortened(storable(what.content)) for what in messages if what.role is Role.USER]
    return {
        "key": conversation_id,
        "more": len(messages),
        "at": max(entry.at for entry in entries),
        "wish": next((wish for wish in wishes if wish), ""),
    }


async def _note(
    connection: Connection, database: Database, entries: list[Entry], statuses: set[Status]
) -> None:
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
        if isinstance(entry.what, Result)
        and entry.what.ours
        and entry.what.of
        and entry.what.outcome.status in statuses
    ]
    if notes:
        await connection.execute(database.insert(NOTED_CALLS).on_conflict_do_nothing(), notes)


async def _cut(connection: Connection, entries: list[Entry]) -> None:
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
        await connection.execute(CUT, cuts)
