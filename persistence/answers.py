"""What the user answered before something is done that cannot be undone: each answer is good for once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, select, tuple_, update

from bridge.core.model import Outcome, Status
from persistence.codec import decode_outcome
from persistence.tables import FUNCTION_CALLS

ANSWERED: Final = "answered"
"""Status of a call that ended UNCONFIRMED, and whose answer has been used."""


def use(
    connection: Connection, alike: ColumnElement[bool], answered: list[tuple[str, str]], question: Outcome
) -> bool:
    """Use up the answer to that very question, however often it was asked; False = there is none.

    `alike` picks the calls of this conversation that have the same function and arguments, `answered` are the
    (request, call id) of those that the user has answered.
    """
    calls = FUNCTION_CALLS.c
    key = tuple_(calls.request, calls.call_id)
    asked = and_(alike, calls.status == Status.UNCONFIRMED.value)
    rows = connection.execute(select(calls.request, calls.call_id, calls.result).where(asked))
    same = {(row.request, row.call_id) for row in rows.all() if _same(row.result, question)}

    def end(keys: set[tuple[str, str]]) -> bool:
        ended = update(FUNCTION_CALLS).where(asked, key.in_(keys)).values(status=ANSWERED)
        return bool(connection.execute(ended).rowcount)

    if not end(same.intersection(answered)):
        return False
    end(same)  # what was asked twice is answered once
    return True


def _same(result: Any, question: Outcome) -> bool:
    """The words and the thing they are about: it may be called otherwise now, or be another one."""
    asked = decode_outcome(result)
    return replace(asked, duration_ms=0) == replace(question, duration_ms=0)
