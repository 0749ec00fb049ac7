"""Several worker processes on one port and one PostgreSQL: killed, renewed, stopped."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import psutil

from tests.support.bridge import Process, process
from tests.support.client import Client, client, get, items, metrics, start
from tests.support.deepgram import DeepgramSession, ScriptedDeepgram

WORKERS = 3


@asynccontextmanager
async def workers(folder: Path, deepgram: ScriptedDeepgram, url: str, **more: str) -> AsyncIterator[Process]:
    """A server of several processes, all of them ready; `more` variables."""
    variables = {
        "DEEPGRAM_AGENT_URL": deepgram.url,
        "DATABASE_URL": url,
        "BRIDGE_WORKERS": str(WORKERS),
        "BRIDGE_SESSIONS_PER_USER": "100",
        **more,
    }
    async with process(folder, **variables) as server:
        await ready(server, WORKERS)
        yield server


async def ready(server: Process, count: int) -> None:
    """So many workers have said that they are ready, since the start."""
    await told(server, "server_ready", count)


async def told(server: Process, event: str, count: int) -> None:
    """So many such lines are in its log."""
    async with asyncio.timeout(60):
        while sum(line["event"] == event for line in server.lines) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def running(server: Process) -> list[psutil.Process]:
    """Its worker processes."""
    return [
        child
        for child in psutil.Process(server.process.pid).children()
        if "resource_tracker" not in " ".join(child.cmdline())
    ]


Figure = tuple[str, str, str]
"""Worker, its process, and the name with all labels."""
MESSAGES = frozenset(
    f'bridge_messages_total{{agent="flux",modality="voice",role="{role}"}}' for role in ("user", "assistant")
)


async def figures(server: Process) -> dict[Figure, float]:
    """The counters, as whichever worker takes the request tells them."""
    own = re.compile(r'(pid|worker)="(\d+)",?')
    found = {}
    told = await metrics(server.http)
    assert told["bridge_figures_missing"] == 0
    for name, figure in told.items():
        if "_total" in name:
            labels = dict(own.findall(name))
            found[labels["worker"], labels["pid"], own.sub("", name)] = figure
    return found


def said(found: dict[Figure, float]) -> float:
    """Messages, by all workers."""
    return sum(figure for (_, _, name), figure in found.items() if name in MESSAGES)


async def talk(server: Process, deepgram: ScriptedDeepgram, talker: Client) -> DeepgramSession:
    await talker.settle()
    agent = await deepgram.session()
    await agent.hear("one")
    await talker.expect_text("user", "one")
    return agent


async def test_talks_on_all_of_them_are_kept_and_a_killed_worker_is_replaced(
    tmp_path: Path, postgres_url: str
) -> None:
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        workers(tmp_path, deepgram, postgres_url) as server,
    ):
        begun = [await start(server.http) for _ in range(6)]
        for one in begun:
            async with client(server.ws, token=str(one["token"])) as talker:
                agent = await talk(server, deepgram, talker)
                await agent.say("two")
                await talker.expect("AgentAudioDone")
        before = await figures(server)
        assert len({worker for worker, _, _ in before}) == WORKERS
        assert said(before) == 2 * len(begun)
        victim = running(server)[0]
        victim.suspend()
        assert (await metrics(server.http))["bridge_figures_missing"] == 1
        victim.resume()
        victim.send_signal(signal.SIGKILL)
        died = await server.logged("worker_died")
        assert died["status"] == -signal.SIGKILL
        await ready(server, WORKERS + 1)
        assert len(running(server)) == WORKERS
        after = await figures(server)
        assert len({worker for worker, _, _ in after}) == WORKERS
        lost = [key for key in before if key[1] == str(victim.pid)]
        assert lost
        assert not after.keys() & lost
        assert all(after[key] >= before[key] for key in before.keys() - lost)
        assert said(after) == said(before) - sum(before[key] for key in lost if key[2] in MESSAGES)
        for one in begun:
            path = f"/api/v1/conversations/{one['conversation_id']}/messages"
            async with asyncio.timeout(10):
                while len(await items(server.http, path)) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        assert {line.get("worker") for line in server.lines if line["event"] == "server_ready"} == {1, 2, 3}
        assert await server.terminate() == 0


TOKEN = "a-token-nobody-guesses"


async def seen(server: Process) -> tuple[dict[str, int], int]:
    """Session → its worker, as the console of whichever worker is asked tells; and how many are missing."""
    told = await get(server.http, "/console/sessions", TOKEN)
    sessions = {one["session_id"]: one["worker"] for one in told["sessions"]}  # type: ignore[attr-defined]
    return sessions, int(str(told["missing"]))


async def talks_at_two(stack: AsyncExitStack, server: Process, deepgram: ScriptedDeepgram) -> list[Client]:
    """Talks, until two workers have one: who takes a connection is nobody's choice."""
    talkers: list[Client] = []
    while len({*(await seen(server))[0].values()}) < 2:
        assert len(talkers) < 40
        begun = await start(server.http)
        talker = await stack.enter_async_context(client(server.ws, token=str(begun["token"])))
        await talk(server, deepgram, talker)
        talkers.append(talker)
    return talkers


