"""Finding conversations by what was said in them, whatever the case of its letters."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_

from persistence.tables import CONVERSATIONS, ENTRIES


def mentions(text: str, *, sqlite: bool) -> ColumnElement[bool]:
    """The condition: `text` stands in the title or in a message. It is a text, not a pattern."""
    contains = _contains_sqlite if sqlite else _contains_postgresql
    said = exists().where(
        and_(
            ENTRIES.c.conversation_id == CONVERSATIONS.c.id,
            ENTRIES.c.kind == "message",
            contains(ENTRIES.c.content, text),
        )
    )
    return or_(contains(CONVERSATIONS.c.title, text), said)


def _contains_sqlite(column: Any, text: str) -> ColumnElement[bool]:
    """`casefold` is ours (sqlite.py): SQLite's own `lower` knows ASCII only."""
    found: ColumnElement[bool] = func.instr(func.casefold(column), text.casefold()) > 0
    return found


def _contains_postgresql(column: Any, text: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.icontains(text, autoescape=True)
    return found
