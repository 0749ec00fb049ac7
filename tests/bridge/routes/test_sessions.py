"""Sessions over HTTP: start, resume, read, end."""

import json
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from limits import parse_many

from bridge.core.model import Call, Cursor, Cut, FunctionCall, Message, Outcome, Result, Role, Status
from bridge.live.quotas import Quotas
from bridge.routes.shapes import EntryPart, ErrorAnswer, SessionAnswer, SessionClosed
from tests.bridge.routes.front import SETTINGS, Front, front, on_shared_loop, receive

URL = "/api/v1/voice/session"


async def test_a_session_is_started_with_all_a_page_needs(bridge: Front) -> None:
    answer = await bridge.http.post(URL, json={})
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    started = SessionAnswer.model_validate_json(answer.content, strict=True)
    assert started.websocket_url == f"ws://{bridge.address}/v1/agent/converse"
    assert (started.agent.name, started.agent.title, started.agent.greeting) == ("flux", "Flux", "Hey!")
    assert started.limits.idle_seconds == 60
    assert (started.upstream, started.messages) == ("echo", [])


@pytest.mark.parametrize("body", [b"", b"{}", b'{"agent": null}'])
@on_shared_loop
async def test_the_body_may_be_missing(shared: Front, body: bytes) -> None:
    answer = await shared.http.post(URL, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201


async def test_another_agent_may_be_asked_for(bridge: Front) -> None:
    assert (await bridge.start(agent="tutor"))["agent"]["title"] == "Tutor"


async def test_a_conversation_goes_on_with_all_its_entries(bridge: Front) -> None:
    done = Outcome(status=Status.DONE, content="Saved.", note="goal_id: g1", goal_id="g1", duration_ms=3)
    claim = await bridge.remember(
        Message(Role.USER, "I want to learn Spanish"),
        Call(request="r", function=FunctionCall("c1", "submit_goal_intent", "{}")),
        Result(request="r", call_id="c1", name="submit_goal_intent", outcome=done),
        Message(Role.ASSISTANT, "Goal saved, anything else?"),
        Cut(Cursor(1, 3), "Goal saved"),
        agent="tutor",
    )
    started = await bridge.start(conversation_id=claim.conversation.id)
    SessionAnswer.model_validate_json(json.dumps(started))
    assert started["conversation_id"] == claim.conversation.id
    assert started["agent"]["name"] == "tutor"
    assert [(m["kind"], m["cursor"]) for m in started["messages"]] == [
        ("message", "1:0"),
        ("call", "1:1"),
        ("result", "1:2"),
        ("message", "1:3"),
    ]
    assert started["messages"][2]["goal_id"] == "g1"
    assert "note" not in started["messages"][2]
    assert (started["messages"][3]["interrupted"], started["messages"][3]["heard"]) == (True, "Goal saved")


async def test_the_messages_of_a_session_are_read_and_it_is_ended(bridge: Front) -> None:
    async with bridge.talk() as client:
        await client.send(SETTINGS)
        session_id = (await receive(client, "BridgeReady"))["session_id"]
        await client.send(json.dumps({"type": "InjectUserMessage", "content": "hello"}))
        await receive(client, "ConversationText")
        await receive(client, "ConversationText")

        read = await bridge.http.get(f"/api/v1/voice/sessions/{session_id}/messages")
        part = EntryPart.model_validate_json(read.content)
        assert [entry.root["cursor"] for entry in part.items] == ["1:0", "1:1"]
        assert read.json()["items"][1]["content"] == "You said: hello"

        ended = await bridge.http.delete(f"{URL}/{session_id}")
        SessionClosed.model_validate_json(ended.content, strict=True)
        assert ended.json() == {"session_id": session_id, "status": "closed", "message_count": 2}
        await client.wait_closed()
        assert client.protocol.close_rcvd is not None
        assert client.protocol.close_rcvd.code == 1000
    assert (await bridge.http.get(f"/api/v1/voice/sessions/{session_id}/messages")).status_code == 404


async def test_somebody_elses_session_is_not_there(bridge: Front) -> None:
    session_id = (await bridge.start())["session_id"]
    other = {"Authorization": "Token user-bob"}
    read = await bridge.http.get(f"/api/v1/voice/sessions/{session_id}/messages", headers=other)
    ended = await bridge.http.delete(f"{URL}/{session_id}", headers=other)
    assert (read.status_code, ended.status_code) == (404, 404)
    assert (await bridge.http.delete(f"{URL}/{session_id}")).status_code == 200


# ── turned away ─────────────────────────────────────────────────────────────────────────────


def told(answer: Any, status: int, code: str) -> str:
    """Checks the shape of an error; its description."""
    assert answer.status_code == status, answer.text
    error = ErrorAnswer.model_validate_json(answer.content, strict=True).error
    assert error.code == code
    assert answer.headers["Cache-Control"] == "no-store"
    return error.description


@pytest.mark.parametrize(
    ("body", "status", "names"),
    [
        (b"{", 400, "not JSON"),
        (b"\xff", 400, "not JSON"),
        (b"[]", 422, "object"),
        (b'"flux"', 422, "object"),
        (b'{"agent": 5}', 422, "`agent`"),
        (b'{"agent": "../etc/passwd"}', 422, "`agent`"),
        (b'{"time_zone": "Mars/Base"}', 422, "`time_zone`"),
        (b'{"time_zone": "../../etc/passwd"}', 422, "`time_zone`"),
        (b'{"conversation_id": "\\u0000"}', 422, "`conversation_id`"),
        (b'{"agent": "flux", "secret": 1}', 422, "`secret` is not known here"),
        (b'{"agent": "' + b"x" * 70_000 + b'"}', 413, "65536 bytes"),
        (b"[" * 60_000, 400, "not JSON"),
    ],
)
@on_shared_loop
async def test_a_bad_body_is_told_by_its_field(shared: Front, body: bytes, status: int, names: str) -> None:
    answer = await shared.http.post(URL, content=body, headers={"Content-Type": "application/json"})
    assert names in told(answer, status, "BRIDGE_BAD_REQUEST")


@on_shared_loop
async def test_a_body_of_another_type_is_not_read(shared: Front) -> None:
    answer = await shared.http.post(URL, content=b"{}", headers={"Content-Type": "text/plain"})
    told(answer, 415, "BRIDGE_BAD_REQUEST")


@on_shared_loop
async def test_what_is_unknown_or_somebody_elses_is_not_there(shared: Front) -> None:
    theirs = (await shared.remember(user_id="user-bob")).conversation.id
    told(await shared.http.post(URL, json={"agent": "nobody"}), 404, "BRIDGE_UNKNOWN_AGENT")
    for conversation_id in (theirs, "3f1c"):
        told(await shared.http.post(URL, json={"conversation_id": conversation_id}), 404, "BRIDGE_NOT_FOUND")


@on_shared_loop
async def test_without_a_credential_nothing_is_told(shared: Front) -> None:
    nobody = {"Authorization": ""}
    for method, url in (("POST", URL), ("DELETE", f"{URL}/x"), ("GET", "/api/v1/voice/sessions/x/messages")):
        answer = await shared.http.request(method, url, headers=nobody)
        told(answer, 401, "BRIDGE_UNAUTHENTICATED")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_too_many_are_told_how_long_to_wait(tmp_path: Path) -> None:
    async with front(tmp_path, quotas=Quotas(rates=tuple(parse_many("1/10 minutes")))) as bridge:
        await bridge.start()
        answer = await bridge.http.post(URL, json={})
        told(answer, 429, "BRIDGE_QUOTA")
        assert 0 < int(answer.headers["Retry-After"]) <= 600


@on_shared_loop
async def test_a_foreign_page_can_start_nothing(shared: Front) -> None:
    answer = await shared.http.post(URL, headers={"Origin": "https://evil.example"})
    told(answer, 403, "BRIDGE_FOREIGN_ORIGIN")
    answer = await shared.http.post(URL, headers={"Origin": f"http://{shared.address}"})
    assert answer.status_code == 201


# ── where the socket is ─────────────────────────────────────────────────────────────────────

FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "talk.example.com"}


