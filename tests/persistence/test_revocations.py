"""Watching for sign-ins that are taken back and talks that are taken over, whatever the store does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import asyncpg

from bridge.ports import SignIn
from persistence import takeovers
from persistence.accounts import Accounts
from persistence.record import Record, open_record
from tests.persistence.build import begun, until

NOW = datetime.now(UTC)
T = TypeVar("T")
SIGN_IN = SignIn(user_id="ada", digest="d", issued_at=NOW, expires_at=NOW + timedelta(days=1))


class Looks:
    """Counts how often it was asked what there is to watch."""

    def __init__(self) -> None:
        self.count = 0

    def at(self, found: T) -> T:
        self.count += 1
        return found

    async def one_more(self) -> None:
        seen = self.count
        await until(lambda: self.count > seen)


async def test_what_was_opened_just_as_its_sign_in_ended_is_closed_too(record: Record) -> None:
    """The news came before there was anything to close, and does not come again."""
    accounts, looks = Accounts(record.database), Looks()
    open_now, gone = set[SignIn](), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        watch = accounts.watch(lambda: looks.at(open_now), lambda _: gone.set())
        watching = group.create_task(watch, name="watch")
        await looks.one_more()
        await accounts.revoke(SIGN_IN, everywhere=False)
        await looks.one_more()
        open_now.add(SIGN_IN)
        async with asyncio.timeout(2):
            await gone.wait()
        watching.cancel()


async def test_a_store_without_its_tables_is_watched_again_once_it_has_them(
    postgres_url: str, tmp_path: Path
) -> None:
    """Somebody restores a backup under a server that runs."""
    async with open_record(postgres_url, tmp_path / "data") as record:
        conversation_id = (await begun(record)).conversation.id
        accounts, gone, taken = Accounts(record.database), asyncio.Event(), asyncio.Event()
        await accounts.revoke(SIGN_IN, everywhere=False)
        await _rename(postgres_url, revoked="revoked_away", leases="leases_away")
        looks, others = Looks(), Looks()
        sign_ins = accounts.watch(lambda: looks.at({SIGN_IN}), lambda _: gone.set())
        owned = {conversation_id: 0}
        take_overs = takeovers.watch(record.database, lambda: others.at(owned), lambda *_: taken.set())
        async with asyncio.TaskGroup() as group:
            watching = [
                group.create_task(sign_ins, name="sign-ins"),
                group.create_task(take_overs, name="taken"),
            ]
            for each in (looks, others, looks, others):
                await each.one_more()
            await _rename(postgres_url, revoked_away="revoked", leases_away="leases")
            async with asyncio.timeout(5):
                await gone.wait()
                await taken.wait()
            for task in watching:
                task.cancel()


async def _rename(url: str, **tables: str) -> None:
    connection = await asyncpg.connect(url)
    for before, after in tables.items():
        await connection.execute(f"ALTER TABLE {before} RENAME TO {after}")
    await connection.close()
