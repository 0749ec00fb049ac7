"""The agent's voice over a bad network: what is late is heard late, and nothing is lost. Prints a table."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from tests.support.bridge import running
from tests.support.deepgram import DeepgramSession, ScriptedDeepgram
from tests.support.proxy import Proxy, proxy
from tests.web.browser import chromium, needs_chromium, open_page

pytestmark = needs_chromium

REPLIES, REPLY_MS, PAUSE_MS = 5, 4000, 1500
AHEAD_MS = 240
"""How much of a reply comes at once; the rest follows at the pace of speech."""
FRAME_MS = 80
STALL_SECONDS, EVERY_SECONDS = 0.3, 2.0
LATE_MS = 60
"""A process that was held up for longer may be the reason of an underrun, whatever the network is."""
TAP = Path(__file__).parent / "tap.js"
LISTEN = """
(() => {
  const measured = { underruns: 0, soundMs: 0, gaps: [], late: [] };
  let before = performance.now();
  setInterval(() => {
    const now = performance.now();
    if (now - before > LATE_MS) measured.late.push(now - before);
    before = now;
  }, 10);
  const tapped = new Promise((resolve) => { measured.begin = resolve; });
  Object.assign(globalThis, { measured, tapped });
  const connect = AudioNode.prototype.connect;
  const tap = async (node) => {
    node.port.addEventListener("message", ({ data }) => {
      if (data instanceof Float64Array) measured.underruns = data[3];
    });
    await node.context.audioWorklet.addModule("/tap.js");
    const tap = new AudioWorkletNode(node.context, "tap");
    tap.port.onmessage = ({ data }) => Object.assign(measured, data);
    connect.call(node, tap);
    connect.call(tap, node.context.destination);
    measured.begin();
  };
  AudioNode.prototype.connect = function (target, ...rest) {
    if (this instanceof AudioWorkletNode && target instanceof AudioDestinationNode) void tap(this);
    return connect.call(this, target, ...rest);
  };
})()
""".replace("LATE_MS", str(LATE_MS))
STILL = """
new Promise((resolve) => {
  let before = -1;
  setInterval(() => {
    if (measured.soundMs === before) resolve(measured);
    before = measured.soundMs;
  }, 500);
})
"""
"""What was measured, as soon as nothing was played for half a second."""


@dataclass(frozen=True, slots=True)
class Network:
    """How bad it is, each way."""

    delay: float = 0.0
    """Seconds, on the average."""
    jitter: float = 0.0
    """Seconds more or less."""
    stalls: bool = False
    """Every 2 s nothing comes through for 300 ms."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one page played."""

    sound_ms: float
    underruns: int
    gaps: list[float]
    """Milliseconds of each silence inside a reply."""
    late: list[float]
    """Milliseconds of each time the page itself was held up."""


NETWORKS = {
    "clean": Network(),
    "jitter": Network(delay=0.06, jitter=0.04),
    "stalls": Network(stalls=True),
    "both": Network(delay=0.06, jitter=0.04, stalls=True),
}


async def monologue(session: DeepgramSession) -> None:
    """To "go" it says all its replies; to anything else a line without sound."""
    async for frame in session.frames():
        if not isinstance(frame, dict) or frame.get("type") != "InjectUserMessage":
            continue
        await session.user_text(str(frame["content"]))
        for _ in range(REPLIES if frame["content"] == "go" else 0):
            await speak(session)
            await asyncio.sleep(PAUSE_MS / 1000)
        await session.agent_text("That was all." if frame["content"] == "go" else "I am ready.")
        await session.audio_done()


async def speak(session: DeepgramSession) -> None:
    """A reply: a burst, then frames at the pace of speech, on the clock rather than by adding up."""
    await session.agent_text("I say something.")
    clock = asyncio.get_running_loop().time
    begun = clock()
    for sent in range(0, REPLY_MS, FRAME_MS):
        await asyncio.sleep(max(0.0, begun + (sent - AHEAD_MS) / 1000 - clock()))
        await session.audio_out(FRAME_MS, frame_ms=FRAME_MS)
    await session.audio_done()


