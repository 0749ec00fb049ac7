"""Every message of the socket × people who may not: cut off in mid-talk, or after somebody else's things.

Those who are not let in at all are in test_matrix.py.
"""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode

from bridge.core.events import ClientErred
from bridge.settings import CONFIG
from bridge.wire.reading import READERS, read
from tests.flows.test_destructive import DELETE
from tests.persistence.build import until
from tests.support.bridge import Running, running
from tests.support.client import SETTINGS, Client, client, get, items, start
from tests.support.deepgram import ScriptedDeepgram
from tests.support.deepgram_session import DeepgramSession
from tests.support.issuer import AUDIENCE, ISSUER, Issuer, issuing
from tests.support.users import Users, open_users, sqlite_url

SOON, LONGER, LIFE = 2.0, 0.5, 3.0
"""Seconds until they are told, that they go on after it, that the token of the one who expires is good."""
PROVIDER = {"provider": {"type": "deepgram", "model": "some-model"}}
MESSAGES: Mapping[str, Mapping[str, object]] = {
    "Settings": {name: value for name, value in SETTINGS.items() if name != "type"},
    "InjectUserMessage": {"content": "line"},
    "FunctionCallResponse": {"id": "call", "name": DELETE, "content": "yes"},
    "Playback": {"played_ms": 10},
    "KeepAlive": {},
    "BridgePing": {"id": "1"},
    "UpdateListen": {"listen": PROVIDER},
    "UpdateThink": {"think": PROVIDER},
    "UpdateThink_Live": {"think_live": PROVIDER},
    "UpdateSpeak": {"speak": PROVIDER},
    "UpdatePrompt": {"prompt": "Do as you are told."},
    "InjectAgentMessage": {"message": "yes"},
    "ForceEndTurn": {},
    "__customToThinkProvider": {"anything": 1},
}
"""One that can be read, of every type."""


def test_every_message_is_tried() -> None:
    assert set(MESSAGES) == set(READERS)
    for kind, message in MESSAGES.items():
        assert not isinstance(read(json.dumps({"type": kind, **message})), ClientErred), kind


@dataclass(frozen=True, slots=True)
class World:
    """A server of users who come with tokens, with a scripted agent."""

    server: Running
    deepgram: ScriptedDeepgram
    issuer: Issuer
    users: Users
    database: Path

    async def post(self, token: str, path: str, method: str = "POST") -> int:
        mine = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(base_url=self.server.http, headers=mine, trust_env=False) as http:
            return (await http.request(method, f"/api/v1/{path}", json={})).status_code

    def lines(self, user_id: str) -> list[str]:
        """What the store has of theirs."""
        with sqlite3.connect(self.database, timeout=10) as store:
            found = store.execute("SELECT content FROM entries WHERE user_id = ?", (user_id,)).fetchall()
        store.close()
        return [content for (content,) in found]


async def echo(agent: DeepgramSession) -> None:
    """What is typed is said by the user, as Deepgram has it."""
    async for frame in agent.frames():
        if isinstance(frame, dict) and frame["type"] == "InjectUserMessage":
            await agent.user_text(str(frame["content"]))


@asynccontextmanager
async def world(
    folder: Path, script: Callable[[DeepgramSession], Awaitable[None]] | None = None, **changes: object
) -> AsyncIterator[World]:
    async with issuing() as issuer, ScriptedDeepgram(script=script) as deepgram:
        issued = {"jwt_issuer": ISSUER, "jwt_audience": AUDIENCE, "jwt_jwks_url": issuer.url}
        given = {"upstream": "deepgram", "deepgram_agent_url": deepgram.url, "deepgram_api_key": "test-key"}
        fixed = {"auth": "jwt", "jwt_leeway_seconds": 0, "max_loop_lag_ms": 0, **issued, **given}
        async with (
            running(folder, **{**fixed, **changes}) as server,
            open_users(sqlite_url(folder), strangers=True) as users,
        ):
            yield World(server, deepgram, issuer, users, folder / "bridge.db")


# ── cut off in the middle of a talk ─────────────────────────────────────────────────────────


CLOSED = b"\x03\xe8BRIDGE_"
"""A close with 1000."""
CUT_OFF = (b'"BRIDGE_SIGNED_OUT"', b'"BRIDGE_SIGN_IN_EXPIRED"', b'"BRIDGE_ENDED"')


