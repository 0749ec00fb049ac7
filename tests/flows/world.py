"""A server with things of ada's, everybody who may come there, and those who may not: by token and by PIN."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.support.bridge import Running, running
from tests.support.issuer import AUDIENCE, ISSUER, Issuer, issuing
from tests.support.users import PIN, Users, add_users, open_users, sign_in, sqlite_url

ADMIN = "an operator's token"
SECRET = "zanzibar"
"""Stands in all that is ada's."""
SESSION, TALK = "/api/v1/voice/session", "/api/v1/conversations/{conversation_id}"
BODIES: Mapping[str, dict[str, str]] = {f"PATCH {TALK}": {"title": f"still {SECRET}"}}


@dataclass(frozen=True, slots=True)
class World:
    """A server that has a session, a conversation, a goal and a task of ada's."""

    server: Running
    http: httpx2.AsyncClient
    known: Mapping[str, str]
    """Credentials of those who may come, by name."""
    strangers: Mapping[str, str | None]
    """Credentials of nobody here."""
    ids: Mapping[str, str]
    ticket: str
    """Of the session."""

    async def ask(
        self, place: str, token: str | None, ids: Mapping[str, str] | None = None, json: object = None
    ) -> httpx2.Response:
        """The answer; of a stream of events only its head."""
        method, path = place.split(" ")
        body = json or BODIES.get(place)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = path.format(**(ids or self.ids)) or "/"
        async with self.http.stream(method, url, headers=headers, json=body) as answer:
            if answer.status_code != 200 or not path.endswith("/events"):
                await answer.aread()
            return answer


@asynccontextmanager
async def by_token(folder: Path) -> AsyncIterator[World]:
    """BRIDGE_AUTH=jwt."""
    async with issuing() as issuer:
        known = {name: issuer.token(name) for name in ("ada", "bob")}
        taken = {name: issuer.token(name) for name in ("revoked", "locked", "deleted")}
        others = {
            "expired": issuer.token("ada", exp=time.time() - 60),
            "of another audience": issuer.token("ada", aud="somebody-else"),
            "of another issuer": Issuer().token("ada"),
        }
        issued = {"jwt_issuer": ISSUER, "jwt_audience": AUDIENCE, "jwt_jwks_url": issuer.url}
        given = {"auth": "jwt", "admin_token": ADMIN, "max_loop_lag_ms": 0, **issued}
        async with (
            running(folder, **given) as server,
            open_users(sqlite_url(folder), strangers=True) as users,
        ):
            await shut_out(server, users, taken)
            async with furnished(server, folder, known, {**taken, **others}) as world:
                yield world


@asynccontextmanager
async def by_pin(folder: Path) -> AsyncIterator[World]:
    """BRIDGE_AUTH=pin."""
    url = sqlite_url(folder)
    await add_users(url, "ada", "bob", "revoked", "locked", "deleted")
    async with (
        running(folder, auth="pin", admin_token=ADMIN, max_loop_lag_ms=0) as server,
        open_users(url) as users,
    ):
        known = {name: await sign_in(server.address, name) for name in ("ada", "bob")}
        taken = {name: await sign_in(server.address, name) for name in ("revoked", "locked", "deleted")}
        expired = await sign_in(server.address, "ada")
        await shut_out(server, users, taken)
        expire(folder / "bridge.db", expired)
        others = {"expired": expired, "by chance": "vbu_" + "x" * 43, "the PIN itself": PIN}
        async with furnished(server, folder, known, {**taken, **others}) as world:
            yield world


@asynccontextmanager
async def furnished(
    server: Running, folder: Path, known: Mapping[str, str], strangers: Mapping[str, str | None]
) -> AsyncIterator[World]:
    async with httpx2.AsyncClient(base_url=server.http, trust_env=False) as http:
        mine = {"Authorization": f"Bearer {known['ada']}"}
        begun = (await http.post(SESSION, json={}, headers=mine)).json()
        ids = {name: begun[name] for name in ("session_id", "conversation_id")}
        await http.patch(TALK.format(**ids), json={"title": SECRET}, headers=mine)
        plan(folder / "bridge.db")
        nobody = {**strangers, "anonymous": None, "ticket": begun["token"], "operator": ADMIN}
        yield World(server, http, known, nobody, ids, begun["token"])


async def shut_out(server: Running, users: Users, taken: Mapping[str, str]) -> None:
    """Each of these is known, until something is done about them."""
    async with httpx2.AsyncClient(base_url=server.http, trust_env=False) as http:
        for token in taken.values():
            mine = {"Authorization": f"Bearer {token}"}
            assert (await http.get("/api/v1/conversations", headers=mine)).status_code == 200
        mine = {"Authorization": f"Bearer {taken['revoked']}"}
        assert (await http.post("/api/v1/sign-out", headers=mine)).status_code == 204
    await users.lock("locked")
    await users.delete("deleted")


def expire(database: Path, token: str) -> None:
    """The time of this sign-in is over."""
    with sqlite3.connect(database, timeout=10) as store:
        changed = store.execute(
            "UPDATE sign_ins SET expires_at = '2020-01-01 00:00:00.000000' WHERE digest = ?",
            (hashlib.sha256(token.encode()).hexdigest(),),
        )
    store.close()
    assert changed.rowcount == 1


def plan(database: Path) -> None:
    """A goal and a task of ada's."""
    at = "2026-01-01 00:00:00.000000"
    with sqlite3.connect(database, timeout=10) as store:
        store.execute(
            "INSERT INTO goals (user_id, statement, timeline, context_notes, status, created_at)"
            " VALUES ('ada', ?, '', '', 'open', ?)",
            (SECRET, at),
        )
        store.execute(
            "INSERT INTO tasks (user_id, title, trigger_type, status, reschedule_reason, created_at)"
            " VALUES ('ada', ?, 'time', 'open', '', ?)",
            (SECRET, at),
        )
    store.close()
