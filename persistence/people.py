"""Users as they are stored: found, or made with defaults."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, select, update

from bridge.core.model import Person
from persistence.engine import Database
from persistence.rows import to_person
from persistence.tables import USERS

_FIND: Final = select(*USERS.c).where(USERS.c.id == bindparam("user_id"))
_KEEP: Final = _FIND.with_for_update(read=True, key_share=True)
"""They are not deleted before this transaction ends; who is being deleted is waited for."""
_BLANK: Final = dict.fromkeys(("name", "chronotype", "work_hours", "sleep_window"), "")


@dataclass(frozen=True, slots=True)
class People:
    """For use inside a transaction."""

    database: Database
    default_zone: str
    """IANA name, of people nobody has told us about."""

    def find(self, connection: Connection, user_id: str) -> Person | None:
        """Somebody who is there."""
        return _person(connection, _FIND, user_id)

    def meet(self, connection: Connection, user_id: str, time_zone: str | None = None) -> Person:
        """Whoever it is, made if need be. `time_zone`: IANA name, theirs from now on."""
        found = _person(connection, _KEEP, user_id)
        if found is None:
            blank = {"id": user_id, "time_zone": self.default_zone, "created_at": datetime.now(UTC)}
            add = self.database.insert(USERS).values(blank | _BLANK)
            connection.execute(add.on_conflict_do_nothing())  # another process may be as quick
            found = to_person(connection.execute(_FIND, {"user_id": user_id}).one())
        if time_zone in (None, found.time_zone):
            return found
        connection.execute(update(USERS).where(USERS.c.id == user_id).values(time_zone=time_zone))
        return replace(found, time_zone=time_zone)


def _person(connection: Connection, statement: Select[Any], user_id: str) -> Person | None:
    row = connection.execute(statement, {"user_id": user_id}).one_or_none()
    return None if row is None else to_person(row)
