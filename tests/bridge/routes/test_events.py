"""Conversations followed as they happen, over real connections."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import AsyncExitStack

from bridge.core.model import Cursor, Entry
from tests.bridge.routes.front import SETTINGS, Front, receive
from tests.bridge.routes.test_conversations import BOB, URL, remember, said
from tests.support.following import Reading, following

READERS = 100


async def add(bridge: Front, conversation_id: str, *contents: str, begin: int) -> None:
    """More entries, by nobody's session here: as another process would."""
    conversation = await bridge.record.store.conversation("user-ada", conversation_id)
    for idx, one in enumerate(said(*contents), begin):
        await bridge.record.journal.append(
            Entry(
                conversation_id=conversation_id,
                user_id="user-ada",
                cursor=Cursor(1, idx),
                at=conversation.started_at,
                what=one,
            )
        )


async def test_what_is_stored_comes_first_then_what_is_said(bridge: Front) -> None:
    conversation_id = await remember(bridge, "Hello", "Hi.")
    started = await bridge.start(conversation_id=conversation_id)
    async with (
        following(bridge.http, conversation_id) as reader,
        bridge.talk(additional_headers={"Authorization": f"Token {started['token']}"}) as client,
    ):
        assert await reader.said(2) == ["Hello", "Hi."]
        await client.send(SETTINGS)
        await receive(client, "SettingsApplied")
        await client.send(json.dumps({"type": "InjectUserMessage", "content": "one"}))
        assert await reader.said(2) == ["one", "You said: one"]
        assert reader.cursor == "2:1"


async def test_a_reader_goes_on_where_it_was(bridge: Front) -> None:
    conversation_id = await remember(bridge, "one", "two", "three")
    async with following(bridge.http, conversation_id) as reader:
        assert await reader.said(2) == ["one", "two"]
    async with following(bridge.http, conversation_id, seen=reader.cursor) as reader:
        assert await reader.said(1) == ["three"]
        await add(bridge, conversation_id, "four", "five", begin=3)
        assert await reader.said(2) == ["four", "five"]


async def test_a_cursor_may_stand_in_the_address_and_must_be_one(bridge: Front) -> None:
    conversation_id = await remember(bridge, "one", "two")
    path = f"{URL}/{conversation_id}/events"
    async with bridge.http.stream("GET", path, params={"after": "1:0"}) as answer:
        assert await Reading(answer.aiter_lines()).said(1) == ["two"]
    for wrong in ({"params": {"after": "x"}}, {"headers": {"Last-Event-ID": "x"}}):
        assert (await bridge.http.get(path, **wrong)).status_code == 422  # type: ignore[arg-type]


async def test_nobody_elses_conversation_is_followed(bridge: Front) -> None:
    conversation_id = await remember(bridge, "one")
    for path, headers in ((conversation_id, BOB), ("nothing", {})):
        answer = await bridge.http.get(f"{URL}/{path}/events", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "BRIDGE_NOT_FOUND")


async def test_it_ends_when_the_conversation_is_deleted(bridge: Front) -> None:
    conversation_id = await remember(bridge, "one")
    async with following(bridge.http, conversation_id) as reader:
        assert await reader.said(1) == ["one"]
        await bridge.http.delete(f"{URL}/{conversation_id}")
        assert await reader.next() is None


async def test_a_hundred_readers_are_all_told_everything_in_order(bridge: Front) -> None:
    conversation_id = await remember(bridge, "0")
    lines = [str(n) for n in range(50)]
    async with AsyncExitStack() as stack:
        readers = [
            await stack.enter_async_context(following(bridge.http, conversation_id)) for _ in range(READERS)
        ]
        assert [await reader.said(1) for reader in readers] == [["0"]] * READERS
        await add(bridge, conversation_id, *lines[1:], begin=1)
        told = await asyncio.gather(*(reader.said(49) for reader in readers))
    assert told == [lines[1:]] * READERS


async def test_one_that_does_not_read_is_closed_and_comes_back_by_its_cursor(bridge: Front) -> None:
    conversation_id = await remember(bridge, "begin")
    lines = [f"{n} {'x' * 40_000}" for n in range(1, 601)]
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.setblocking(False)
        host, port = bridge.address.split(":")
        await asyncio.get_running_loop().sock_connect(slow, (host, int(port)))
        reading, writing = await asyncio.open_connection(sock=slow, limit=2**17)
        writing.write(
            f"GET {URL}/{conversation_id}/events HTTP/1.1\r\nHost: {bridge.address}\r\n"
            "Authorization: Token user-ada\r\n\r\n".encode()
        )
        while b"data:" not in await reading.readline():
            pass
        for part in range(0, 600, 60):  # another reader sees that each part has been handed out
            async with following(bridge.http, conversation_id, seen=f"1:{part}") as other:
                await add(bridge, conversation_id, *lines[part : part + 60], begin=part + 1)
                assert await other.said(60) == lines[part : part + 60]
        async with asyncio.timeout(20):
            got = (await reading.read(2**30)).decode()
            while more := await reading.read(2**20):
                got += more.decode()
        writing.close()
        await writing.wait_closed()
    seen = [line.removeprefix("id: ") for line in got.splitlines() if line.startswith("id: ")]
    assert 0 < len(seen) < 600
    assert seen == [f"1:{n}" for n in range(1, len(seen) + 1)]
    async with following(bridge.http, conversation_id, seen=seen[-1]) as again:
        assert await again.said(600 - len(seen)) == lines[len(seen) :]
