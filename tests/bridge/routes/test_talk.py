"""The WebSocket endpoint: who is let in, how the others are told, and that stock handshakes work."""

import asyncio
import json
import logging
from pathlib import Path

import pytest
from limits import parse_many
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from bridge.auth.fixed import FixedUser
from bridge.live.quotas import Quotas
from tests.bridge.routes.front import SETTINGS, Front, front, on_shared_loop, receive


async def refused(attempt: connect) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as refusal:
        await attempt
    return refusal.value


# ── let in ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/v1/agent/converse", "/api/voice-agent"])
@pytest.mark.parametrize("scheme", ["Token", "token", "Bearer", "bearer", "BEARER"])
@on_shared_loop
async def test_a_known_user_talks_at_once(shared: Front, scheme: str, path: str) -> None:
    headers = {"Authorization": f"{scheme} user-ada"}
    async with shared.talk(additional_headers=headers, path=path) as client:
        assert (await receive(client, "Welcome"))["bridge"] == {"version": 1}
        await client.send(SETTINGS)
        await receive(client, "SettingsApplied")
        await client.send(json.dumps({"type": "InjectUserMessage", "content": "hello"}))
        assert (await receive(client, "ConversationText"))["content"] == "hello"
        assert (await receive(client, "ConversationText"))["content"] == "You said: hello"


@pytest.mark.parametrize(
    "offered",
    [
        ["token", "user-ada"],
        ["bearer", "user-ada", "x-deepgram-session-id", "3f1c"],
        ["access_token.user-ada"],
        ["Bearer", "user-ada"],
        ["something", "token", "user-ada"],
    ],
)
@on_shared_loop
async def test_a_browser_brings_its_credential_as_a_sub_protocol(shared: Front, offered: list[str]) -> None:
    async with shared.talk(subprotocols=[Subprotocol(each) for each in offered]) as client:
        assert client.subprotocol == offered[0]
        await receive(client, "Welcome")


async def test_the_token_of_a_session_leads_to_that_session(bridge: Front) -> None:
    started = await bridge.start()
    protocols = [Subprotocol("token"), Subprotocol(started["token"])]
    async with connect(started["websocket_url"], subprotocols=protocols, proxy=None) as client:
        await client.send(SETTINGS)
        ready = await receive(client, "BridgeReady")
    assert ready["session_id"] == started["session_id"]
    assert ready["conversation_id"] == started["conversation_id"]


async def test_a_resume_token_leads_back_to_the_session(bridge: Front) -> None:
    async with bridge.talk() as client:
        await client.send(SETTINGS)
        ready = await receive(client, "BridgeReady")
        await receive(client, "SettingsApplied")
        client.transport.abort()
    headers = {"Authorization": f"Token {ready['resume_token']}"}
    async with bridge.talk(additional_headers=headers) as client:
        await client.send(SETTINGS)
        again = await receive(client, "BridgeReady")
    assert again["session_id"] == ready["session_id"]
    assert again["resumed"]


async def test_with_fixed_users_nobody_needs_a_credential(tmp_path: Path) -> None:
    async with front(tmp_path, authenticate=FixedUser("local")) as bridge:
        async with bridge.talk(additional_headers={}) as client:
            await receive(client, "Welcome")
        async with bridge.talk(additional_headers={"Authorization": "Token any-deepgram-key"}) as client:
            await receive(client, "Welcome")


@on_shared_loop
async def test_sound_goes_across_and_comes_back(shared: Front) -> None:
    async with shared.talk() as client:
        await client.send(SETTINGS)
        await receive(client, "SettingsApplied")
        await client.send(b"\1\2" * 480)
        async with asyncio.timeout(5):
            assert await client.recv() == b"\1\2" * 480


async def test_the_request_is_over_while_they_talk(bridge: Front) -> None:
    """All that stands between the server and the session would take memory for as long as that lasts."""
    async with bridge.talk() as client:
        await client.send(SETTINGS)
        await receive(client, "SettingsApplied")
        assert "run_asgi" not in {_name(task) for task in asyncio.all_tasks()}
        await client.send(b"\1\2" * 480)
        async with asyncio.timeout(5):
            assert await client.recv() == b"\1\2" * 480


def _name(task: asyncio.Task[object]) -> str:
    return getattr(task.get_coro(), "__name__", "")


@on_shared_loop
async def test_bad_messages_are_answered_and_the_session_goes_on(shared: Front) -> None:
    async with shared.talk() as client:
        for bad in ("{", '{"type": "Nonsense"}', '{"type": "Settings", "audio": 5}'):
            await client.send(bad)
            assert (await receive(client, "Error"))["code"] in {
                "UNPARSABLE_CLIENT_MESSAGE",
                "INVALID_SETTINGS",
            }
        await client.send(b"too early")
        assert (await receive(client, "Error"))["code"] == "BINARY_MESSAGE_BEFORE_SETTINGS"
        await client.send(SETTINGS)
        await receive(client, "SettingsApplied")
        await client.send(SETTINGS)
        assert (await receive(client, "Error"))["code"] == "SETTINGS_ALREADY_APPLIED"


# ── turned away ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Token"},
        {"Authorization": "Token wrong"},
        {"Authorization": "Basic user-ada"},
        {"Authorization": "Token vbs_used-or-made-up"},
        {"Authorization": "Token vbr_long-gone"},
    ],
)
@on_shared_loop
async def test_a_stranger_gets_401_in_deepgrams_shape(shared: Front, headers: dict[str, str]) -> None:
    response = (await refused(shared.talk(additional_headers=headers))).response
    assert response.status_code == 401
    body = json.loads(response.body)
    assert set(body) == {"err_code", "err_msg", "request_id"}
    assert response.headers["dg-request-id"] == body["request_id"]
    assert response.headers["dg-error"] == body["err_msg"]
    assert response.headers["WWW-Authenticate"] == "Bearer"


