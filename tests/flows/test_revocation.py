"""What ends a sign-in closes what is open by it, within 2 s, at every server; what was said is kept."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus

from bridge.auth.pins import hash_pin
from persistence.users import Users, open_users
from tests.bridge.commands.test_commands import run
from tests.support.bridge import process, running
from tests.support.client import Client, client
from tests.support.following import Reading, following
from tests.support.issuer import AUDIENCE, ISSUER, issuing
from tests.support.postgres import PostgresServer
from tests.support.users import add_users, sign_in, sqlite_url

SOON = 2.0
"""Seconds."""
BY_PIN = {"BRIDGE_AUTH": "pin", "BRIDGE_SESSIONS_PER_USER": "9", "BRIDGE_MAX_LOOP_LAG_MS": "0"}
"""Variables of a server, however busy this machine is."""


@dataclass(frozen=True, slots=True)
class Place:
    """A server, and somebody who is signed in there."""

    address: str
    token: str

    @property
    def ws(self) -> str:
        return f"ws://{self.address}/v1/agent/converse"

    def open(self) -> httpx2.AsyncClient:
        """To be closed."""
        mine = {"Authorization": f"Bearer {self.token}"}
        return httpx2.AsyncClient(base_url=f"http://{self.address}", headers=mine, trust_env=False)

    async def post(self, path: str, **body: object) -> httpx2.Response:
        async with self.open() as http:
            return await http.post(f"/api/v1/{path}", json=body)

    async def get(self, path: str) -> httpx2.Response:
        async with self.open() as http:
            return await http.get(f"/api/v1/{path}")

    async def start(self) -> dict[str, Any]:
        answer = await self.post("voice/session")
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def status(self) -> int:
        return (await self.get("conversations")).status_code


@dataclass(frozen=True, slots=True)
class Talk:
    """A talk in which something was said, and who follows it."""

    place: Place
    talker: Client
    reader: Reading
    begun: dict[str, Any]

    async def cut_off(self, code: str) -> float:
        """It is closed, with that code; gives the seconds until then."""
        since = time.monotonic()
        error = await self.talker.expect("Error", seconds=SOON + 1)
        assert error["code"] == code
        assert await self.talker.expect_close() == 1000
        took = time.monotonic() - since
        await self.reader.rest()  # ends
        resume = (await self.talker.expect("BridgeReady"))["resume_token"]
        with pytest.raises(InvalidStatus) as refused:
            async with client(self.place.ws, token=str(resume)):
                pass
        assert refused.value.response.status_code == 401
        assert await self.place.status() == 401
        return took


@asynccontextmanager
async def talking(place: Place) -> AsyncIterator[Talk]:
    begun = await place.start()
    async with (
        client(place.ws, token=begun["token"]) as talker,
        place.open() as http,
        following(http, begun["conversation_id"]) as reader,
    ):
        await talker.settle()
        await talker.send(type="InjectUserMessage", content="remember the umbrella")
        await talker.expect_text("user", "umbrella")
        yield Talk(place, talker, reader, begun)


Way = Callable[[Users, Place, Place], Awaitable[object]]
"""Operators' commands, the place that is to be closed, and another of the same user."""
OTHER_PIN = hash_pin("735194")
WAYS: dict[str, Way] = {
    "signs out": lambda users, here, there: here.post("sign-out"),
    "everywhere": lambda users, here, there: there.post("sign-out", everywhere=True),
    "locked": lambda users, here, there: users.lock("ada"),
    "deleted": lambda users, here, there: users.delete("ada"),
    "another PIN": lambda users, here, there: users.set_pin("ada", OTHER_PIN),
    "signed out by an operator": lambda users, here, there: users.sign_out("ada"),
}


@pytest.mark.parametrize("way", WAYS)
async def test_whoever_loses_their_sign_in_is_cut_off_and_nobody_else(tmp_path: Path, way: str) -> None:
    url = sqlite_url(tmp_path)
    await add_users(url, "ada", "bob")
    async with (
        running(tmp_path, auth="pin", sessions_per_user=9, max_loop_lag_ms=0) as server,
        open_users(url) as users,
    ):
        here, there = [Place(server.address, await sign_in(server.address)) for _ in range(2)]
        bob = Place(server.address, await sign_in(server.address, "bob"))
        async with talking(here) as talk, talking(there) as other, talking(bob) as another:
            unused = await here.start()
            done = await WAYS[way](users, here, there)
            assert not isinstance(done, httpx2.Response) or done.status_code == 204
            assert await talk.cut_off("BRIDGE_SIGNED_OUT") < SOON
            with pytest.raises(InvalidStatus):
                async with client(here.ws, token=unused["token"]):
                    pass
            if way == "signs out":
                assert await there.status() == 200
                assert other.talker.closed is None
            else:
                await other.cut_off("BRIDGE_SIGNED_OUT")
            await another.talker.send(type="InjectUserMessage", content="still here")
            await another.talker.expect_text("user", "still here")
        messages = await bob.get(f"conversations/{another.begun['conversation_id']}/messages")
        assert "umbrella" in messages.text
    with sqlite3.connect(tmp_path / "bridge.db") as store:
        said = "SELECT count(*) FROM entries WHERE content LIKE '%umbrella%' AND user_id = ?"
        [of_ada, of_bob] = [store.execute(said, (name,)).fetchone()[0] for name in ("ada", "bob")]
    store.close()
    assert of_bob
    assert of_ada == 0 if way == "deleted" else of_ada >= 2


