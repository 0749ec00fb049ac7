"""Sessions of a process: quotas, tokens, rejoin, crashes that stay where they are, the end of all."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from limits import parse_many

from bridge.core.model import Entry
from bridge.errors import NotFound, StoreUnavailable, TooMany, Unauthenticated, Unavailable
from bridge.live.registry import Sessions
from tests.persistence.build import until
from tests.support.bridge import Running, running
from tests.support.client import client, start
from tests.support.deepgram import ScriptedDeepgram


@asynccontextmanager
async def server(folder: Path, **changes: object) -> AsyncIterator[tuple[Running, ScriptedDeepgram]]:
    async with ScriptedDeepgram() as deepgram:
        given = {"upstream": "deepgram", "deepgram_agent_url": deepgram.url, "deepgram_api_key": "test-key"}
        async with running(folder, **{**given, **changes}) as up:
            yield up, deepgram


async def prepare(sessions: Sessions, **wish: str) -> str:
    prepared = await sessions.prepare(
        wish.get("user", "u"), agent=wish.get("agent"), conversation_id=wish.get("conversation_id")
    )
    return prepared.session_id


async def test_new_sessions_are_counted_per_user_and_refused_beyond(tmp_path: Path) -> None:
    async with server(tmp_path, session_rates=tuple(parse_many("2/10 minutes"))) as (up, _):
        await prepare(up.app.sessions)
        await prepare(up.app.sessions)
        with pytest.raises(TooMany) as refused:
            await prepare(up.app.sessions)
        assert refused.value.retry_after
        assert 1 <= refused.value.retry_after <= 600
        await prepare(up.app.sessions, user="somebody else")


async def test_one_session_more_than_allowed_ends_the_oldest(tmp_path: Path) -> None:
    async with server(tmp_path, sessions_per_user=2) as (up, _):
        first, second, third = [await prepare(up.app.sessions) for _ in range(3)]
        with pytest.raises(NotFound):
            up.app.sessions.find("u", first)
        assert [up.app.sessions.find("u", x).facts.session_id for x in (second, third)] == [second, third]


async def test_a_session_is_its_users(tmp_path: Path) -> None:
    async with server(tmp_path) as (up, _):
        session_id = await prepare(up.app.sessions)
        with pytest.raises(NotFound):
            up.app.sessions.find("somebody else", session_id)


async def test_an_agent_or_conversation_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    async with server(tmp_path) as (up, _):
        with pytest.raises(NotFound, match="no agent called 'nobody'"):
            await prepare(up.app.sessions, agent="nobody")
        with pytest.raises(NotFound):
            await prepare(up.app.sessions, conversation_id="not-there")
        conversation = (await up.app.sessions.prepare("u", agent=None, conversation_id=None)).conversation
        with pytest.raises(NotFound):
            await prepare(up.app.sessions, user="somebody else", conversation_id=conversation.id)


async def test_a_session_nobody_comes_for_ends(tmp_path: Path) -> None:
    async with server(tmp_path) as (up, _):
        up.app.sessions.unattached_seconds = 0.05
        prepared = await up.app.sessions.prepare("u", agent=None, conversation_id=None)
        live = up.app.sessions.find("u", prepared.session_id)
        async with asyncio.timeout(5):
            await live.gone.wait()
        with pytest.raises(Unauthenticated):
            await up.app.sessions.admit(prepared.token)


async def test_a_session_whose_token_cannot_be_kept_ends_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store goes away just when the session was begun."""

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    async with server(tmp_path) as (up, _):
        sessions = up.app.sessions
        sessions.unattached_seconds = 0.05
        monkeypatch.setattr(type(sessions.store), "shared", True)
        monkeypatch.setattr(type(sessions.store), "keep_ticket", away)
        with pytest.raises(StoreUnavailable):
            await prepare(sessions)
        async with asyncio.timeout(5):
            for live in list(sessions._live.values()):
                await live.gone.wait()
        assert len(sessions) == 0
        await until(lambda: not sessions.tokens._sessions)


