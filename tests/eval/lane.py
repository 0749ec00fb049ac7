"""One server process and one person at a time who talks to it, case after case."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx2
import sqlalchemy as sa

from persistence.tables import GOALS, TASKS, USERS
from tests.eval.caller import Caller, Reply, calling
from tests.eval.cases import Case, Wish
from tests.eval.dates import first
from tests.eval.judging import Row, Stored, Verdict, judge
from tests.eval.voices import Spoken
from tests.support.bridge import Process, process
from tests.support.client import get, start

ZONE = ZoneInfo("Europe/Berlin")
USER = "local"

Voiced = dict[tuple[str, str], Spoken]
"""(sentence, voice) → its sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A case and who speaks it."""

    case: Case
    voice: str
    """Empty: it is typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a job."""

    job: Job
    verdict: Verdict
    said: tuple[str, ...]
    """All turns, the answer included."""
    asked: bool
    """A question had to be answered."""
    replies: tuple[Reply, ...]
    problem: str = ""
    """The talk broke off."""

    @property
    def heard(self) -> tuple[str, ...]:
        return tuple(text for reply in self.replies for text in reply.heard)


@dataclass(slots=True)
class Talk:
    """A case while it is spoken."""

    job: Job
    voiced: Voiced
    said: list[str] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    asked: bool = False

    async def run(self, caller: Caller) -> None:
        """All turns; and when the agent then asks while a wish is not done, the answer, once."""
        case = self.job.case
        for turn in case.say:
            await self._say(caller, turn)
        self.asked = self.replies[-1].asks and sum(reply.done for reply in self.replies) < len(case.made)
        if self.asked:
            await self._say(caller, case.answer)

    async def _say(self, caller: Caller, sentence: str) -> None:
        self.said.append(sentence)
        if self.job.voice:
            await caller.talk(self.voiced[sentence, self.job.voice])
        else:
            await caller.write(sentence)
        self.replies.append(await caller.reply())


@dataclass(slots=True)
class Lane:
    """A running server, its database and the sound of all sentences."""

    server: Process
    database: sa.Engine
    voiced: Voiced
    results: list[Result] = field(default_factory=list)

    def faults(self) -> list[str]:
        """Events the server has logged as errors."""
        return [
            str(line["event"]) for line in self.server.lines if line.get("level") in ("error", "critical")
        ]

    async def work(self, jobs: Iterator[Job]) -> None:
        """Take jobs until there are none left; other lanes take from the same."""
        for job in jobs:
            self.results.append(await self._run(job))

    async def _run(self, job: Job) -> Result:
        now = datetime.now(ZONE)
        given = self._prepare(job.case.given, now)
        talk, problem = Talk(job, self.voiced), ""
        started = await start(self.server.http)
        try:
            async with calling(self.server.ws, str(started["token"]), microphone=bool(job.voice)) as caller:
                await talk.run(caller)
        except* (OSError, TimeoutError) as broken:
            problem = repr(broken.exceptions[0])
        await self._hang_up(str(started["session_id"]))
        verdict = judge(job.case, await self._stored(given), now)
        return Result(
            job=job,
            verdict=verdict,
            said=tuple(talk.said),
            asked=talk.asked,
            replies=tuple(talk.replies),
            problem=problem,
        )

    async def _hang_up(self, session_id: str) -> None:
        async with httpx2.AsyncClient(trust_env=False) as rest:
            await rest.delete(f"{self.server.http}/api/v1/voice/session/{session_id}")

    def _prepare(self, wishes: Sequence[Wish], now: datetime) -> list[str]:
        """Forget the person's goals and tasks and give them new ones. Returns the ids of these."""
        with self.database.begin() as tx:
            tx.execute(sa.delete(GOALS))
            tx.execute(sa.delete(TASKS))
            return [str(tx.scalar(_task(wish, now))) for wish in wishes]

    async def _stored(self, given: Sequence[str]) -> Stored:
        goals = _rows(await get(self.server.http, "/api/v1/goals"))
        tasks = _rows(await get(self.server.http, "/api/v1/tasks"))
        new = [task for task in tasks if task["id"] not in given]
        return Stored(goals, new, [task for task in tasks if task["id"] in given])


def _rows(answer: dict[str, object]) -> list[Row]:
    items = answer["items"]
    assert isinstance(items, list)
    return items


def _task(wish: Wish, now: datetime) -> sa.Executable:
    when = wish["at"]
    assert isinstance(when, dict)
    row = sa.insert(TASKS).values(
        user_id=USER,
        title=wish["task"],
        trigger_type="time",
        scheduled_at=first(when, now),
        status="open",
        reschedule_reason="",
        created_at=datetime.now(UTC),
    )
    return row.returning(TASKS.c.id)


@asynccontextmanager
async def lane(folder: Path, voiced: Voiced) -> AsyncIterator[Lane]:
    """A server with a database of its own; ended when the block is left."""
    folder.mkdir()
    async with process(
        folder, BRIDGE_TIME_ZONE=ZONE.key, BRIDGE_USER=USER, BRIDGE_UPSTREAM="local"
    ) as server:
        database = sa.create_engine(f"sqlite:///{folder / 'bridge.db'}", connect_args={"timeout": 20})
        with database.begin() as tx:
            person = {"id": USER, "time_zone": ZONE.key, "created_at": datetime.now(UTC)}
            empty = dict.fromkeys(("name", "chronotype", "work_hours", "sleep_window"), "")
            tx.execute(sa.insert(USERS).values(**person, **empty))
        try:
            yield Lane(server, database, voiced)
        finally:
            database.dispose()
            await server.terminate()


@dataclass(frozen=True, slots=True)
class Run:
    """All that came of the jobs."""

    results: list[Result]
    faults: list[str]
    """Events the servers have logged as errors."""


async def run(jobs: Sequence[Job], *, lanes: int, folder: Path, voiced: Voiced) -> Run:
    """Run all jobs, `lanes` at a time."""
    left, run = iter(jobs), Run([], [])
    starting = asyncio.Semaphore(os.cpu_count() or 1)

    async def one(number: int) -> None:
        async with AsyncExitStack() as stack:
            async with starting:
                each = await stack.enter_async_context(lane(folder / f"lane-{number}", voiced))
            await each.work(left)
            run.results.extend(each.results)
            run.faults.extend(each.faults())

    async with asyncio.TaskGroup() as group:
        for number in range(min(lanes, len(jobs))):
            group.create_task(one(number), name=f"lane-{number}")
    return run
