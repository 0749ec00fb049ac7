"""One look has the sessions and failures of all workers, and any of their sessions can be ended anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bridge.core.events import AgentLeft, AgentReady, Moment
from bridge.errors import NotFound, Unavailable
from bridge.observers import siblings
from bridge.observers.overview import Overview
from bridge.observers.overviews import Overviews
from bridge.observers.siblings import Siblings, Worker
from bridge.ports import SessionFacts
from bridge.ports.console import Failure
from tests.support.serving import silent

NOON = datetime(2026, 11, 3, 12, 0, 0, 123000, tzinfo=UTC)


@dataclass
class Process:
    """One worker: what it has seen, and the sessions that were ended in it."""

    worker: Worker | None
    seen: Overview = field(default_factory=Overview)
    ended: list[str] = field(default_factory=list)
    gone: bool = False
    """Its sessions came to their end this moment."""

    def __post_init__(self) -> None:
        self.siblings = Siblings(self.worker)
        self.all = Overviews(self.seen, self.siblings, self.find, lambda: NOON)

    def find(self, user_id: str, session_id: str) -> Session:
        if self.gone:
            raise NotFound
        return Session(self, f"{user_id}/{session_id}")

    def begin(self, session_id: str, minutes: int) -> None:
        """A session that began so many minutes before noon."""
        self.seen.saw(facts(session_id), AgentReady("r"), moment(minutes))

    def lose(self, session_id: str, code: int, minutes: int) -> None:
        """Its agent was lost so many minutes before noon."""
        self.seen.saw(facts(session_id), AgentLeft(code), moment(minutes))


@dataclass
class Session:
    process: Process
    name: str

    def end(self, code: str, description: str = "") -> None:
        self.process.ended.append(f"{self.name} {code}")


def facts(session_id: str) -> SessionFacts:
    return SessionFacts(
        session_id=session_id, conversation_id="c", user_id="ada", agent="flux", upstream="local"
    )


def moment(minutes: int) -> Moment:
    return Moment(0.0, NOON - timedelta(minutes=minutes))


@pytest.fixture
def folder() -> Iterator[Path]:
    """Its name is short: that of a socket may not be long."""
    with TemporaryDirectory() as name:
        yield Path(name)


@asynccontextmanager
async def workers(folder: Path, count: int) -> AsyncIterator[list[Process]]:
    async with AsyncExitStack() as stack:
        found = [Process(Worker(number, folder)) for number in range(1, count + 1)]
        for one in found:
            await stack.enter_async_context(one.siblings)
        yield found


async def test_whoever_is_asked_tells_the_sessions_and_failures_of_all(folder: Path) -> None:
    async with workers(folder, 3) as processes:
        for number, process in enumerate(processes):
            process.begin(f"s{number}", minutes=10 + number)
            process.lose(f"s{number}", 1006, minutes=number)
        processes[2].lose("s2", 1011, minutes=4)
        for asked in processes:
            view = await asked.all.look()
            told = [(seen.facts.session_id, seen.worker, seen.error) for seen in view.sessions]
            assert told == [
                ("s2", 3, "agent lost, close code 1011"),
                ("s1", 2, "agent lost, close code 1006"),
                ("s0", 1, "agent lost, close code 1006"),
            ]
            assert view.sessions[2].since == NOON - timedelta(minutes=10)
            assert view.failures == [
                Failure(cause="agent lost, close code 1006", count=3, last=NOON),
                Failure(cause="agent lost, close code 1011", count=1, last=NOON - timedelta(minutes=4)),
            ]
            assert (view.at, view.missing) == (NOON, 0)


async def test_a_session_is_ended_where_it_is(folder: Path) -> None:
    async with workers(folder, 3) as [first, second, third]:
        second.begin("s", minutes=1)
        third.begin("t", minutes=1)
        await first.all.end("s")
        await third.all.end("t")
        assert first.ended == []
        assert second.ended == ["ada/s BRIDGE_ENDED"]
        assert third.ended == ["ada/t BRIDGE_ENDED"]


async def test_one_that_nobody_has_is_not_found(folder: Path) -> None:
    async with workers(folder, 2) as [first, second]:
        second.begin("s", minutes=1)
        second.gone = True
        for session_id in ("s", "other"):
            with pytest.raises(NotFound):
                await first.all.end(session_id)
        with pytest.raises(NotFound):
            (await first.all.look()).session("other")


async def test_one_that_does_not_answer_is_said_to_be_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(siblings, "ANSWER_SECONDS", 0.1)
    server = await asyncio.start_unix_server(silent, folder / "9-99.sock")
    async with workers(folder, 2) as [first, second]:
        second.begin("s", minutes=1)
        view = await first.all.look()
        assert ([seen.worker for seen in view.sessions], view.missing) == ([2], 1)
        assert view.session("s").facts == facts("s")
        await first.all.end("s")
        assert second.ended == ["ada/s BRIDGE_ENDED"]
        with pytest.raises(Unavailable):  # the silent one may have it
            await first.all.end("other")
        with pytest.raises(Unavailable):
            view.session("other")
    server.close()


async def test_one_alone_tells_its_own_without_a_number() -> None:
    alone = Process(None)
    alone.begin("s", minutes=1)
    view = await alone.all.look()
    assert [(seen.facts.session_id, seen.worker) for seen in view.sessions] == [("s", None)]
    assert view.missing == 0
    await alone.all.end("s")
    assert alone.ended == ["ada/s BRIDGE_ENDED"]