async def test_a_token_that_is_not_ours_is_somebody_elses_business(tmp_path: Path) -> None:
    async with server(tmp_path) as (up, _):
        assert await up.app.sessions.admit(None) is None
        assert await up.app.sessions.admit("a Deepgram key") is None
        with pytest.raises(Unauthenticated):
            await up.app.sessions.admit("vbs_made-up")


async def test_a_fault_in_one_session_ends_that_session_only(tmp_path: Path) -> None:
    async with server(tmp_path, sessions_per_user=2) as (up, deepgram):
        begun = await start(up.http)
        parts = up.app.sessions.parts
        up.app.sessions.parts = replace(parts, journal=BrokenJournal())
        broken = await start(up.http)
        async with (
            client(up.ws, token=str(begun["token"])) as healthy,
            client(up.ws, token=str(broken["token"])) as ill,
        ):
            await healthy.settle()
            agent = await deepgram.session()
            await ill.settle()
            await (await deepgram.session()).agent_text("x")
            assert await ill.expect_close() == 1011
            await agent.say("All is well here.")
            await healthy.expect_text("assistant", "All is well here.")


class BrokenJournal:
    """A journal with a fault in its code."""

    def append(self, entry: Entry) -> asyncio.Future[None]:
        raise ZeroDivisionError


async def test_a_session_that_was_being_made_when_the_draining_began_does_not_begin(tmp_path: Path) -> None:
    async with server(tmp_path) as (up, _):
        sessions = up.app.sessions
        coming, _ = await asyncio.gather(prepare(sessions), sessions.drain(0), return_exceptions=True)
        assert isinstance(coming, Unavailable)
        assert coming.code == "BRIDGE_GOING_AWAY"
        assert len(sessions) == 0


async def test_draining_tells_clients_to_come_back_and_takes_nobody_new(tmp_path: Path) -> None:
    async with server(tmp_path) as (up, _):
        begun = await start(up.http)
        async with client(up.ws, token=str(begun["token"])) as talker:
            await talker.settle()
            await up.app.sessions.drain(5)
            warning = await talker.expect("Warning")
            assert warning["code"] == "BRIDGE_GOING_AWAY"
            assert await talker.expect_close() == 1012
        with pytest.raises(Unavailable):
            await prepare(up.app.sessions)
        assert len(up.app.sessions) == 0


async def test_no_task_of_a_session_outlives_it(tmp_path: Path) -> None:
    async with server(tmp_path) as (up, deepgram):
        before = {task.get_name() for task in asyncio.all_tasks()}
        begun = await start(up.http)
        async with client(up.ws, token=str(begun["token"])) as talker:
            await talker.settle()
            await (await deepgram.session()).say("Hello.")
            await talker.expect_text("assistant", "Hello.")
            await up.app.sessions.end("local", str(begun["session_id"]))
            assert await talker.expect_close() == 1000
        left = {task.get_name() for task in asyncio.all_tasks()} - before
    assert not left & {"report", "agent", "agent-pump", "intent", "silence", f"session-{begun['session_id']}"}


async def test_a_session_that_has_ended_needs_no_collector_to_be_forgotten(tmp_path: Path) -> None:
    async with server(tmp_path) as (up, deepgram):
        begun = await start(up.http)
        gc.disable()
        try:
            async with client(up.ws, token=str(begun["token"])) as talker:
                await talker.settle()
                await (await deepgram.session()).say("Hello.")
                await talker.expect_text("assistant", "Hello.")
                live = up.app.sessions.find("local", str(begun["session_id"]))
                kept, running = weakref.ref(live), weakref.ref(live.runner)
                del live
                await up.app.sessions.end("local", str(begun["session_id"]))
                await talker.expect_close()
            async with asyncio.timeout(5):
                while kept() or running():  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        finally:
            gc.enable()
