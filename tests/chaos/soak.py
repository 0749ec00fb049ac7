"""Thousands of calls, begun and ended in all ways there are: nothing of them stays behind in the server."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx2
import psutil

from tests.chaos.figures import Figure, Scenario
from tests.chaos.servers import server
from tests.support.bridge import Process
from tests.support.client import FRESH, Client, client, metrics
from tests.support.deepgram import DeepgramSession, ScriptedDeepgram

WAYS: Mapping[str, float] = {"leave": 6, "return": 2, "cut": 1, "refuse": 1, "delete": 2}
"""How a call goes, and how many of them do: closed by the client; dropped and rejoined; the agent cut in the
middle; ended by the agent; ended over HTTP."""
LONG_WAYS: Mapping[str, float] = {**WAYS, "drop": 2, "never": 1}
"""Those too after which the server waits for half a minute: dropped for good; nobody came."""
SETTLED_SECONDS = 90.0
"""A session nobody came to is forgotten after 60."""
MEBIBYTE = 2**20
LONG_CALLS, LONG_WARM, AT_ONCE = 10_000, 500, 50
MOST_MEMORY, MOST_MORE = 20 * MEBIBYTE, 5


@dataclass(frozen=True, slots=True)
class Footprint:
    """What the server takes."""

    memory: int
    """Bytes, resident."""
    descriptors: int
    """Without the store's file: its pool opens ten connections at most, the last ones under load."""
    tasks: int

    @classmethod
    async def of(cls, server: Process) -> Footprint:
        """Measure it now."""
        figures, ours = await metrics(server.http), psutil.Process(server.process.pid)
        pooled = sum(Path(file.path).name.startswith("bridge.db") for file in ours.open_files())
        return cls(ours.memory_info().rss, ours.num_fds() - pooled, int(figures["bridge_tasks"]))


