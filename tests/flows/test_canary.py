"""Secrets and people's words are planted everywhere, then looked for where they do not belong, at DEBUG."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr
from websockets.exceptions import InvalidStatus

from bridge.settings import Settings
from tests.support.bridge import Process, process, running
from tests.support.client import client, get, start
from tests.support.deepgram import ScriptedDeepgram
from tests.support.deepgram_session import DeepgramSession
from tests.support.issuer import Issuer, issuing
from tests.support.users import add_users, sqlite_url

KEY = "dg-canary-4f1c0b7a9e"
HTTP_SECRET = "sign-canary-77d1e0c3"
ADMIN_TOKEN = "admin-canary-5b2e8f64"
STRANGE = "stranger-canary-90ab12"
"""A credential that is none."""
PIN, WRONG_PIN = "493817", "620485"
SAID = "my pin is 493817 and my sister Zuzanna Quillfeather has a rash"
ANSWERED = "I am sorry about the rash of Zuzanna Quillfeather."
GOAL = "cure Quillfeather of her rash"
WORDS = ("Quillfeather", "Zuzanna", "rash", PIN)
SECRETS = (KEY, HTTP_SECRET, ADMIN_TOKEN, STRANGE)
SOUND = bytes(range(1, 201)) * 8
"""A pattern that is found again wherever it is kept."""


Enter = Callable[[Process, "Traces"], Awaitable[str]]
"""Proves who somebody is, in every way there is, and gives the credential."""
Way = Callable[[Path], AbstractAsyncContextManager[tuple[dict[str, str], Enter]]]
"""What a server is started with so that people sign in that way."""


@dataclass
class Traces:
    """All that left the process, by where."""

    log: str = ""
    frames: str = ""
    responses: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)


async def talk(server: Process, deepgram: ScriptedDeepgram, traces: Traces) -> None:
    """A wide one: what is said, typed, done, refused, withdrawn; wrong messages at both ends; two tries."""
    begun = await start(server.http)
    traces.tokens.append(str(begun["token"]))
    async with client(server.ws, token=str(begun["token"])) as talker:
        await talker.settle()
        agent = await deepgram.session()
        await talker.speak(SOUND * 10, real_time=False)
        await agent.hear(SAID)
        await agent.expect_answer(await agent.call("submit_goal_intent", goal_statement=GOAL))
        await agent.say(ANSWERED)
        await wrong_calls(agent)
        await agent.warn("CANARY", SAID)
        await agent.send({"type": "Unheard", "content": SAID})
        await talker.send(type="InjectUserMessage", content=SAID)
        await talker.send(type="InjectAgentMessage", message=SAID)
        await talker.send(type="UpdatePrompt", prompt=SAID)
        await talker.send(type=SAID)
        await talker.socket.send(f"{{{SAID}")
        await agent.user_text(SAID)
        await agent.error("CANARY", SAID, close=1011)
        again = await deepgram.session()
        await again.hear(f"{SAID} again")
        await talker.expect_text("user", "again")
        ready = await talker.expect("BridgeReady")
        traces.tokens.append(str(ready["resume_token"]))
        # Its own resume token is for the client alone, and it is in that one frame.
        traces.frames = json.dumps([frame for frame in talker.frames if frame["type"] != "BridgeReady"])


async def wrong_calls(agent: DeepgramSession) -> None:
    for name, arguments in (
        ("submit_goal_intent", {"goal_statement": {"a": SAID}}),
        ("submit_new_task_intent", {"title": SAID, "trigger_type": SAID}),
        ("submit_new_task_intent", {"title": SAID, "trigger_type": "time", "scheduled_at": SAID}),
        ("submit_delete_goal_intent", {"goal_id": "rash"}),
        (SAID[:60], {"a": SAID}),
    ):
        await agent.expect_answer(await agent.call(name, **arguments))


async def knock(server: Process, traces: Traces) -> None:
    """Requests with credentials that are none, and for things that are not there."""
    for credential in (STRANGE, f"{STRANGE}.{STRANGE}.{STRANGE}"):
        try:
            async with client(server.ws, token=credential):
                pass
        except InvalidStatus as refused:
            traces.responses.append(f"{refused.response.headers} {refused.response.body!r}")
    async with httpx2.AsyncClient(base_url=server.http, trust_env=False) as http:
        for method, path in (
            ("GET", "/ready"),
            ("GET", "/metrics"),
            ("GET", "/openapi.json"),
            ("GET", f"/api/v1/conversations/{STRANGE}"),
            ("GET", f"/api/v1/voice/sessions/{STRANGE}/messages?token={STRANGE}"),
            ("POST", "/api/v1/voice/session"),
            ("GET", "/console/sessions"),
        ):
            headers = {"Authorization": f"Bearer {STRANGE}", "Cookie": f"voice-bridge={STRANGE}"}
            answer = await http.request(method, path, headers=headers, json={"agent": SAID})
            traces.responses.append(f"{answer.headers} {answer.text}")
        exported = await http.get("/api/v1/me/export")
        assert GOAL in exported.text
        traces.responses.append(re.sub("|".join(map(re.escape, WORDS)), "", exported.text))


@asynccontextmanager
async def with_a_pin(folder: Path) -> AsyncIterator[tuple[dict[str, str], Enter]]:
    await add_users(sqlite_url(folder), "ada", pin=PIN)

    async def enter(server: Process, traces: Traces) -> str:
        async with httpx2.AsyncClient(base_url=server.http, trust_env=False) as http:
            for pin in (WRONG_PIN, PIN):
                for keep in ("cookie", "token"):
                    wish = {"name": "ada", "pin": pin, "keep": keep}
                    answer = await http.post("/api/v1/sign-in", json=wish)
                    traces.tokens += answer.cookies.values()
            token = str(answer.json()["token"])
            shown = await http.get("/api/v1/me/export")  # by its cookie
            assert shown.status_code == 200
            traces.responses.append(f"{shown.headers} {shown.text}")
        traces.tokens += [WRONG_PIN, PIN]
        return token

    yield {"BRIDGE_AUTH": "pin"}, enter


@asynccontextmanager
async def with_a_token(folder: Path) -> AsyncIterator[tuple[dict[str, str], Enter]]:
    async with issuing() as issuer:

        async def enter(server: Process, traces: Traces) -> str:
            traces.tokens += [issuer.token("ada", exp=1), Issuer().token("ada")]
            for token in traces.tokens:
                async with httpx2.AsyncClient(base_url=server.http, trust_env=False) as http:
                    answer = await http.get("/api/v1/me/export", headers={"Authorization": f"Bearer {token}"})
                assert answer.status_code == 401
                traces.responses.append(f"{answer.headers} {answer.text}")
            return issuer.token("ada")

        yield issuer.variables, enter


async def talk_twice(server: Process, deepgram: ScriptedDeepgram, traces: Traces, credential: str) -> None:
    """A talk that is come back to, and ended by signing out."""
    begun = await start(server.http, credential=credential)
    traces.tokens += [credential, str(begun["token"])]
    async with client(server.ws, token=str(begun["token"])) as talker:
        await talker.settle()
        agent = await deepgram.session()
        await agent.hear("good evening")
        heard = await talker.expect_text("user", "good evening")
        ready = await talker.expect("BridgeReady")
    traces.tokens.append(str(ready["resume_token"]))
    async with client(server.ws, token=str(ready["resume_token"])) as talker:
        await talker.settle(cursor=str(heard["cursor"]))
        traces.frames = json.dumps([frame for frame in talker.frames if frame["type"] != "BridgeReady"])
        again = await talker.expect("BridgeReady")
        traces.tokens.append(str(again["resume_token"]))
        await leave(server, traces, credential)
        assert await talker.expect_close() == 1000


async def leave(server: Process, traces: Traces, credential: str) -> None:
    """Ask for what is not theirs, sign out, and try again."""
    mine = {"Authorization": f"Bearer {credential}"}
    async with httpx2.AsyncClient(base_url=server.http, trust_env=False, headers=mine) as http:
        for method, path in (
            ("GET", "/console/sessions"),
            ("GET", f"/api/v1/voice/sessions/{credential}/messages?token={credential}"),
            ("POST", "/api/v1/sign-out"),
            ("GET", "/api/v1/me/export"),
        ):
            answer = await http.request(method, path)
            traces.responses.append(f"{answer.headers} {answer.text}")
    assert answer.status_code == 401


def variables(deepgram: ScriptedDeepgram) -> Mapping[str, str]:
    return {
        "LOG_LEVEL": "debug",
        "BRIDGE_UPSTREAM": "deepgram",
        "DEEPGRAM_AGENT_URL": deepgram.url,
        "DEEPGRAM_API_KEY": KEY,
        "BRIDGE_HTTP_SECRET": HTTP_SECRET,
        "BRIDGE_ADMIN_TOKEN": ADMIN_TOKEN,
    }


def files(folder: Path) -> dict[str, bytes]:
    """The database and the journal, as they lie there."""
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_nothing_that_was_planted_is_where_it_does_not_belong(tmp_path: Path) -> None:
    traces, kept = Traces(), {}
    async with ScriptedDeepgram(key=KEY) as deepgram, process(tmp_path, **variables(deepgram)) as server:
        async with asyncio.timeout(60):
            await talk(server, deepgram, traces)
            await knock(server, traces)
        kept = files(tmp_path)
        await server.terminate()
    kept |= {f"{name} at the end": content for name, content in files(tmp_path).items()}
    assert {"agent_ready", "call_ended", "agent_error"} <= {str(line["event"]) for line in server.lines}

    planted = (*SECRETS, *traces.tokens)
    assert [line for line in server.lines if any(w in str(line) for w in (*planted, *WORDS))] == []
    assert [word for word in planted if word in traces.frames] == []
    assert [word for word in planted if word in "".join(traces.responses)] == []
    for name, content in kept.items():
        assert [word for word in planted if word.encode() in content] == [], name
        assert SOUND[:64] not in content, f"sound is in {name}"
    assert GOAL.encode() in b"".join(kept.values())  # what belongs there is found, so the search works
    assert "Quillfeather" in traces.frames


@pytest.mark.parametrize("way", [with_a_pin, with_a_token])
async def test_what_people_prove_themselves_with_is_kept_nowhere(tmp_path: Path, way: Way) -> None:
    traces = Traces()
    async with (
        ScriptedDeepgram(key=KEY) as deepgram,
        way(tmp_path) as (given, enter),
        process(tmp_path, **variables(deepgram), **given) as server,
    ):
        await talk_twice(server, deepgram, traces, await enter(server, traces))
        kept = files(tmp_path)
        await server.terminate()
    kept |= {f"{name} at the end": content for name, content in files(tmp_path).items()}
    assert "sign_in_ended" in {line["event"] for line in server.lines}
    assert len(traces.tokens) >= 6
    assert [line for line in server.lines if any(word in str(line) for word in traces.tokens)] == []
    assert [word for word in traces.tokens if word in traces.frames + "".join(traces.responses)] == []
    for name, content in kept.items():
        assert [word for word in traces.tokens if word.encode() in content] == [], name
    assert b"good evening" in b"".join(kept.values())


async def test_personal_data_is_kept_out_of_the_store_where_that_is_wanted(tmp_path: Path) -> None:
    async with ScriptedDeepgram(key=KEY) as deepgram:
        given = {"upstream": "deepgram", "deepgram_agent_url": deepgram.url, "deepgram_api_key": KEY}
        async with running(tmp_path, **given, redact=("email",)) as server:
            begun = await start(server.http)
            async with client(server.ws, token=str(begun["token"])) as talker:
                await talker.settle()
                agent = await deepgram.session()
                await agent.hear("write to ada@example.org or 555-123-4567")
                await talker.expect_text("user", "ada@example.org")
            path = f"/api/v1/conversations/{begun['conversation_id']}"
            said = (await get(server.http, f"{path}/messages"))["items"]
            assert "write to [email] or 555-123-4567" in json.dumps(said)
            assert (await get(server.http, path))["title"] == "write to [email] or 555-123-4567"
    assert [name for name, content in files(tmp_path).items() if b"ada@example.org" in content] == []


def test_all_that_is_secret_is_of_a_type_that_does_not_show_itself() -> None:
    telling = re.compile(r"key|secret|token|password|database_url")
    shown = {name for name in Settings.model_fields if telling.search(name)} - {"jwt_jwks_url"}
    assert shown == {"deepgram_api_key", "http_secret", "admin_token", "database_url"}
    for name in shown:
        assert Settings.model_fields[name].annotation is SecretStr, name
    assert KEY not in repr(Settings(deepgram_api_key=SecretStr(KEY)))
