"""The whole server as people run it: inside the test's event loop, or as a process that can be killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge.app import App, open_app
from bridge.observers.siblings import Worker
from bridge.settings import Settings
from tests.support.serving import serving

READY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Running:
    """A server that is up."""

    address: str
    """host:port"""
    app: App

    @property
    def http(self) -> str:
        return f"http://{self.address}"

    @property
    def ws(self) -> str:
        return f"ws://{self.address}/v1/agent/converse"


def settings_for(folder: Path, **changes: object) -> Settings:
    """Settings of a test's server: its own data folder, no limits on sessions.

    It shares its event loop with the test, which may hold it up for long: nobody is refused for that.
    """
    given = {"data_dir": folder, "session_rates": (), "upstream": "local", "max_loop_lag_ms": 0, **changes}
    return Settings(**given)  # type: ignore[arg-type]


@asynccontextmanager
async def running(folder: Path, **changes: object) -> AsyncIterator[Running]:
    """The app behind a real uvicorn; `changes` are settings. Down and flushed when the block is left."""
    async with running_worker(settings_for(folder, **changes), None) as server:
        yield server


@asynccontextmanager
async def running_worker(settings: Settings, worker: Worker | None) -> AsyncIterator[Running]:
    """The same as one of several; None: the only one."""
    async with open_app(settings, worker=worker) as app, serving(app.asgi) as address:
        yield Running(address, app)
        await app.sessions.drain(0.0)


@dataclass(slots=True)
class Process:
    """`voice-bridge serve` as a process."""

    process: asyncio.subprocess.Process
    address: str
    lines: list[dict[str, object]]
    """Its log so far."""

    @property
    def http(self) -> str:
        return f"http://{self.address}"

    @property
    def ws(self) -> str:
        return f"ws://{self.address}/v1/agent/converse"

    async def logged(self, event: str, *, seconds: float = 10.0) -> dict[str, object]:
        """Wait for a line of its log."""
        async with asyncio.timeout(seconds):
            while not (found := [line for line in self.lines if line["event"] == event]):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return found[0]

    async def kill(self) -> None:
        """SIGKILL, and gone."""
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def terminate(self) -> int:
        """SIGTERM; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            return await self.process.wait()


@asynccontextmanager
async def process(folder: Path, **variables: str) -> AsyncIterator[Process]:
    """Start `voice-bridge serve` on a free port and wait for its line `server_ready`."""
    environment = environment_for(folder, variables)
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "serve"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    lines: list[dict[str, object]] = []
    try:
        async with asyncio.timeout(READY_SECONDS):
            address = await _ready(child, lines)
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(_read(child, lines), name="server-log")
            try:
                yield Process(child, address, lines)
            finally:
                if child.returncode is None:
                    child.send_signal(signal.SIGKILL)
                await child.wait()
                await reading
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


def environment_for(folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of a test's server: none of ours is inherited."""
    ours = {"PORT": "0", "BRIDGE_DATA_DIR": str(folder), "BRIDGE_SESSION_RATES": "100000/minute"}
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("BRIDGE_", "DEEPGRAM_"))
    }
    return {**clean, **ours, **variables}


async def _ready(child: asyncio.subprocess.Process, lines: list[dict[str, object]]) -> str:
    assert child.stdout
    plain = []
    while raw := await child.stdout.readline():
        plain.append(raw.decode())
        if raw.startswith(b"{"):
            lines.append(json.loads(raw))
            if lines[-1]["event"] == "server_ready":
                return str(lines[-1]["page"]).removeprefix("http://").rstrip("/")
    raise AssertionError(f"the server did not start: {''.join(plain)}")


async def _read(child: asyncio.subprocess.Process, lines: list[dict[str, object]]) -> None:
    assert child.stdout
    while raw := await child.stdout.readline():
        lines.append(json.loads(raw) if raw.startswith(b"{") else {"event": raw.decode()})
