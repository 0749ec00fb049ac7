"""Signing in over HTTP: cookies for browsers, tokens for apps; no PIN and no credential in the log, ever."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
from websockets.asyncio.client import connect

from tests.support.bridge import process, running
from tests.support.users import PIN, add_users, sqlite_url

SIGN_IN, SIGN_OUT = "/api/v1/sign-in", "/api/v1/sign-out"
BY_PIN = {"auth": "pin", "max_loop_lag_ms": 0}


async def test_a_cookie_lets_a_browser_in_until_it_signs_out(tmp_path: Path) -> None:
    await add_users(sqlite_url(tmp_path), "ada")
    async with (
        running(tmp_path, **BY_PIN) as server,
        httpx2.AsyncClient(base_url=server.http, trust_env=False) as browser,
    ):
        page = {"Origin": server.http}
        answer = await browser.post(SIGN_IN, json={"name": "Ada", "pin": PIN}, headers=page)
        assert answer.status_code == 200
        assert (answer.json()["user_id"], answer.json()["token"]) == ("ada", None)
        assert answer.headers["cache-control"] == "no-store"
        assert (await browser.get(SIGN_IN)).json()["user_id"] == "ada"
        begun = await browser.post("/api/v1/voice/session", json={}, headers=page)
        assert begun.status_code == 201
        [cookie] = browser.cookies.jar
        given = {"Cookie": f"{cookie.name}={cookie.value}"}
        async with connect(server.ws, additional_headers=given, proxy=None):
            pass  # a browser's WebSocket brings the cookie as well
        assert (await browser.post(SIGN_OUT, headers=page)).status_code == 204
        assert not list(browser.cookies.jar)
        assert (await browser.get("/api/v1/goals", headers=given)).status_code == 401


async def test_without_a_pin_to_give_nobody_signs_in_and_signing_out_does_nothing(tmp_path: Path) -> None:
    async with (
        running(tmp_path) as server,
        httpx2.AsyncClient(base_url=server.http, trust_env=False) as http,
    ):
        state = (await http.get(SIGN_IN)).json()
        assert state == {"method": "none", "user_id": "local", "sign_in_url": None}
        assert (await http.post(SIGN_IN, json={"name": "local", "pin": PIN})).status_code == 404
        assert (await http.post(SIGN_OUT, json={"everywhere": True})).status_code == 204
        assert (await http.get("/api/v1/goals")).status_code == 200


async def test_no_pin_and_no_credential_is_in_the_log_or_in_an_answer(tmp_path: Path) -> None:
    await add_users(sqlite_url(tmp_path), "ada")
    async with (
        process(tmp_path, BRIDGE_AUTH="pin", LOG_LEVEL="debug", BRIDGE_MAX_LOOP_LAG_MS="0") as server,
        httpx2.AsyncClient(base_url=server.http, trust_env=False) as http,
    ):
        wishes: list[dict[str, object]] = [
            {"name": "ada", "pin": int(PIN)},
            {"name": PIN, "pin": "x" * 65 + PIN},
            {"name": "ada", "pin": [PIN]},
        ]
        wishes += [{"name": "ada", "pin": f"9{PIN}"}] * 6
        told = [(await http.post(SIGN_IN, json=wish)).text for wish in wishes]
        told.append((await http.post(f"{SIGN_IN}?pin={PIN}", content=PIN)).text)
        assert [json.loads(text)["error"]["code"] for text in told].count("BRIDGE_LOCKED_OUT") == 1
        await add_users(sqlite_url(tmp_path), "bob")
        answer = await http.post(SIGN_IN, json={"name": "bob", "pin": PIN, "keep": "token"})
        token = str(answer.json()["token"])
        mine = {"Authorization": f"Bearer {token}"}
        assert (await http.get("/api/v1/goals", headers=mine)).status_code == 200
        assert (await http.post(SIGN_OUT, headers=mine)).status_code == 204
        assert await server.terminate() == 0
    logged = json.dumps(server.lines)
    assert "sign_in_held_off" in logged
    assert "signed_in" in logged
    for secret in (PIN, token, token.removeprefix("vbu_"), "bob"):
        assert secret not in logged
    assert PIN not in "".join(told)
