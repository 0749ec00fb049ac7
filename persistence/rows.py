"""Rows ↔ the nouns of the core. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row

from bridge.core.model import (
    Conversation,
    Cursor,
    Entry,
    Goal,
    Message,
    Modality,
    Person,
    Role,
    Task,
    What,
)
from persistence.codec import decode_what, dump_json, encode_what, in_utc, storable

SHOWN_TITLE = 60
"""Characters of a title made from the first wish."""


def to_person(row: Row[Any]) -> Person:
    return Person(
        id=row.id,
        name=row.name,
        time_zone=row.time_zone,
        chronotype=row.chronotype,
        work_hours=row.work_hours,
        sleep_window=row.sleep_window,
    )


def to_conversation(row: Row[Any]) -> Conversation:
    return Conversation(**row._mapping)


def to_goal(row: Row[Any]) -> Goal:
    return Goal(**_without_owner(row))


def to_task(row: Row[Any]) -> Task:
    return Task(**_without_owner(row))


def _without_owner(row: Row[Any]) -> dict[str, Any]:
    return {**{key: value for key, value in row._mapping.items() if key != "user_id"}, "id": str(row.id)}


def time_text(at: datetime) -> str:
    """An instant as the SQL of batches takes it. Raises ValueError for one without a zone."""
    text = orjson.dumps(in_utc(at)).decode()  # a fifth of what isoformat() costs
    return f"{text[1:11]} {text[12:20]}{text[20:27] if at.microsecond else '.000000'}+00:00"


def from_entry(entry: Entry) -> dict[str, Any]:
    """The values of a row of `entries`, as the SQL of batches takes them."""
    what = entry.what
    if isinstance(what, Message):
        kind, role, content, modality = "message", str(what.role), storable(what.content), str(what.modality)
        detail = what.extra
    else:
        detail = body = encode_what(what)
        kind, role, content, modality = body.pop("kind"), None, "", None
    return {
        "conversation_id": entry.conversation_id,
        "epoch": entry.cursor.epoch,
        "idx": entry.cursor.idx,
        "user_id": entry.user_id,
        "at": time_text(entry.at),
        "kind": kind,
        "role": role,
        "content": content,
        "input_modality": modality,
        "interrupted": False,
        "heard": None,
        "detail": dump_json(detail).decode(),
    }


def to_entry(row: Row[Any]) -> Entry:
    """The entry of a row of `entries`, as it was appended: what a Cut did to a message is not in it."""
    if row.kind == "message":
        what: What = Message(Role(row.role), row.content, Modality(row.input_modality), row.detail)
    else:
        what = decode_what({"kind": row.kind, **row.detail})
    return Entry(
        conversation_id=row.conversation_id,
        user_id=row.user_id,
        cursor=Cursor(row.epoch, row.idx),
        at=row.at,
        what=what,
    )


def shortened(text: str) -> str:
    """A title: one line, cut after a word, at most 60 characters, the ellipsis included."""
    line = " ".join(text.split())
    if len(line) <= SHOWN_TITLE:
        return line
    head = line[:SHOWN_TITLE]
    return (head.rpartition(" ")[0] or head[:-1]).rstrip(" ,;:-–") + "…"
