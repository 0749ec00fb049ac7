"""Whatever ends a session, whoever watches it is told so once, and nothing of it any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import httpx2
import pytest

from bridge.core import events as ev
from bridge.core.commands import Command, News
from bridge.core.events import Event, Moment, PeerEvent
from bridge.core.model import Entry, Outcome
from bridge.core.session import Phase
from bridge.live.watch import Audience
from bridge.ports import Happening, Job, SessionFacts, SoundPassed, Take
from tests.support.bridge import Running, running
from tests.support.client import Client, client, start
from tests.support.deepgram import ScriptedDeepgram

TOKEN = "an operator's token of more than thirty-two letters"


class Watcher:
    """Notes that it is told, of whatever happens; may break at one kind of event."""

    kinds = frozenset((*Event.__subclasses__(), *PeerEvent.__subclasses__(), *get_args(Command), SoundPassed))

    def __init__(self, breaks_at: type[Event | PeerEvent] | None = None) -> None:
        self.breaks_at = breaks_at
        self.ends: list[str] = []
        self.told = self.told_after = 0

    def saw(self, facts: SessionFacts, what: Happening, now: Moment) -> None:
        self.told += 1
        self.told_after += bool(self.ends)
        if self.breaks_at and isinstance(what, self.breaks_at):
            raise ZeroDivisionError

    def ended(self, facts: SessionFacts, reason: str, now: Moment) -> None:
        self.ends.append(reason)
        if self.breaks_at:
            raise ZeroDivisionError


class BrokenJournal:
    """A fault of ours in a step."""

    def append(self, entry: Entry) -> asyncio.Future[None]:
        raise ZeroDivisionError


class BrokenIntents:
    """A fault of ours in a task of the session."""

    async def run(self, job: Job) -> Outcome:
        raise ZeroDivisionError


class BrokenTransport:
    """A fault of ours in what brings a client's messages."""

    stays = True

    def __init__(self) -> None:
        self.closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def read(self, take: Take) -> None:
        raise ZeroDivisionError

    async def send(self, frame: bytes | News) -> None:
        pass

    def tell(self, news: News) -> bool:
        return True

    async def close(self, code: int, reason: str) -> None:
        self.closed.set_result(code)


@dataclass(frozen=True, slots=True)
class Talk:
    """A session that is watched."""

    up: Running
    deepgram: ScriptedDeepgram
    client: Client
    session_id: str

    async def end(self) -> None:
        """As its user may."""
        async with httpx2.AsyncClient(base_url=self.up.http) as http:
            await http.delete(f"/api/v1/voice/session/{self.session_id}")
        await self.client.expect_close()


@asynccontextmanager
async def talk(
    folder: Path, watcher: Watcher, *, breaks_at: type[Event | PeerEvent] | None = None, **parts: Any
) -> AsyncIterator[Talk]:
    """In the block it goes on; then it is over, and nothing of it is seen any more."""
    async with ScriptedDeepgram() as deepgram:
        keys = {"deepgram_api_key": "test-key", "admin_token": TOKEN}
        async with running(folder, upstream="deepgram", deepgram_agent_url=deepgram.url, **keys) as up:
            sessions = up.app.sessions
            # One that breaks comes first: it must not keep anything from the others.
            audience = Audience(Watcher(breaks_at), *sessions.parts.audience.observers, watcher)
            sessions.parts = replace(sessions.parts, audience=audience, **parts)
            begun = await start(up.http)
            async with client(up.ws, token=str(begun["token"])) as talker:
                yield Talk(up, deepgram, talker, str(begun["session_id"]))
            async with asyncio.timeout(5):
                while len(sessions):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            await _gone_from_sight(up)


async def _gone_from_sight(up: Running) -> None:
    async with httpx2.AsyncClient(base_url=up.http) as http:
        metrics = (await http.get("/metrics")).text
        seen = await http.get("/console/sessions", headers={"Authorization": f"Bearer {TOKEN}"})
    assert 'bridge_sessions_active{agent="flux"} 0.0' in metrics
    assert seen.json()["sessions"] == []


async def test_a_session_that_comes_to_its_end(tmp_path: Path) -> None:
    watcher = Watcher()
    async with talk(tmp_path, watcher) as it:
        await it.client.settle()
        await it.end()
    assert watcher.told > 0
    assert (watcher.ends, watcher.told_after) == (["ended"], 0)


@pytest.mark.parametrize("parts", [{"journal": BrokenJournal()}, {"intents": BrokenIntents()}], ids=list)
async def test_a_session_that_a_fault_of_ours_ends(tmp_path: Path, parts: dict[str, Any]) -> None:
    watcher = Watcher()
    async with talk(tmp_path, watcher, **parts) as it:
        await it.client.settle()
        agent = await it.deepgram.session()
        await agent.user_text("I want to learn to sing.")
        await agent.call("submit_goal_intent", goal_statement="to sing")
        assert await it.client.expect_close() == 1011
    assert (watcher.ends, watcher.told_after) == (["fault"], 0)


async def test_a_session_whose_socket_a_fault_of_ours_ends_waits_for_another_one(tmp_path: Path) -> None:
    async with talk(tmp_path, Watcher()) as it:
        await it.client.settle()
        live, broken = it.up.app.sessions.find("local", it.session_id), BrokenTransport()
        it.up.app.sessions.serve(live, broken)
        async with asyncio.timeout(5):
            assert await broken.closed == 1011
        assert live.runner.session.phase is Phase.LINGERING
        await it.end()


@pytest.mark.parametrize("event", [ev.Attached, ev.EntrySaved])
async def test_a_fault_of_somebody_who_watches_ends_nothing(
    tmp_path: Path, event: type[Event | PeerEvent]
) -> None:
    watcher = Watcher()
    async with talk(tmp_path, watcher, breaks_at=event) as it:
        await it.client.settle()
        await (await it.deepgram.session()).say("All is well here.")
        await it.client.expect_text("assistant", "All is well here.")
        await it.end()
    assert (watcher.ends, watcher.told_after) == (["ended"], 0)


async def test_a_session_that_takes_too_long_to_end(tmp_path: Path) -> None:
    watcher = Watcher()
    async with talk(tmp_path, watcher) as it:
        await it.client.settle()
        it.up.app.sessions._live[it.session_id].runner.finished.set()  # what `drain` does in the end
    assert (watcher.ends, watcher.told_after) == (["cut_off"], 0)
