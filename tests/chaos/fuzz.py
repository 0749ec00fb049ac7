"""Nonsense from clients and agents at once, a million frames of each; two neighbours talk on meanwhile."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx2
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.protocol import State
from websockets.typing import Subprotocol

from bridge.settings import CONFIG
from tests.chaos.checker import check
from tests.chaos.corpus import BINARY, PING, TALK, TYPED, Corpus, framed, giant, last_words, samples
from tests.chaos.drains import talking
from tests.chaos.figures import Figure, Scenario, percentile
from tests.chaos.servers import server
from tests.chaos.world import Sample, World
from tests.support.bridge import Process
from tests.support.client import FRESH, SETTINGS, metrics
from tests.support.deepgram import DeepgramSession, ScriptedDeepgram

ROUND = "round "
"""How the line begins that a client types after a batch; the agent then sends a batch, and that line."""
FRAMES = 200
"""Of a batch. A third are texts: fewer than a client may send in a second."""
ROUND_SECONDS = 0.85
ROUNDS = 8
"""At most, of one session."""
PEBBLES = 10_000
"""Frames of no length that come at once."""
STALL_SECONDS = "0.05"
NEIGHBOURS = 2
LONG_FRAMES, LONG_TALKS, PIECES = 1_000_000, 20, 20_000
CLOSE_CODES = (1000, 1001, 1005, 1006, 1011, 1012, 3000, 4401, 4999)


@dataclass(eq=False)
class Fuzz:
    """What is sent, and how it went."""

    random: Random
    frames: int
    """To be taken from clients, and from agents."""
    pieces: int
    from_clients: int = 0
    """Frames that were taken: what came after them was answered."""
    from_agents: int = 0
    sessions: int = 0
    hung: list[str] = field(default_factory=list)
    """What did not end, or did not go on."""
    ends: Counter[str] = field(default_factory=Counter)
    """How talks ended: by the close code the client saw."""
    pulse: list[Sample] = field(default_factory=list)
    """Answers of /live."""
    looks: int = 0
    """How often the server looked at the clock,"""
    late: int = 0
    """was more than STALL_SECONDS late, whoever else had the processor,"""
    stalls: int = 0
    """and computed so long itself."""

    def __post_init__(self) -> None:
        said = samples("server")
        errors = [message for message in said if message["type"] == "Error"]
        # An error of the agent's ends its session: a rare one leaves others time.
        often = [message for message in said if message not in errors] * 100
        self._agents = Corpus(self.random, size=self.pieces, messages=often + errors, turn=TALK, masked=False)
        self._sent: dict[str, int] = {}
        """A client's line → the frames its agent sent before it said it."""
        self._clients = Corpus(
            self.random, size=self.pieces, messages=samples("client"), turn=TYPED, masked=True
        )

    # ── the agents ────────────────────────────────────────────────────────────────────────────

    async def agent(self, session: DeepgramSession) -> None:
        """Nonsense whenever a client has sent some; what it types is heard."""
        async for frame in session.frames():
            if isinstance(frame, dict) and frame.get("type") == "InjectUserMessage":
                if (line := str(frame["content"])).startswith(ROUND):
                    await self._send_nonsense(session, line)
                await session.user_text(line)

    async def _send_nonsense(self, session: DeepgramSession, line: str) -> None:
        batch = self._agents.batch(self.random.choices((1, FRAMES, FRAMES * 10), (5, 90, 5))[0])
        self._sent[line] = batch.frames
        session.write_raw(batch.data)
        if self.random.random() < 0.05:
            await self._misbehave(session)

    async def _misbehave(self, session: DeepgramSession) -> None:
        match self.random.randrange(5):
            case 0:
                session.write_raw(giant(self.random))
            case 1:
                session.write_raw(framed(self.random.choice((BINARY, PING)), b"", masked=False) * PEBBLES)
            case 2:
                session.write_raw(last_words(self.random, masked=False))
            case 3:
                session.reset()
            case _:
                with suppress(WebSocketException):
                    await session.close(self.random.choice(CLOSE_CODES))

    # ── the clients ───────────────────────────────────────────────────────────────────────────

    async def run(self, server: Process, talks: int) -> None:
        """So many talks at a time until all frames were taken."""
        async with httpx2.AsyncClient(
            base_url=server.http, trust_env=False, timeout=30, limits=FRESH
        ) as rest:
            async with asyncio.TaskGroup() as group:
                pulse = group.create_task(self._feel_pulse(server, rest))
                async with asyncio.TaskGroup() as talking:
                    for _ in range(talks):
                        talking.create_task(self._talk_on(server, rest))
                pulse.cancel()
            await self._read_stalls(server)

    def _is_enough(self) -> bool:
        return min(self.from_clients, self.from_agents) >= self.frames

    async def _talk_on(self, server: Process, rest: httpx2.AsyncClient) -> None:
        while not self._is_enough():
            wish = {"agent": self.random.choice(("flux", "open"))}
            begun = (await rest.post("/api/v1/voice/session", json=wish)).json()
            self.sessions += 1
            number = self.sessions
            offered = [Subprotocol("bearer"), Subprotocol(begun["token"])]
            async with connect(
                server.ws, subprotocols=offered, compression=None, proxy=None, close_timeout=1
            ) as socket:
                talker = _Talker(socket, number)
                async with asyncio.TaskGroup() as group:
                    group.create_task(talker.read())
                    with suppress(ConnectionClosed):
                        await self._converse(talker)
                    await self._end(talker)
            self.ends[str(socket.close_code)] += 1

    async def _converse(self, talker: _Talker) -> None:
        """Batch after batch, each as soon as the one before was taken and the server lets it."""
        frames = self._send(talker, FRAMES // 10)
        await talker.socket.send(json.dumps({**SETTINGS, "bridge": {}}))
        for _ in range(self.random.randint(1, ROUNDS)):
            began = time.monotonic()
            frames += self._send(talker, FRAMES)
            if not (line := await talker.get_through()):
                return
            self.from_clients, frames = self.from_clients + frames, 0
            self.from_agents += self._sent.pop(line)
            if self._is_enough():
                return
            await asyncio.sleep(began + ROUND_SECONDS - time.monotonic())

    def _send(self, talker: _Talker, frames: int) -> int:
        batch = self._clients.batch(frames)
        talker.write(batch.data)
        return batch.frames

    async def _end(self, talker: _Talker) -> None:
        """In any way; the server has closed the socket, or been left, when this returns."""
        socket = talker.socket
        match self.random.randrange(4):
            case 0:
                await socket.close(1000)
            case 1:
                socket.transport.abort()
            case 2:
                talker.write(last_words(self.random, masked=True))
                await asyncio.sleep(self.random.uniform(0, 0.2))
                socket.transport.abort()
            case _:
                await self._flood(talker)
        await talker.ended.wait()

    async def _flood(self, talker: _Talker) -> None:
        """Far more than a client may send: the server closes the socket."""
        self._send(talker, FRAMES * 10)
        try:
            async with asyncio.timeout(20):
                await talker.ended.wait()
        except TimeoutError:
            self.hung.append(f"session {talker.number} was not closed after a flood")
            talker.socket.transport.abort()

    # ── the server ────────────────────────────────────────────────────────────────────────────

    async def _feel_pulse(self, server: Process, rest: httpx2.AsyncClient) -> None:
        while True:
            began = time.monotonic()
            assert (await rest.get("/live")).status_code == 200
            self.pulse.append(Sample.since(began))
            server.lines[:] = faults(server)
            await asyncio.sleep(0.2)

    async def _read_stalls(self, server: Process) -> None:
        figures = await metrics(server.http)
        self.looks = int(figures["bridge_loop_lag_seconds_count"])
        self.late, self.stalls = (
            self.looks - int(figures[f'bridge_loop_{what}_seconds_bucket{{le="{STALL_SECONDS}"}}'])
            for what in ("lag", "busy")
        )


class _Talker:
    """A client's socket: whether it is there, and which line came back last."""

    def __init__(self, socket: ClientConnection, number: int) -> None:
        self.socket = socket
        self.number = number
        self.ended = asyncio.Event()
        self._rounds = 0
        self._heard = asyncio.Event()
        self._line = ""

    def write(self, data: bytes) -> None:
        """Any bytes, as long as it is there."""
        if self.socket.state is State.OPEN:
            self.socket.transport.write(data)

    async def read(self) -> None:
        with suppress(ConnectionClosed):
            async for frame in self.socket:
                if isinstance(frame, str) and self._line and self._line in frame:
                    self._heard.set()
        self.ended.set()
        self._heard.set()

    async def get_through(self) -> str:
        """Type a line until it comes back (an agent that ends hears nothing); empty: the socket has ended."""
        self._rounds += 1
        self._heard.clear()
        self._line = f"{ROUND}{self._rounds} of {self.number}."
        for _ in range(10):
            await self.socket.send(json.dumps({"type": "InjectUserMessage", "content": self._line}))
            with suppress(TimeoutError):
                async with asyncio.timeout(4):
                    await self._heard.wait()
                    return "" if self.ended.is_set() else self._line
        raise AssertionError(f"session {self.number} neither goes on nor ends")


def faults(server: Process) -> list[dict[str, object]]:
    """Lines of its log that tell of a fault of ours, or are none."""
    fine = ("debug", "info", "warning")
    return [line for line in server.lines if line.get("level") not in fine or "exception" in line]


async def fuzzed(
    folder: Path, *, seed: int, frames: int, talks: int, pieces: int, leaves: bool = False
) -> tuple[World, Fuzz]:
    """So many frames of each side in so many talks at a time; then what the neighbours saw is checked.

    `leaves`: all that it began must come to its end by itself, which takes half a minute.
    """
    world = World(seed, pace=0.2, speaking=NEIGHBOURS)
    fuzz = Fuzz(Random(seed), frames, pieces)
    async with ScriptedDeepgram(key=None, script=world.agent) as deepgram:
        variables = {
            "DEEPGRAM_AGENT_URL": deepgram.url,
            "BRIDGE_SESSIONS_PER_USER": "1000",
            "BRIDGE_DRAIN_SECONDS": "1",
            "BRIDGE_MAX_LOOP_LAG_MS": "0",  # a busy machine must not turn the next talk away
            "BRIDGE_AGENTS_DIR": str(_agents(folder / "agents")),
        }
        async with talking(world, folder / "data", variables, NEIGHBOURS) as running:
            deepgram.script = fuzz.agent
            await fuzz.run(running, talks)
            assert world.cut == 0, f"seed {seed}: a neighbour was cut off"
            if not leaves:
                world.up.clear()
                assert await running.terminate() == 0
        assert not faults(running), f"seed {seed}: {faults(running)[:3]}"
        async with server(folder / "data", variables) as world.server:
            await check(world)
        neighbours = tuple(f"request-{n}:" for n in range(1, NEIGHBOURS + 1))
        assert not [broken for broken in deepgram.forgive() if broken.startswith(neighbours)]
    assert not fuzz.hung, f"seed {seed}: {fuzz.hung}"
    return world, fuzz


def _agents(folder: Path) -> Path:
    """Flux, and the same open to its clients' settings."""
    for name in ("flux", "open"):
        shutil.copytree(CONFIG / "agents" / "flux", folder / name, ignore=shutil.ignore_patterns("hearing"))
    agent = folder / "open" / "agent.yaml"
    agent.write_text(agent.read_text().replace("client_settings: managed", "client_settings: allow"))
    return folder


async def _long(folder: Path, seed: int) -> Sequence[Figure]:
    world, fuzz = await fuzzed(
        folder, seed=seed, frames=LONG_FRAMES, talks=LONG_TALKS, pieces=PIECES, leaves=True
    )
    shown = percentile([one.seconds for one in world.shown], 0.99)
    live = max(one.seconds for one in fuzz.pulse)
    return [
        Figure(
            f"fuzz, {fuzz.from_agents} frames from the agent, {fuzz.from_clients} from clients",
            "0 uncaught, 0 stalls of the loop over 50 ms",
            f"0 uncaught in {fuzz.sessions} sessions, {fuzz.stalls} stalls (late with all the machine did: "
            f"{fuzz.late} of {fuzz.looks} looks); neighbours: text p99 {shown * 1000:.0f} ms, "
            f"/live ≤ {live * 1000:.0f} ms",
            fuzz.stalls == 0,
        )
    ]


SCENARIO = Scenario("fuzz", f"{LONG_FRAMES} frames of nonsense from each side.", 5, _long)
