"""The second wall: PostgreSQL itself shows each user's rows to nobody else, should a query of ours forget to.

Each transaction says for whom it works; one that says nothing sees nothing. The tables' policies are in
migration 0009.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

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
_SYSTEM: Final = "SELECT set_config('bridge.system', 'on', true)"


async def work_for(connection: AsyncConnection, user_id: str | None) -> None:
    """Until this transaction ends its rows are those of that user; None: of all, for work of the system."""
    if user_id is None:
        await connection.exec_driver_sql(_SYSTEM)
    else:
        await connection.exec_driver_sql(_USER, (user_id,))