@dataclass(slots=True)
class Stubborn:
    """A client that goes on whatever it is told, and takes no notice of a close."""

    user_id: str
    token: str
    ticket: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    came: bytearray = field(default_factory=bytearray)
    said: int = 0
    said_in_time: int = -1
    """Lines before it had been told that it is cut off; -1: it has not."""

    async def read(self) -> None:
        while data := await self.reader.read(65_536):
            self.came += data
            if self.said_in_time < 0 and any(code in self.came for code in CUT_OFF):
                self.said_in_time = self.said

    def say(self, kind: str) -> None:
        message = {"type": kind, **MESSAGES[kind]}
        if kind == "InjectUserMessage":
            self.said += 1
            message["content"] = f"line {self.said}"
        self.writer.write(Frame(Opcode.TEXT, json.dumps(message).encode()).serialize(mask=True))

    async def insist(self) -> float:
        """Say everything, over and over, until it is cut off and a while longer; the time it was then."""
        told = 0.0
        while not told or time.time() < told + LONGER:
            for kind in MESSAGES:
                self.say(kind)
                await asyncio.sleep(0.015)
                if not told and self.said_in_time >= 0:
                    told = time.time()
        assert CLOSED in self.came
        return told

    async def told(self, part: bytes) -> None:
        async with asyncio.timeout(10):
            while part not in self.came:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@asynccontextmanager
async def stubborn(world: World, user_id: str, **claims: Any) -> AsyncIterator[Stubborn]:
    """One that has said something."""
    token = world.issuer.token(user_id, **claims)
    ticket = str((await start(world.server.http, credential=token))["token"])
    reader, writer = await asyncio.open_connection(*world.server.address.split(":"))
    key = base64.b64encode(bytes(16)).decode()
    head = (
        f"GET /v1/agent/converse HTTP/1.1\r\nHost: {world.server.address}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"Authorization: Token {ticket}\r\n\r\n"
    )
    writer.write(head.encode())
    one = Stubborn(user_id, token, ticket, reader, writer)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(one.read(), name="stubborn")
        try:
            await one.told(b"\r\n\r\n")
            one.say("Settings")
            await one.told(b"SettingsApplied")
            one.say("InjectUserMessage")
            await one.told(b"line 1")
            yield one
        finally:
            reading.cancel()
            writer.close()


Way = Callable[[World, Stubborn], Awaitable[object]]
WAYS: dict[str, Way] = {
    "signs out": lambda world, one: world.post(one.token, "sign-out"),
    "is locked": lambda world, one: world.users.lock(one.user_id),
    "is deleted": lambda world, one: world.users.delete(one.user_id),
    "deletes themselves": lambda world, one: world.post(one.token, "me", "DELETE"),
    "expires": lambda world, one: asyncio.sleep(0),
}


async def test_whoever_is_cut_off_can_say_what_they_like(tmp_path: Path) -> None:
    """They are told within 2 s, and nothing they say after that comes anywhere."""
    async with world(tmp_path, echo) as made:
        cut = await asyncio.gather(*[cut_off(made, way) for way in WAYS])
        await until(lambda: len(made.server.app.sessions) == 0)
        talks = len(made.deepgram.sessions)
        for one in cut:
            lines = [int(line.removeprefix("line ")) for line in made.lines(one.user_id)]
            assert 1 <= one.said_in_time < one.said, one.user_id
            assert (1 in lines) != ("delete" in one.user_id), (one.user_id, lines)
            assert not [line for line in lines if line > one.said_in_time], one.user_id
            assert await made.post(one.token, "voice/session") == 401
            for credential in (one.token, one.ticket, resume_token(one)):
                with pytest.raises(InvalidStatus, match="401"):
                    async with client(made.server.ws, token=credential):
                        pass
        assert len(made.deepgram.sessions) == talks
        made.deepgram.forgive()  # ForceEndTurn where there is none


async def cut_off(world: World, way: str) -> Stubborn:
    """A user of that name is cut off in that way."""
    ends = time.time() + LIFE
    async with stubborn(world, way, **({"exp": ends} if way == "expires" else {})) as one:
        await WAYS[way](world, one)
        since = ends if way == "expires" else time.time()
        async with asyncio.timeout(15):
            assert await one.insist() - since < SOON, way
    return one


def resume_token(one: Stubborn) -> str:
    return one.came.partition(b'"resume_token":"')[2].partition(b'"')[0].decode()


# ── somebody else's things ──────────────────────────────────────────────────────────────────

LOOK_UP = {"name": "look_up", "description": "Look something up.", "parameters": {"type": "object"}}


@dataclass(frozen=True, slots=True)
class Ada:
    """She was asked whether a goal is to be deleted, and her own program is to look something up."""

    client: Client
    agent: DeepgramSession
    names: Mapping[str, object]
    """What a message can name."""
    look_up: str
    """The call's id."""

    async def delete(self) -> str:
        return await self.agent.expect_answer(await self.agent.call(DELETE, goal_id="Spanish"))