async def test_a_sign_in_that_expires_in_the_middle_of_a_talk_ends_it(tmp_path: Path) -> None:
    await add_users(sqlite_url(tmp_path), "ada")
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            running(tmp_path, auth="pin", sign_in_days=4 / 86_400, max_loop_lag_ms=0)
        )
        place = Place(server.address, await sign_in(server.address))
        talk = await stack.enter_async_context(talking(place))
        await talk.talker.expect("Error", seconds=8)
        await talk.cut_off("BRIDGE_SIGN_IN_EXPIRED")


async def test_an_issuers_token_that_expires_or_whose_user_is_locked_ends_the_talk(tmp_path: Path) -> None:
    async with (
        issuing() as issuer,
        running(
            tmp_path,
            auth="jwt",
            jwt_issuer=ISSUER,
            jwt_audience=AUDIENCE,
            jwt_jwks_url=issuer.url,
            jwt_leeway_seconds=0,
            max_loop_lag_ms=0,
        ) as server,
        open_users(sqlite_url(tmp_path), strangers=True) as users,
    ):
        async with talking(Place(server.address, issuer.token("ada", exp=time.time() + 4))) as talk:
            await talk.talker.expect("Error", seconds=8)
            await talk.cut_off("BRIDGE_SIGN_IN_EXPIRED")
        eve = Place(server.address, issuer.token("eve"))
        async with talking(eve) as talk:
            assert (await eve.post("sign-out")).status_code == 204
            assert await talk.cut_off("BRIDGE_SIGNED_OUT") < SOON
        async with talking(Place(server.address, issuer.token("Ada Lovelace"))) as talk:
            await users.lock("Ada Lovelace")
            assert await talk.cut_off("BRIDGE_SIGNED_OUT") < SOON
        await users.unlock("Ada Lovelace")
        newer = Place(server.address, issuer.token("Ada Lovelace"))
        assert await newer.status() == 200


async def test_every_worker_and_every_server_hears_of_it(tmp_path: Path, postgres_url: str) -> None:
    await add_users(postgres_url, "ada")
    given = {**BY_PIN, "DATABASE_URL": postgres_url}
    async with (
        process(tmp_path / "a", **given, BRIDGE_WORKERS="2") as one,
        process(tmp_path / "b", **given) as two,
    ):
        token = await sign_in(one.address)
        here, there = Place(one.address, token), Place(two.address, token)
        async with talking(here) as first, talking(here) as second, talking(there) as third:
            unused = await here.start()
            status, said, _ = await run(tmp_path / "cli", "users", "lock", "ada", DATABASE_URL=postgres_url)
            assert (status, said) == (0, "ada is locked; all sign-ins are ended\n")
            took = await asyncio.gather(*[t.cut_off("BRIDGE_SIGNED_OUT") for t in (first, second, third)])
            assert max(took) < SOON
            with pytest.raises(InvalidStatus):
                async with client(there.ws, token=unused["token"]):
                    pass


async def test_a_ticket_takes_its_sign_in_along_to_another_server(tmp_path: Path, postgres_url: str) -> None:
    await add_users(postgres_url, "ada")
    given = {**BY_PIN, "DATABASE_URL": postgres_url}
    async with process(tmp_path / "a", **given) as one, process(tmp_path / "b", **given) as two:
        here = Place(one.address, await sign_in(one.address))
        begun = await here.start()
        async with client(two.ws, token=begun["token"]) as talker:
            await talker.settle()
            assert (await here.post("sign-out")).status_code == 204
            error = await talker.expect("Error", seconds=SOON)
            assert error["code"] == "BRIDGE_SIGNED_OUT"
            assert await talker.expect_close() == 1000


async def test_what_happened_while_the_store_was_away_is_caught_up_with(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    await add_users(postgres_url, "ada")
    async with process(tmp_path, **BY_PIN, DATABASE_URL=postgres_url) as server:
        here = Place(server.address, await sign_in(server.address))
        async with talking(here) as talk:
            postgres_server.stop()
            postgres_server.start()
            async with open_users(postgres_url) as users:
                await users.lock("ada")
            error = await talk.talker.expect("Error", seconds=15)
            assert error["code"] == "BRIDGE_SIGNED_OUT"
