"""Servers that must be left clean: with their last client gone they keep nothing of anybody."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tests.support.bridge import Process, process
from tests.support.client import metrics

LEAVE_SECONDS = 45.0
"""A session whose client is gone without a word waits for it for 30, and for a turn of its agent for 10."""
END_SECONDS = 5.0
"""How long a process may take that has been told to stop."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a server has for its sessions."""

    sockets: int
    """To clients and to agents."""
    sessions: float = 0
    """That have a client."""
    tasks: float = 0

    @classmethod
    async def of(cls, server: Process, agent: int, *, workers: bool) -> Kept:
        """Count it. `agent`: the port agents are at. Workers come and go: of several only sockets count."""
        if workers:
            return cls(_sockets(server, agent))
        figures = await metrics(server.http)
        active = sum(n for name, n in figures.items() if name.startswith("bridge_sessions_active"))
        return cls(_sockets(server, agent), active, figures["bridge_tasks"])

    def within(self, idle: Kept) -> bool:
        """No more than an idle one has."""
        return self.sockets == self.sessions == 0 and self.tasks <= idle.tasks


@asynccontextmanager
async def server(
    folder: Path, variables: Mapping[str, str], *, patience: float = LEAVE_SECONDS
) -> AsyncIterator[Process]:
    """`voice-bridge serve`. Unless it was killed or stopped in the block it is left clean, and then ends so.

    Raises AssertionError when it keeps something of a session for longer than `patience` (s) after that, or
    when it was told to end and left something in its journal that the store does not have.
    """
    agent = urlsplit(variables.get("DEEPGRAM_AGENT_URL", "")).port or 0
    workers = "BRIDGE_WORKERS" in variables
    async with process(folder, **variables) as running:
        idle = await Kept.of(running, agent, workers=workers)
        yield running
        if running.process.returncode is None:
            await _empties(running, agent, idle, workers=workers, patience=patience)
            assert await running.terminate() == 0
        incomplete = [line for line in running.lines if line["event"] == "drain_incomplete"]
        assert not incomplete, f"sessions were left when the server ended: {incomplete}"
        left = unsaved(folder) if running.process.returncode == 0 else 0
        assert not left, f"{left} entries are in the journal only"


async def _empties(server: Process, agent: int, idle: Kept, *, workers: bool, patience: float) -> None:
    until = time.monotonic() + patience
    while not (kept := await Kept.of(server, agent, workers=workers)).within(idle):
        assert time.monotonic() < until, f"{kept} is left in the server; idle it has {idle}"
        await asyncio.sleep(0.1)


def unsaved(folder: Path) -> int:
    """Entries in the journals there that the store does not have."""
    found = 0
    for path in folder.glob("journal-*.db"):
        with closing(sqlite3.connect(path)) as journal:
            found += journal.execute("SELECT count(*) FROM entries WHERE flushed_at IS NULL").fetchone()[0]
    return found


def _sockets(server: Process, agent: int) -> int:
    ours = psutil.Process(server.process.pid)
    clients = int(server.address.rpartition(":")[2])
    return sum(
        bool(socket.raddr) and (socket.laddr.port == clients or socket.raddr.port == agent)
        for one in (ours, *ours.children(recursive=True))
        for socket in one.net_connections("tcp")
    )


@asynccontextmanager
async def nothing_left(folder: Path, *, patience: float = END_SECONDS) -> AsyncIterator[None]:
    """After the block there is no task that was not there before, and no server with data in that folder."""
    before = asyncio.all_tasks()
    yield
    tasks = {task.get_name() for task in asyncio.all_tasks() - before - {asyncio.current_task()}}
    assert not tasks, f"tasks are left: {tasks}"
    until = time.monotonic() + patience
    while left := list(_processes(folder)):
        assert time.monotonic() < until, f"processes are left: {left}"
        await asyncio.sleep(0.05)


def _processes(folder: Path) -> Iterator[psutil.Process]:
    for one in psutil.process_iter():
        with suppress(psutil.Error):
            data = one.environ().get("BRIDGE_DATA_DIR", "")
            if data and Path(data).is_relative_to(folder) and one.status() != psutil.STATUS_ZOMBIE:
                yield one