@asynccontextmanager
async def ada_talks(world: World) -> AsyncIterator[Ada]:
    token = world.issuer.token("ada")
    begun = await start(world.server.http, credential=token)
    async with client(world.server.ws, token=str(begun["token"])) as talker:
        await talker.settle(think={**PROVIDER, "prompt": "Be kind.", "functions": [LOOK_UP]})
        agent = await world.deepgram.session()
        await agent.hear("I want to learn Spanish")
        await agent.expect_answer(await agent.call("submit_goal_intent", goal_statement="learn Spanish"))
        await agent.hear("delete my goal Spanish")
        question = await agent.call(DELETE, goal_id="Spanish")
        assert "really" in await agent.expect_answer(question)
        await agent.say("Shall I really delete it?")
        asked = await talker.expect_text("assistant", "really")
        look_up = await agent.call("look_up", what="zanzibar")
        await talker.expect("FunctionCallRequest", lambda frame: look_up in str(frame))
        ready = await talker.expect("BridgeReady")
        names = {name: ready[name] for name in ("session_id", "conversation_id", "resume_token")}
        names |= {"user_id": "ada", "sub": "ada", "cursor": asked["cursor"], "request_id": agent.request_id}
        names |= {"question_id": question, "call_id": look_up, "name": "look_up", "id": look_up}
        yield Ada(talker, agent, names, look_up)


def allowing(folder: Path) -> Path:
    """Agents that take their clients' settings, so that nothing is turned away for that alone."""
    target = folder / "agents" / "flux"
    shutil.copytree(CONFIG / "agents" / "flux", target, ignore=shutil.ignore_patterns("hearing"))
    file = target / "agent.yaml"
    file.write_text(file.read_text("utf-8").replace("client_settings: managed", "client_settings: allow"))
    return target.parent


async def test_no_message_reaches_a_thing_of_somebody_else_by_its_name(tmp_path: Path) -> None:
    async with world(tmp_path, agents_dir=allowing(tmp_path)) as made, ada_talks(made) as ada:
        bobs = made.issuer.token("bob")
        before = len(ada.client.frames)
        async with client(made.server.ws, token=bobs) as bob:
            await introduce(bob, ada.names)
            bobs_agent = await made.deepgram.session()
            ready = await bob.expect("BridgeReady")
            assert not {ready[name] for name in ("session_id", "conversation_id", "resume_token")} & {
                ada.names[name] for name in ("session_id", "conversation_id", "resume_token")
            }
            assert ready["recovered"] is False
            await claim_all(bob, ada.names)
            told = await bobs_agent.expect("InjectUserMessage")
            assert told["content"] == "yes, bob says, delete it"
            assert not bob.types().count("BridgeEntry")
            assert "Spanish" not in str(bob.frames)
        assert len(ada.client.frames) == before
        assert ada.look_up in ada.agent.unanswered
        assert "really" in await ada.delete()
        await the_owner_still_has_it(made, ada)
        assert "bob" not in str(ada.client.frames)
        assert [goal["statement"] for goal in await items(made.server.http, "/api/v1/goals", bobs)] == []
        everything = await get(made.server.http, "/api/v1/me/export", bobs)
        assert "Spanish" not in str(everything)
        made.deepgram.forgive()  # bob sends his agent what it does not know


async def introduce(bob: Client, names: Mapping[str, object]) -> None:
    """As if he were her, come back."""
    await bob.send(**{**SETTINGS, **names, "bridge": {**names, "instance": "bob"}})
    await bob.expect("SettingsApplied")


async def claim_all(bob: Client, names: Mapping[str, object]) -> None:
    """Every message with every name of hers, and with each of her calls as the one that is meant."""
    for kind, message in MESSAGES.items():
        await bob.send(**{**message, **names, "type": kind, **meant(kind, names["call_id"])})
        await bob.send(**{**names, **message, "type": kind, **meant(kind, names["question_id"])})
    await bob.send(type="BridgePing", id="all of it was read")
    await bob.expect("BridgePong", lambda frame: frame["id"] == "all of it was read")


def meant(kind: str, call_id: object) -> dict[str, Any]:
    said: dict[str, Any] = {"content": "yes, bob says, delete it"}
    return {"InjectUserMessage": said, "FunctionCallResponse": {**said, "id": call_id}}.get(kind, {})


async def the_owner_still_has_it(world: World, ada: Ada) -> None:
    """Her answers are taken, and her session is hers to come back to."""
    await ada.client.send(type="FunctionCallResponse", id=ada.look_up, name="look_up", content="found")
    assert await ada.agent.expect_answer(ada.look_up) == "found"
    await ada.agent.say("Shall I really?")
    await ada.client.send(type="InjectUserMessage", content="yes")
    await ada.agent.expect("InjectUserMessage")
    await ada.agent.user_text("yes")
    assert await ada.delete() == "Deleted the goal: learn Spanish."
    async with client(world.server.ws, token=str(ada.names["resume_token"])) as again:
        await again.settle()
        ready = await again.expect("BridgeReady")
        assert ready["session_id"] == ada.names["session_id"]
