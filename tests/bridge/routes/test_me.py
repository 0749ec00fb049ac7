"""All that there is of a user, over HTTP: as a file, and deleted."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.core.model import Message, Role
from bridge.errors import NotFound
from bridge.routes.shapes import UserExport
from tests.bridge.routes.front import SETTINGS, Front, front

ME = "/api/v1/me"
BOB = {"Authorization": "Token user-bob"}


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Front]:
    async with front(tmp_path) as made:
        yield made


async def remembered(bridge: Front, user_id: str = "user-ada", words: str = "hello") -> str:
    claim = await bridge.remember(Message(Role.USER, words), user_id=user_id)
    return claim.conversation.id


async def test_everything_is_exported_and_nothing_of_anybody_else(bridge: Front) -> None:
    mine = {await remembered(bridge, words=f"wish {number}") for number in range(3)}
    await remembered(bridge, "user-bob", "secret of bob")

    answer = await bridge.http.get(f"{ME}/export")

    exported = UserExport.model_validate_json(answer.content)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert exported.user.id == "user-ada"
    assert {one.conversation.id for one in exported.conversations} == mine
    said = json.loads(answer.content)["conversations"]
    assert sorted(one["messages"][0]["content"] for one in said) == ["wish 0", "wish 1", "wish 2"]
    assert b"bob" not in answer.content


async def test_who_has_nothing_gets_that(bridge: Front) -> None:
    exported = (await bridge.http.get(f"{ME}/export")).json()

    assert (exported["conversations"], exported["goals"], exported["tasks"]) == ([], [], [])


async def test_a_user_is_deleted_with_everything_and_nobody_else(bridge: Front) -> None:
    mine = await remembered(bridge)
    theirs = await remembered(bridge, "user-bob")

    assert (await bridge.http.delete(ME)).status_code == 204

    with pytest.raises(NotFound):
        await bridge.record.store.conversation("user-ada", mine)
    assert (await bridge.http.get(f"{ME}/export")).json()["conversations"] == []
    assert (await bridge.record.store.conversation("user-bob", theirs)).id == theirs


async def test_a_session_of_a_user_who_is_deleted_ends(bridge: Front) -> None:
    started = await bridge.start()
    headers = {"Authorization": f"Token {started['token']}"}
    async with bridge.talk(additional_headers=headers) as socket:
        await socket.send(SETTINGS)
        while json.loads(await socket.recv())["type"] != "SettingsApplied":
            pass
        assert (await bridge.http.delete(ME)).status_code == 204
        async with asyncio.timeout(5):
            frames = [json.loads(frame) async for frame in socket]
        assert frames[-1]["code"] == "BRIDGE_ENDED"
    assert len(bridge.sessions) == 0


async def test_a_foreign_page_deletes_nobody(bridge: Front) -> None:
    mine = await remembered(bridge)
    answer = await bridge.http.delete(ME, headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403
    assert (await bridge.record.store.conversation("user-ada", mine)).id == mine