@on_shared_loop
async def test_a_proxy_is_not_believed_unless_it_is_trusted(shared: Front) -> None:
    answer = await shared.http.post(URL, headers=FORWARDED)
    assert answer.json()["websocket_url"] == f"ws://{shared.address}/v1/agent/converse"


async def test_behind_a_trusted_proxy_the_address_is_the_outer_one(tmp_path: Path) -> None:
    async with front(tmp_path, trust_proxy=True) as bridge:
        answer = await bridge.http.post(URL, headers={**FORWARDED, "Origin": "https://talk.example.com"})
        assert answer.json()["websocket_url"] == "wss://talk.example.com/v1/agent/converse"
        answer = await bridge.http.post(URL)
        assert answer.json()["websocket_url"] == f"ws://{bridge.address}/v1/agent/converse"


async def test_headers_of_a_proxy_count_from_its_own_address_only(tmp_path: Path) -> None:
    async with front(tmp_path, trust_proxy=True, proxies=[IPv4Network("10.0.0.0/8")]) as bridge:
        answer = await bridge.http.post(URL, headers=FORWARDED)
        assert answer.json()["websocket_url"] == f"ws://{bridge.address}/v1/agent/converse"
        answer = await bridge.http.post(URL, headers={**FORWARDED, "Origin": "https://talk.example.com"})
        told(answer, 403, "BRIDGE_FOREIGN_ORIGIN")


@pytest.mark.parametrize("host", ["evil.example/path?", "a b", "x@evil.example", ""])
@on_shared_loop
async def test_a_malformed_host_is_refused(shared: Front, host: str) -> None:
    told(await shared.http.post(URL, headers={"Host": host}), 400, "BRIDGE_BAD_REQUEST")
