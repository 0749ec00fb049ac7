"""Every address of the server × everybody who may come there. A new one has to be placed first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.routing import Mount, Route, WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from bridge.wire.reading import READERS
from tests.flows.world import ADMIN, SECRET, SESSION, TALK, World, by_pin, by_token
from tests.support.client import client

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
ENTERS, LEAVES = {"POST /api/v1/sign-in"}, {"POST /api/v1/sign-out"}
"""Where people come in and go out."""
SOCKETS = {"/v1/agent/converse", "/api/voice-agent"}
NOWHERE = {"/{path:path}"}
"""WebSockets to any other address: 404."""


@pytest.fixture(params=[by_token, by_pin], ids=["jwt", "pin"])
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with request.param(tmp_path) as world:
        yield world


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
    assert found == PUBLIC | ADMINS | LISTS | STARTS | ENTERS | LEAVES | FORGETS | set(THINGS)
    assert sockets == SOCKETS | NOWHERE


async def test_strangers_are_told_nothing(world: World) -> None:
    for who, token in world.strangers.items():
        admins = ADMINS if who != "operator" else set()
        for place in sorted(LISTS | STARTS | FORGETS | LEAVES | set(THINGS) | admins):
            answer = await world.ask(place, token)
            assert answer.status_code == 401, (who, place, answer.text)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert set(answer.json()["error"]) == {"code", "description"}
            assert not [word for word in (SECRET, *world.ids.values()) if word in answer.text], (who, place)
            head = await world.ask(place.replace("GET", "HEAD"), token)
            assert head.status_code == 401, (who, place)


async def test_a_user_is_no_operator(world: World) -> None:
    for place in sorted(ADMINS):
        assert (await world.ask(place, world.known["ada"])).status_code == 401, place


async def test_what_is_for_everybody_has_nothing_of_anybody(world: World) -> None:
    for place in sorted(PUBLIC):
        answer = await world.ask(place, None)
        assert answer.status_code == (426 if "agent" in place else 200), place
        assert not [word for word in (SECRET, *world.ids.values()) if word in answer.text], place


async def test_somebody_elses_thing_is_as_if_it_were_not(world: World) -> None:
    other = world.known["bob"]
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
    owner = world.known["ada"]
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
    strangers = {who: token for who, token in world.strangers.items() if who != "ticket"}
    for path in sorted(SOCKETS):
        for who, token in strangers.items():
            assert await handshake(world, path, token) == 401, (who, path)
    assert await handshake(world, "/v1/agent/converse", world.ticket) == 101
    for path in sorted(SOCKETS):
        assert await handshake(world, path, world.ticket) == 401
        assert await handshake(world, path, world.known["bob"]) == 101
    for token in (None, world.known["ada"]):
        assert await handshake(world, "/v1/somewhere", token) == 404


async def test_a_deleted_conversation_takes_its_ticket_along(world: World) -> None:
    assert (await world.ask(f"DELETE {TALK}", world.known["ada"])).status_code == 204
    assert await handshake(world, "/v1/agent/converse", world.ticket) == 401


async def test_an_operator_reads_and_ends_but_is_no_user(world: World) -> None:
    for place in sorted(ADMINS, reverse=True):  # it ends the session last
        if place.startswith("DELETE"):
            async with client(world.server.ws, token=world.ticket) as ada:
                await ada.settle()
                assert (await world.ask(place, ADMIN)).status_code == 204
        elif "{" not in place:
            assert (await world.ask(place, ADMIN)).status_code == 200
    for place in sorted(LISTS | STARTS | FORGETS | LEAVES | set(THINGS)):
        assert (await world.ask(place, ADMIN)).status_code == 401, place


async def test_everybody_may_ask_how_to_sign_in_and_is_told_of_nobody_else(world: World) -> None:
    method = "jwt" if "of another issuer" in world.strangers else "pin"
    for who, token in world.strangers.items():
        answer = await world.ask("GET /api/v1/sign-in", token)
        assert answer.json() == {"method": method, "user_id": None, "sign_in_url": None}, who
    for name in ("ada", "bob"):
        assert (await world.ask("GET /api/v1/sign-in", world.known[name])).json()["user_id"] == name
    wish = {"name": "ada", "pin": "111222"}
    for place in sorted(ENTERS):
        refused = await world.ask(place, None, json=wish)
        assert refused.status_code == (404 if method == "jwt" else 401)
        assert "set-cookie" not in refused.headers


async def test_a_page_of_another_origin_changes_nothing_with_a_cookie_or_a_token(world: World) -> None:
    mine = f"Bearer {world.known['ada']}"
    cookie = f"voice-bridge={world.known['ada']}"
    for place in sorted(STARTS | ENTERS | LEAVES | FORGETS | set(THINGS)):
        method, path = place.split(" ")
        for given in ({"Authorization": mine}, {"Cookie": cookie}):
            headers = {**given, "Origin": "https://evil.example"}
            if method == "GET":
                continue
            answer = await world.http.request(method, path.format(**world.ids), json={}, headers=headers)
            assert answer.status_code == 403, (place, answer.text)
            assert answer.json()["error"]["code"] == "BRIDGE_FOREIGN_ORIGIN"
    assert SECRET in (await world.ask(f"GET {TALK}", world.known["ada"])).text


async def test_who_signs_out_is_a_stranger_everywhere_and_others_are_not(world: World) -> None:
    for place in sorted(LEAVES):
        assert (await world.ask(place, world.known["ada"])).status_code == 204
    for place in sorted(LISTS | STARTS | LEAVES | FORGETS | set(THINGS)):
        assert (await world.ask(place, world.known["ada"])).status_code == 401, place
    for path in sorted(SOCKETS):
        assert await handshake(world, path, world.known["ada"]) == 401
    for place in sorted(LISTS):
        assert (await world.ask(place, world.known["bob"])).status_code == 200


async def test_no_message_on_a_socket_reaches_what_is_somebody_elses(world: World) -> None:
    named = {**world.ids, "id": world.ids["conversation_id"], "content": "mine", "user_id": "ada"}
    async with client(world.server.ws, token=world.known["bob"]) as bob:
        await bob.settle(cursor="1:0")
        for kind in READERS:
            await bob.send(type=kind, **named)
        await bob.send(type="InjectUserMessage", content="What are my tasks?")
        await bob.expect_text("user", "my tasks")
        await bob.expect("LatencyReport")
        ready = await bob.expect("BridgeReady")
        assert ready["conversation_id"] != world.ids["conversation_id"]
        assert SECRET not in str(bob.frames)
    messages = await world.ask(f"GET {TALK}/messages", world.known["ada"])
    assert messages.json()["items"] == []
