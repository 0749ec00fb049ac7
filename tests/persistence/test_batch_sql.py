"""The SQL of batches stores what SQLAlchemy, which reads it again, would have stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from bridge.core.model import Call, Cursor, Cut, Entry, FunctionCall, Message, Modality, Role, What
from persistence.batch_sql import sql_of
from persistence.record import Record
from persistence.rows import from_entry, time_text
from persistence.tables import ENTRIES
from tests.persistence.build import begun, entry

LATE = datetime(2026, 11, 20, 23, 59, 59, 7, tzinfo=timezone(timedelta(hours=-3)))
CALL = FunctionCall(id="a", name="add_goal", arguments='{"x": 1}', thought_signature="s")


def _as_sqlalchemy_does(item: Entry, connection: Connection) -> None:
    values = from_entry(item)
    connection.execute(insert(ENTRIES), {**values, "at": item.at, "detail": orjson.loads(values["detail"])})


def _columns(connection: Connection) -> list[tuple[Any, ...]]:
    names = ", ".join(name for name in ENTRIES.c.keys() if name != "idx")  # noqa: SIM118 - columns
    return [tuple(row) for row in connection.exec_driver_sql(f"SELECT {names} FROM entries ORDER BY idx")]


@pytest.mark.parametrize(
    "what",
    [
        Message(
            Role.USER,
            "ünï ☕ 'quoted' \"twice\"",
            Modality.TEXT,
            {"n": 2**60, "deep": [{"x": None, "y": 0.1}]},
        ),
        Message(Role.ASSISTANT, "", Modality.VOICE, {}),
        Call(request="r", function=CALL),
        Cut(Cursor(1, 0), "hea"),
    ],
)
async def test_a_row_is_stored_as_sqlalchemy_stores_it(record: Record, what: What) -> None:
    claim = await begun(record)
    theirs, ours = entry(claim, 1, what, at=LATE), entry(claim, 2, what, at=LATE)
    await record.database.transaction(partial(_as_sqlalchemy_does, theirs))
    await record.database.transaction(
        lambda connection: sql_of(connection).insert(connection, [from_entry(ours)])
    )
    one, other = await record.database.transaction(_columns)
    assert one == other


async def test_an_instant_without_a_zone_is_refused(record: Record) -> None:
    claim = await begun(record)
    with pytest.raises(ValueError, match="zone"):
        from_entry(entry(claim, 0, "x", at=LATE.replace(tzinfo=None)))


async def test_only_what_was_not_there_is_told_and_the_newest_activity_stays(record: Record) -> None:
    claim = await begun(record)
    rows = [from_entry(entry(claim, idx, "x")) for idx in range(3)]
    key = claim.conversation.id
    later = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)

    def work(connection: Connection) -> None:
        sql = sql_of(connection)
        assert sql.owners(connection, {key, "nobody's"}) == {key: claim.conversation.user_id}
        assert sql.insert(connection, rows[1:2]) == {(key, 1, 1)}
        assert sql.insert(connection, rows) == {(key, 1, 0), (key, 1, 2)}
        for at, wish in ((later, ""), (LATE, "first"), (LATE, "second")):
            sql.touch(connection, [{"key": key, "more": 2, "at": time_text(at), "wish": wish}])

    await record.database.transaction(work)
    conversation = await record.store.conversation(claim.conversation.user_id, key)
    assert (conversation.message_count, conversation.title) == (6, "first")
    assert conversation.last_activity_at == later


@given(st.datetimes(timezones=st.just(UTC)))
@example(LATE)
@example(datetime(2026, 11, 20, tzinfo=UTC))
def test_instants_are_written_as_sqlite_has_them(at: datetime) -> None:
    assert time_text(at) == at.astimezone(UTC).isoformat(" ", "microseconds")