@on_shared_loop
async def test_a_token_is_good_from_the_page_that_asked_for_it(shared: Front) -> None:
    ours, allowed = {"Origin": f"http://{shared.address}"}, {"Origin": "https://app.example.com"}
    begun = (await shared.http.post("/api/v1/voice/session", headers=allowed)).json()
    token = {"Authorization": f"Token {begun['token']}"}
    for elsewhere in ({}, ours):
        response = (await refused(shared.talk(additional_headers={**token, **elsewhere}))).response
        assert response.status_code == 401
    async with shared.talk(additional_headers={**token, **allowed}) as client:
        await receive(client, "Welcome")


@on_shared_loop
async def test_a_token_opens_one_socket_only(shared: Front) -> None:
    headers = {"Authorization": f"Token {(await shared.start())['token']}"}
    async with shared.talk(additional_headers=headers) as client:
        await receive(client, "Welcome")
        response = (await refused(shared.talk(additional_headers=headers))).response
    assert response.status_code == 401


@on_shared_loop
async def test_a_credential_in_the_address_counts_for_nothing(shared: Front) -> None:
    path = "/v1/agent/converse?token=user-ada&access_token=user-ada"
    response = (await refused(shared.talk(path=path, additional_headers={}))).response
    assert response.status_code == 401


async def test_too_many_sessions_get_429_and_are_told_when(tmp_path: Path) -> None:
    async with front(tmp_path, quotas=Quotas(rates=tuple(parse_many("1/10 minutes")))) as bridge:
        async with bridge.talk() as client:
            await receive(client, "Welcome")
        response = (await refused(bridge.talk())).response
        assert response.status_code == 429
        assert 0 < int(response.headers["Retry-After"]) <= 600


async def test_a_draining_server_gives_503(bridge: Front) -> None:
    bridge.sessions.draining = True
    response = (await refused(bridge.talk())).response
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1


async def test_a_store_that_is_away_gives_503(bridge: Front) -> None:
    await bridge.record.database.close()
    async with bridge.record.database.engine.begin() as connection:
        await connection.exec_driver_sql("DROP TABLE conversations")
    response = (await refused(bridge.talk())).response
    assert response.status_code == 503
    assert json.loads(response.body)["err_code"] == "BRIDGE_STORE_UNAVAILABLE"


@on_shared_loop
async def test_a_refusal_leaves_no_false_alarm_in_the_log(
    shared: Front, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        await refused(shared.talk(additional_headers={}))
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@on_shared_loop
async def test_a_plain_request_is_told_to_upgrade(shared: Front) -> None:
    answer = await shared.http.get("/v1/agent/converse")
    assert answer.status_code == 426
    assert answer.json()["error"]["code"] == "BRIDGE_UPGRADE_REQUIRED"


@on_shared_loop
async def test_a_socket_to_another_address_gets_404(shared: Front) -> None:
    response = (await refused(shared.talk(path="/v1/listen"))).response
    assert response.status_code == 404


# ── pages ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "https://app.example.com.evil.example",
        "http://[",
        "",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://APP.example.com",
    ],
)
@on_shared_loop
async def test_a_page_of_a_foreign_origin_gets_403(shared: Front, origin: str) -> None:
    response = (await refused(shared.talk(origin=origin))).response
    assert response.status_code == 403
    assert json.loads(response.body)["err_code"] == "BRIDGE_FOREIGN_ORIGIN"


@on_shared_loop
async def test_our_own_page_and_the_allowed_ones_may_connect(shared: Front) -> None:
    for origin in (f"http://{shared.address}", "https://app.example.com"):
        async with shared.talk(origin=origin) as client:
            await receive(client, "Welcome")


@on_shared_loop
async def test_the_same_host_by_another_scheme_is_another_page(shared: Front) -> None:
    assert (await refused(shared.talk(origin=f"https://{shared.address}"))).response.status_code == 403


async def test_only_the_names_that_are_set_lead_to_us(tmp_path: Path) -> None:
    async with front(tmp_path, hosts=["talk.example.com", "127.0.0.1"]) as bridge:
        async with bridge.talk() as client:
            await receive(client, "Welcome")
        port = bridge.address.rpartition(":")[2]
        for host, status in (
            ("talk.example.com", 200),
            (f"TALK.example.com:{port}", 200),
            ("evil.example", 421),
            ("talk.example.com.evil.example", 421),
            (f"localhost:{port}", 421),
            ("[::1]", 421),
        ):
            answer = await bridge.http.get("/api/v1/goals", headers={"Host": host})
            assert answer.status_code == status, host
        rebound = {"Authorization": "Token user-ada", "Origin": "http://evil.example", "Host": "evil.example"}
        request = b"GET /v1/agent/converse HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        request += b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        request += "".join(f"{name}: {value}\r\n" for name, value in rebound.items()).encode() + b"\r\n"
        reader, writer = await asyncio.open_connection(*bridge.address.split(":"))
        writer.write(request)
        assert b" 421 " in await reader.readline()
        writer.close()
        await writer.wait_closed()


async def test_a_client_that_goes_away_in_the_middle_leaves_nothing_behind(bridge: Front) -> None:
    for _ in range(5):
        reader, writer = await asyncio.open_connection(*bridge.address.split(":"))
        writer.write(
            b"GET /v1/agent/converse HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            b"Authorization: Token user-ada\r\n\r\n"
        )
        await writer.drain()
        writer.transport.abort()
        del reader
    async with bridge.talk() as client:
        await receive(client, "Welcome")
    async with asyncio.timeout(5):
        while len(bridge.sessions):  # noqa: ASYNC110 — the registry tells nobody
            await asyncio.sleep(0.01)
