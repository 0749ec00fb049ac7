"""A user's limits at several servers: one count, that no restart and no deletion begins anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import httpx2
import pytest
from limits import parse_many

from bridge.errors import TooMany
from bridge.live import meter
from persistence.lease import USER_LOCK
from tests.flows.test_quotas import refusal, server, wish
from tests.persistence.build import until
from tests.support.bridge import Running
from tests.support.client import client, start

LEFT = 6
"""Seconds of the day."""


@asynccontextmanager
async def pair(folder: Path, url: str, **limits: object) -> AsyncIterator[tuple[Running, Running]]:
    """Two servers on one database."""
    async with (
        server(folder / "a", database_url=url, **limits) as (one, _),
        server(folder / "b", database_url=url, **limits) as (two, _),
    ):
        yield one, two


async def test_new_sessions_are_counted_for_all_servers_and_for_good(
    tmp_path: Path, postgres_url: str
) -> None:
    rates = {"session_rates": tuple(parse_many("3/day"))}
    full = 429, "BRIDGE_QUOTA", "At most 3 new sessions in 1 day."
    async with pair(tmp_path, postgres_url, **rates) as (one, two):
        assert [(await wish(up)).status_code for up in (one, two)] == [201, 201]
        racing = await asyncio.gather(*[wish(up) for up in (one, two) * 3])
        assert sorted(answer.status_code for answer in racing) == [201, *[429] * 5]
        async with httpx2.AsyncClient(base_url=one.http, trust_env=False) as http:
            assert (await http.delete("/api/v1/me")).status_code == 204
        assert refusal(await wish(two)) == full
    async with server(tmp_path / "a", database_url=postgres_url, **rates) as (again, _):
        assert refusal(await wish(again)) == full


async def test_while_the_store_cannot_count_each_server_counts_for_itself(
    tmp_path: Path, postgres_url: str
) -> None:
    rates = {"session_rates": tuple(parse_many("2/10 minutes"))}
    async with server(tmp_path, database_url=postgres_url, **rates) as (up, _):
        assert (await wish(up)).status_code == 201
        other = await asyncpg.connect(postgres_url)
        try:
            async with other.transaction():
                await other.execute("LOCK TABLE starts")
                assert (await wish(up)).status_code == 201
                assert refusal(await wish(up))[0] == 429
        finally:
            await other.close()


async def test_one_session_at_a_time_wherever_the_second_begins(tmp_path: Path, postgres_url: str) -> None:
    async with pair(tmp_path, postgres_url) as (one, two):
        begun = await start(one.http)
        async with client(one.ws, token=str(begun["token"])) as talker:
            await talker.settle()
            assert (await wish(two)).status_code == 201
            assert (await talker.expect("Error"))["code"] == "BRIDGE_TAKEN_OVER"
            assert await talker.expect_close() == 1000
        await asyncio.gather(*[wish(up) for up in (one, two) * 3])
        await until(lambda: len(one.app.sessions) + len(two.app.sessions) == 1)


async def test_the_minutes_of_a_day_are_shared_by_all_sessions_that_run(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meter, "LOOK_SECONDS", 0.2)
    limits = {"minutes_per_day": 1, "sessions_per_user": 2, "max_loop_lag_ms": 0}
    async with pair(tmp_path, postgres_url, **limits) as (one, two):
        await one.app.sessions.store.spend({"local": 60 - LEFT})
        begun = [await start(up.http) for up in (one, two)]
        async with (
            client(one.ws, token=str(begun[0]["token"])) as left,
            client(two.ws, token=str(begun[1]["token"])) as right,
        ):
            for talker in (left, right):
                await talker.settle()
            for talker in (left, right):
                error = await talker.expect("Error")
                assert (error["code"], error["description"]) == meter.NONE_LEFT
                assert await talker.expect_close() == 1000
        await until(lambda: not (len(one.app.sessions) or len(two.app.sessions)))
        used = await one.app.sessions.store.spend({"local": 0})
        assert 60 <= used["local"] < 60 + LEFT / 2  # each by itself would have taken all of it
        assert refusal(await wish(one)) == (429, "BRIDGE_QUOTA", "At most 1 minute a day.")


async def test_what_was_talked_while_the_store_was_away_is_told_later(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meter, "LOOK_SECONDS", 0.1)
    async with server(tmp_path, database_url=postgres_url, minutes_per_day=10) as (up, _):
        begun = await start(up.http)
        other = await asyncpg.connect(postgres_url)
        try:
            async with other.transaction():
                await other.execute("LOCK TABLE usage")
                async with asyncio.timeout(10):  # a second of talk, and the store did not take it
                    while not up.app.sessions.meter._untold["local"]:  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                ending = asyncio.gather(up.app.sessions.end("local", str(begun["session_id"])))
                assert await other.fetchval("SELECT sum(seconds) FROM usage") in (None, 0)
            await ending

            async def told() -> bool:
                return (await other.fetchval("SELECT sum(seconds) FROM usage") or 0) >= 1

            async with asyncio.timeout(10):
                while not await told():  # noqa: ASYNC110 — the store tells nobody
                    await asyncio.sleep(0.05)
        finally:
            await other.close()


async def test_who_asks_for_many_sessions_at_once_holds_up_nobody_else_at_the_store(
    tmp_path: Path, postgres_url: str
) -> None:
    rates = {"session_rates": tuple(parse_many("2/day"))}
    async with server(tmp_path, database_url=postgres_url, **rates) as (up, _):
        other = await asyncpg.connect(postgres_url)
        try:
            async with other.transaction():
                await other.execute(f"SELECT pg_advisory_xact_lock({USER_LOCK}, hashtext($1))", "ada")
                asking = asyncio.gather(*[_prepared(up, "ada") for _ in range(30)])
                await asyncio.sleep(0)
                async with asyncio.timeout(0.9):  # less than a full pool would be waited for
                    for _ in range(3):
                        await up.app.sessions.store.spend({"bob": 1})
            assert (await asking).count(True) == 2
        finally:
            await other.close()


async def _prepared(up: Running, user_id: str) -> bool:
    with suppress(TooMany):
        await up.app.sessions.prepare(user_id, agent=None, conversation_id=None)
        return True
    return False
