"""Every address of the server × everybody who may come there. A new one has to be placed first."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from starlette.routing import Mount, Route, WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.bridge import Running, running
from tests.support.client import client
from tests.support.issuer import AUDIENCE, ISSUER, Issuer, issuing

ADMIN = "an operator's token"
SECRET = "zanzibar"
"""Stands in all that is ada's."""
SESSION, TALK = "/api/v1/voice/session", "/api/v1/conversations/{conversation_id}"
EVENTS = f"{TALK}/events"
PUBLIC = {
    *(f"GET {path}" for path in ("/live", "/ready", "/metrics", "/openapi.json", "/asyncapi.json")),
    "GET /api/v1/sign-in",
    *("GET /v1/agent/converse", "GET /api/voice-agent", "GET /console", "GET "),
}
"""For everybody, with nothing of anybody; `GET ` is the page."""
ADMINS = {
    "GET /console/sessions",
    "DELETE /console/sessions/{session_id}",
    "GET /console/sessions/{session_id}/events",
}
"""For operators; what somebody else proves does not count here."""
ALL = "GET /api/v1/me/export"
LISTS = {"GET /api/v1/conversations", "GET /api/v1/goals", "GET /api/v1/tasks", ALL}
"""Of the one who asks."""
THINGS = (
    "GET /api/v1/voice/sessions/{session_id}/messages",
    f"GET {TALK}",
    f"GET {TALK}/messages",
    f"GET {TALK}/export",
    f"GET {EVENTS}",
    f"PATCH {TALK}",
    f"DELETE {SESSION}/{{session_id}}",
    f"DELETE {TALK}",
)
"""By an id, for its owner; in an order in which the owner can do all of it."""
STARTS = {f"POST {SESSION}"}
FORGETS = {"DELETE /api/v1/me"}
"""The one who asks."""
DOORS = {"POST /api/v1/sign-in", "POST /api/v1/sign-out"}
"""Where people come in and go out."""
SOCKETS = {"/v1/agent/converse", "/api/voice-agent"}
NOWHERE = {"/{path:path}"}
"""WebSockets to any other address: 404."""
BODIES: Mapping[str, dict[str, str]] = {f"PATCH {TALK}": {"title": f"still {SECRET}"}}