@dataclass(eq=False)
class Soak:
    """The calls that are made, and what the server took before and after them."""

    random: Random
    ways: Mapping[str, float]
    ended: Counter[str] = field(default_factory=Counter)
    """Way → calls that ended so."""
    before: Footprint = field(default=Footprint(0, 0, 0))
    after: Footprint = field(default=Footprint(0, 0, 0))
    seconds: float = 0.0
    _cut: set[str] = field(default_factory=set)
    _begun: int = 0

    # ── the agent ─────────────────────────────────────────────────────────────────────────────

    async def agent(self, session: DeepgramSession) -> None:
        """Does what it is asked for, with a function call. Some wishes are too much for it."""
        async for frame in session.frames():
            if isinstance(frame, dict) and frame.get("type") == "InjectUserMessage":
                wish = str(frame["content"])
                if wish.startswith("refuse"):
                    await session.close(4402)
                elif wish.startswith("cut") and wish not in self._cut:
                    self._cut.add(wish)
                    session.reset()
                else:
                    await self._fulfil(session, wish)

    async def _fulfil(self, session: DeepgramSession, wish: str) -> None:
        await session.user_text(wish)
        call = await session.call("submit_goal_intent", goal_statement=wish)
        await session.expect_answer(call, within=30)
        await session.say(f"Done: {wish}.", ms=40)

    # ── the clients ───────────────────────────────────────────────────────────────────────────

    async def run(self, server: Process, calls: int, at_once: int) -> None:
        """So many calls, so many of them at a time."""
        last = self._begun + calls
        async with (
            httpx2.AsyncClient(base_url=server.http, trust_env=False, timeout=30, limits=FRESH) as rest,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(at_once):
                group.create_task(self._call_on(server, rest, last))

    async def _call_on(self, server: Process, rest: httpx2.AsyncClient, last: int) -> None:
        while self._begun < last:
            self._begun += 1
            way = self.random.choices(list(self.ways), list(self.ways.values()))[0]
            await self._call(server, rest, way, f"{way} {self._begun}")
            self.ended[way] += 1

    async def _call(self, server: Process, rest: httpx2.AsyncClient, way: str, wish: str) -> None:
        begun = await _begun(rest)
        if way == "never":
            return
        async with client(server.ws, token=begun["token"]) as talker:
            await talker.settle()
            await talker.send(type="InjectUserMessage", content=wish)
            if way == "refuse":
                await talker.expect_close(seconds=30)
                return
            done = await talker.expect_text("assistant", f"Done: {wish}.")
            if way == "delete":
                answer = await rest.delete(f"/api/v1/voice/session/{begun['session_id']}")
                assert answer.status_code == 200
            elif way in ("drop", "return"):
                talker.socket.transport.abort()
        if way == "return":
            await self._return(server, talker, str(done["cursor"]))

    async def _return(self, server: Process, talker: Client, cursor: str) -> None:
        ready = await talker.expect("BridgeReady")
        async with client(server.ws, token=str(ready["resume_token"])) as again:
            await again.settle(cursor=cursor)

    # ── the server ────────────────────────────────────────────────────────────────────────────

    async def settle(self, server: Process, tasks: int) -> Footprint:
        """Its footprint once it has no more tasks than that. Raises AssertionError when it keeps some."""
        until = time.monotonic() + SETTLED_SECONDS
        while (found := await Footprint.of(server)).tasks > tasks:
            assert time.monotonic() < until, f"{found.tasks} tasks are left, {tasks} at most were expected"
            await asyncio.sleep(0.5)
        return found


async def _begun(rest: httpx2.AsyncClient) -> dict[str, str]:
    """A session of ours. Where the machine is too busy for one it is asked for again, as clients do."""
    while (answer := await rest.post("/api/v1/voice/session", json={})).status_code == 503:  # noqa: ASYNC110
        await asyncio.sleep(float(answer.headers["Retry-After"]))
    begun: dict[str, str] = answer.raise_for_status().json()
    return begun


async def soaked(
    folder: Path, *, seed: int, warm: int, calls: int, at_once: int, ways: Mapping[str, float] = WAYS
) -> Soak:
    """What one server process takes before and after so many calls; some come before, to warm it."""
    soak = Soak(Random(seed), ways)
    async with ScriptedDeepgram(key=None, script=soak.agent) as deepgram:
        variables = {"DEEPGRAM_AGENT_URL": deepgram.url, "BRIDGE_SESSIONS_PER_USER": "1000"}
        async with server(folder, variables) as running:
            idle = (await Footprint.of(running)).tasks
            await soak.run(running, warm, at_once)
            soak.before = await soak.settle(running, idle + MOST_MORE)
            began = time.monotonic()
            await soak.run(running, calls, at_once)
            soak.seconds = time.monotonic() - began
            soak.after = await soak.settle(running, idle + MOST_MORE)
        assert not [line for line in running.lines if line.get("level") in ("error", None)]
    return soak


async def _long(folder: Path, seed: int) -> Sequence[Figure]:
    found = await soaked(folder, seed=seed, warm=LONG_WARM, calls=LONG_CALLS, at_once=AT_ONCE, ways=LONG_WAYS)
    before, after = found.before, found.after
    memory, descriptors = after.memory - before.memory, after.descriptors - before.descriptors
    tasks = after.tasks - before.tasks
    return [
        Figure(
            f"soak, {LONG_CALLS} calls, {LONG_CALLS / found.seconds:.0f} a second",
            f"memory + ≤ {MOST_MEMORY // MEBIBYTE} MiB, file descriptors and tasks ± {MOST_MORE}",
            f"memory {memory / MEBIBYTE:+.1f} MiB (to {after.memory // MEBIBYTE}), "
            f"file descriptors {descriptors:+}, tasks {tasks:+}",
            memory <= MOST_MEMORY and max(abs(descriptors), abs(tasks)) <= MOST_MORE,
        )
    ]


SCENARIO = Scenario("soak", f"{LONG_CALLS} calls at one server.", 8, _long)