@asynccontextmanager
async def network(port: int, quality: Network) -> AsyncIterator[Proxy]:
    """A proxy to that port which is as bad as that, from now on."""
    async with proxy(port) as through, asyncio.TaskGroup() as group:
        through.delay, through.jitter = quality.delay, quality.jitter
        stalling = group.create_task(stall(through), name="stalls") if quality.stalls else None
        try:
            yield through
        finally:
            if stalling:
                stalling.cancel()


async def stall(through: Proxy) -> None:
    while True:
        await asyncio.sleep(EVERY_SECONDS - STALL_SECONDS)
        through.blackhole()
        await asyncio.sleep(STALL_SECONDS)
        through.resume()


async def listen(context: BrowserContext, port: int, quality: Network) -> Heard:
    """A page behind that network, from its first tap to the end of the monologue."""
    async with network(port, quality) as through:
        screen = await open_page(context, f"http://{through.address}", script=LISTEN)
        await screen.write("hello")
        await screen.shows("[data-role=assistant]", "I am ready.")
        await screen.page.evaluate("tapped.then(() => { measured.late = []; })")
        await screen.write("go")
        await screen.shows("[data-role=assistant]", "That was all.", seconds=60)
        measured: dict[str, Any] = await screen.page.evaluate(STILL)
    inside = [gap for gap in measured["gaps"] if gap < PAUSE_MS / 2]
    return Heard(measured["soundMs"], measured["underruns"], inside, measured["late"])


async def held_up(late: list[float]) -> None:
    """Note each time this process, with agent, server and networks in it, was held up: its milliseconds."""
    clock = asyncio.get_running_loop().time
    while True:
        before = clock()
        await asyncio.sleep(0.01)
        if (took := (clock() - before) * 1000) > LATE_MS:
            late.append(took)


async def serve_tap(request: Request) -> Response:
    """A file of the page's own origin: its CSP allows no other."""
    return FileResponse(TAP)


def table(heard: dict[str, Heard]) -> str:
    """What it was like, a line for each network."""
    lines = [
        f"{'network':8} {'underruns':>9} {'silence, ms':>11} {'longest':>8} {'played, ms':>10} {'held up':>7}"
    ]
    for name, what in heard.items():
        silence, longest, late = sum(what.gaps), max(what.gaps, default=0), len(what.late)
        figures = f"{what.underruns:9} {silence:11.0f} {longest:8.0f} {what.sound_ms:10.0f} {late:7}"
        lines.append(f"{name:8} {figures}")
    return "\n".join(lines)


async def test_on_a_bad_network_the_voice_may_pause_and_nothing_is_lost(tmp_path: Path) -> None:
    """Four pages at once, each behind a network of its own."""
    late: list[float] = []
    async with (
        ScriptedDeepgram(script=monologue) as deepgram,
        running(tmp_path, **before(deepgram)) as server,
        chromium("denied") as context,
        asyncio.TaskGroup() as group,
    ):
        server.app.asgi.router.routes.insert(0, Route("/tap.js", serve_tap))
        port = int(server.address.rpartition(":")[2])
        watch = group.create_task(held_up(late), name="watch")
        pages = {
            name: group.create_task(listen(context, port, quality), name=name)
            for name, quality in NETWORKS.items()
        }
        await asyncio.wait(pages.values())
        watch.cancel()
    heard = {name: page.result() for name, page in pages.items()}
    print(f"\n{table(heard)}\nserver and agent were held up {len(late)} times")  # noqa: T201 (its figures are wanted)
    for what in heard.values():
        assert abs(what.sound_ms - REPLIES * REPLY_MS) < 2 * (REPLIES + what.underruns)
        assert max(what.gaps, default=0) < 2 * STALL_SECONDS * 1000
    excused = len(late) + len(heard["clean"].late)
    assert max(heard["clean"].underruns, len(heard["clean"].gaps)) <= excused
    assert heard["both"].underruns > 0


def before(deepgram: ScriptedDeepgram) -> dict[str, object]:
    """Settings of a server in front of it."""
    given = {"deepgram_agent_url": deepgram.url, "deepgram_api_key": "test-key"}
    return {"upstream": "deepgram", "sessions_per_user": len(NETWORKS), **given}