@dataclass(frozen=True, slots=True)
class World:
    """A server that has a session, a conversation, a goal and a task of ada's."""

    server: Running
    issuer: Issuer
    http: httpx2.AsyncClient
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

    def strangers(self) -> dict[str, str | None]:
        """Who is nobody here."""
        return {
            "anonymous": None,
            "expired": self.issuer.token("ada", exp=time.time() - 60),
            "of another audience": self.issuer.token("ada", aud="somebody-else"),
            "of another issuer": Issuer().token("ada"),
            "ticket": self.ticket,
            "operator": ADMIN,
        }


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with issuing() as issuer:
        settings = {"auth": "jwt", "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE, "admin_token": ADMIN}
        async with (
            running(tmp_path, jwt_jwks_url=issuer.url, **settings) as server,
            httpx2.AsyncClient(base_url=server.http, trust_env=False) as http,
        ):
            mine = {"Authorization": f"Bearer {issuer.token('ada')}"}
            begun = (await http.post(SESSION, json={}, headers=mine)).json()
            ids = {name: begun[name] for name in ("session_id", "conversation_id")}
            await http.patch(TALK.format(**ids), json={"title": SECRET}, headers=mine)
            plan(tmp_path / "bridge.db")
            yield World(server, issuer, http, ids, begun["token"])


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


async def handshake(world: World, path: str, token: str | None) -> int:
    """The status with which a WebSocket is answered."""
    headers = {"Authorization": f"Token {token}"} if token else {}
    try:
        async with connect(f"ws://{world.server.address}{path}", additional_headers=headers, proxy=None):
            return 101
    except InvalidStatus as refused:
        answer = refused.response
    assert SECRET.encode() not in answer.body
    return answer.status_code


async def test_every_address_is_placed(world: World) -> None:
    found, sockets = set(), set()
    for route in world.server.app.asgi.routes:
        match route:
            case Route(methods=methods, path=path):
                found |= {f"{method} {path}" for method in (methods or {"any"}) - {"HEAD"}}
            case WebSocketRoute(path=path):
                sockets.add(path)
            case Mount(path=path):
                found.add(f"GET {path}")
            case _:
                pytest.fail(f"{route} is of a kind nobody has placed")
    assert found == PUBLIC | ADMINS | LISTS | STARTS | DOORS | FORGETS | set(THINGS)
    assert sockets == SOCKETS | NOWHERE


async def test_strangers_are_told_nothing(world: World) -> None:
    for who, token in world.strangers().items():
        for place in sorted(
            LISTS | STARTS | FORGETS | set(THINGS) | (ADMINS if who != "operator" else set())
        ):
            answer = await world.ask(place, token)
            assert answer.status_code == 401, (who, place, answer.text)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert set(answer.json()["error"]) == {"code", "description"}
            assert not [word for word in (SECRET, *world.ids.values()) if word in answer.text], (who, place)
            head = await world.ask(place.replace("GET", "HEAD"), token)
            assert head.status_code == 401, (who, place)


async def test_a_user_is_no_operator(world: World) -> None:
    for place in sorted(ADMINS):
        assert (await world.ask(place, world.issuer.token("ada"))).status_code == 401, place


async def test_what_is_for_everybody_has_nothing_of_anybody(world: World) -> None:
    for place in sorted(PUBLIC):
        answer = await world.ask(place, None)
        assert answer.status_code == (426 if "agent" in place else 200), place
        assert not [word for word in (SECRET, *world.ids.values()) if word in answer.text], place


async def test_somebody_elses_thing_is_as_if_it_were_not(world: World) -> None:
    other = world.issuer.token("bob")
    unknown = {"session_id": "0" * 24, "conversation_id": "00000000-0000-4000-8000-000000000000"}
    for place in THINGS:
        theirs, nobodys = await world.ask(place, other), await world.ask(place, other, unknown)
        assert theirs.status_code == nobodys.status_code == 404, (place, theirs.text)
        assert theirs.content == nobodys.content, place
    for place in sorted(LISTS - {ALL}):
        assert (await world.ask(place, other)).json() == {"items": [], "next": None}
    own = (await world.ask(ALL, other)).json()
    assert (own["user"]["id"], own["goals"], own["tasks"], own["conversations"]) == ("bob", [], [], [])
    wish = {"conversation_id": world.ids["conversation_id"]}
    refused = await world.ask(f"POST {SESSION}", other, json=wish)
    assert refused.status_code == 404
    assert SECRET not in refused.text
    for place in FORGETS:
        assert (await world.ask(place, other)).status_code == 204
    async with client(world.server.ws, token=world.ticket) as ada:  # nothing has been taken from its owner
        await ada.settle()


async def test_the_owner_has_all_of_it_until_it_is_deleted(world: World) -> None:
    owner = world.issuer.token("ada")
    for place in sorted(LISTS):
        assert SECRET in (await world.ask(place, owner)).text, place
    for place in THINGS:
        assert (await world.ask(place, owner)).status_code in (200, 204), place
    for place in THINGS:
        answer = await world.ask(place, owner)
        assert answer.status_code == 404, place
        assert SECRET not in answer.text
    wish = {"conversation_id": world.ids["conversation_id"]}
    assert (await world.ask(f"POST {SESSION}", owner, json=wish)).status_code == 404
    assert (await world.ask("GET /api/v1/conversations", owner)).json()["items"] == []


async def test_sockets_are_for_those_who_are_known(world: World) -> None:
    strangers = {who: token for who, token in world.strangers().items() if who != "ticket"}
    for path in sorted(SOCKETS):
        for who, token in strangers.items():
            assert await handshake(world, path, token) == 401, (who, path)
    assert await handshake(world, "/v1/agent/converse", world.ticket) == 101
    for path in sorted(SOCKETS):
        assert await handshake(world, path, world.ticket) == 401
        assert await handshake(world, path, world.issuer.token("bob")) == 101
    for token in (None, world.issuer.token("ada")):
        assert await handshake(world, "/v1/somewhere", token) == 404


async def test_a_deleted_conversation_takes_its_ticket_along(world: World) -> None:
    assert (await world.ask(f"DELETE {TALK}", world.issuer.token("ada"))).status_code == 204
    assert await handshake(world, "/v1/agent/converse", world.ticket) == 401