async def first_data(http: httpx2.AsyncClient, path: str) -> str:
    """Of the first server-sent event that has any."""
    async with http.stream("GET", path) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                return line.removeprefix("data: ")
    raise AssertionError("the stream ended")


async def test_the_console_of_any_worker_has_the_sessions_of_all(tmp_path: Path, postgres_url: str) -> None:
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        workers(tmp_path, deepgram, postgres_url, BRIDGE_ADMIN_TOKEN=TOKEN) as server,
        AsyncExitStack() as stack,
    ):
        talkers = await talks_at_two(stack, server, deepgram)
        sessions, missing = await seen(server)
        assert (len(sessions), missing) == (len(talkers), 0)
        paths = {key: f"{server.http}/console/sessions/{key}" for key in sessions}
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx2.AsyncClient(trust_env=False, headers=headers) as http, asyncio.timeout(20):
            for path in paths.values():
                assert json.loads(await first_data(http, f"{path}/events"))["entry"]["content"] == "one"
        last, stopped = [*sessions.items()][-1]
        pids = {int(worker): int(pid) for worker, pid, _ in await figures(server)}
        victim = psutil.Process(pids[stopped])
        victim.suspend()
        without, missing = await seen(server)
        assert missing == 1
        assert without == {key: worker for key, worker in sessions.items() if worker != stopped}
        async with httpx2.AsyncClient(trust_env=False, headers=headers) as http:
            assert (await http.get(f"{paths[last]}/events")).status_code == 503
        victim.resume()
        # One connection is one worker's: some of these sessions are at another one.
        limits = httpx2.Limits(max_connections=1)
        async with httpx2.AsyncClient(trust_env=False, headers=headers, limits=limits) as http:
            for path in paths.values():
                assert (await http.delete(path)).status_code == 204
        for talker in talkers:
            await talker.expect("Error", lambda frame: frame["code"] == "BRIDGE_ENDED")
        assert await server.terminate() == 0


async def test_workers_are_renewed_one_after_the_other_and_no_turn_is_cut(
    tmp_path: Path, postgres_url: str
) -> None:
    async with (
        ScriptedDeepgram(key=None) as deepgram,
        workers(tmp_path, deepgram, postgres_url) as server,
    ):
        begun = await start(server.http)
        async with client(server.ws, token=str(begun["token"])) as talker:
            await talker.settle()
            agent = await deepgram.session()
            place = int(str((await server.logged("client_attached"))["worker"]))
            before = {worker.pid for worker in running(server)}
            server.process.send_signal(signal.SIGHUP)
            await told(server, "worker_renewed", place - 1)  # the turn begins when its worker is the next
            await agent.hear("one")
            await talker.expect_text("user", "one")
            await server.logged("draining", seconds=30)
            await agent.say("two")
            await talker.expect_text("assistant", "two")
            assert await talker.expect_close() == 1012
        await ready(server, 2 * WORKERS)
        again = await start(server.http, conversation_id=begun["conversation_id"])
        async with client(server.ws, token=str(again["token"])) as talker:
            await talker.settle()
        assert [entry["content"] for entry in again["messages"]] == ["one", "two"]  # type: ignore[attr-defined]
        async with asyncio.timeout(30):
            while {worker.pid for worker in running(server)} & before:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert await server.terminate() == 0


async def test_workers_end_when_the_process_above_them_is_killed(tmp_path: Path, postgres_url: str) -> None:
    with TemporaryDirectory() as temporary:
        async with (
            ScriptedDeepgram(key=None) as deepgram,
            workers(tmp_path, deepgram, postgres_url, TMPDIR=temporary) as server,
        ):
            [shared] = Path(temporary).glob("voice-bridge-*")
            assert len([*shared.iterdir()]) == WORKERS
            await end_all(server)
            assert not [*Path(temporary).glob("voice-bridge-*")]


async def end_all(server: Process) -> None:
    """By killing the process above them."""
    children = running(server)
    await server.kill()
    _, alive = await asyncio.to_thread(psutil.wait_procs, children, 20)
    for left in alive:
        left.kill()
    assert not alive


async def test_sqlite_takes_one(tmp_path: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "serve"),
        env={**os.environ, "BRIDGE_WORKERS": "2", "BRIDGE_DATA_DIR": str(tmp_path), "PORT": "0"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await child.communicate()
    assert child.returncode == 2
    assert b"BRIDGE_WORKERS: a SQLite file takes one" in told
