"""A client of our wire for tests: says Settings, records all it is sent, waits for what a test expects."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

Frame = dict[str, object]
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Made once: to read the certificates of the system anew for each request takes 20 ms."""
FRESH = httpx2.Limits(keepalive_expiry=2)
"""A connection is not used again at the moment the server closes it, after 5 s without a request."""

SETTINGS: Frame = {
    "type": "Settings",
    "audio": {
        "input": {"encoding": "linear16", "sample_rate": 16000},
        "output": {"encoding": "linear16", "sample_rate": 24000, "container": "none"},
    },
    "agent": {},
}


class TurnedAway(AssertionError):
    """The server closed the socket before what a test waited for came, or serves nobody now (503)."""


@dataclass(slots=True)
class Client:
    """One socket. What came is in `frames` and `sound`."""

    socket: ClientConnection
    frames: list[Frame] = field(default_factory=list)
    sound: bytearray = field(default_factory=bytearray)
    closed: int | None = None
    """Close code; 1006 = none came."""
    on_frame: Callable[[Frame], None] = lambda _: None
    """Is told each message as it comes."""
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def send(self, **message: object) -> None:
        await self.socket.send(json.dumps(message))

    async def settle(self, *, cursor: str | None = None, bridge: bool = True, **agent: object) -> None:
        """Send Settings and wait until they are applied."""
        about = {"instance": "test", **({"cursor": cursor} if cursor else {})}
        await self.send(**{**SETTINGS, "agent": agent, **({"bridge": about} if bridge else {})})
        await self.expect("SettingsApplied")

    async def expect(
        self, kind: str, where: Callable[[Frame], bool] = lambda _: True, *, seconds: float = 15
    ) -> Frame:
        """The first message of that type, already there or still to come."""

        def found() -> Frame | None:
            return next((frame for frame in self.frames if frame["type"] == kind and where(frame)), None)

        try:
            async with asyncio.timeout(seconds), self._came:
                await self._came.wait_for(lambda: found() or self.closed is not None)
        except TimeoutError:
            raise AssertionError(f"no {kind} came; there were {self.types()}") from None
        frame = found()
        if frame is None:
            raise TurnedAway(f"closed with {self.closed} before {kind}; there were {self.frames[-5:]}")
        return frame

    async def expect_text(self, role: str, part: str) -> Frame:
        """A line of the talk that contains these words."""
        return await self.expect(
            "ConversationText", lambda x: x["role"] == role and part.lower() in str(x["content"]).lower()
        )

    async def expect_sound(self, size: int) -> None:
        """At least that many bytes of sound have come."""
        async with asyncio.timeout(15), self._came:
            await self._came.wait_for(lambda: len(self.sound) >= size)

    async def expect_close(self, *, seconds: float | None = 15) -> int:
        async with asyncio.timeout(seconds), self._came:
            await self._came.wait_for(lambda: self.closed is not None)
        assert self.closed is not None
        return self.closed

    def types(self) -> list[str]:
        return [str(frame["type"]) for frame in self.frames]

    def forget(self) -> None:
        """What came so far is not of interest any more."""
        self.frames.clear()
        self.sound.clear()

    async def speak(self, pcm: bytes, *, sample_rate: int = 16000, real_time: bool = True) -> None:
        """Send sound in frames of 20 ms, as fast as a microphone gives it."""
        size = sample_rate // 50 * 2
        loop, due = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        for start in range(0, len(pcm), size):
            await self.socket.send(pcm[start : start + size])
            due += 0.02
            if real_time:
                await asyncio.sleep(max(0.0, due - loop.time()))

    async def read(self) -> None:
        """Record until the socket is closed."""
        code = 1006
        try:
            async for frame in self.socket:
                async with self._came:
                    if isinstance(frame, bytes):
                        self.sound += frame
                    else:
                        self.frames.append(json.loads(frame))
                        self.on_frame(self.frames[-1])
                    self._came.notify_all()
            code = self.socket.close_code or 1006
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else 1006
        async with self._came:
            self.closed = code
            self._came.notify_all()


@asynccontextmanager
async def client(
    url: str, *, token: str | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Client]:
    """A connected client; its socket is closed when the block is left. `tls`: whom it trusts, for wss."""
    offered = [Subprotocol("bearer"), Subprotocol(token)] if token else None
    wish: dict[str, Any] = {"compression": None, "proxy": None, "close_timeout": 1, "ssl": tls}
    async with connect(url, subprotocols=offered, **wish) as socket:
        talker = Client(socket)
        reading = asyncio.create_task(talker.read(), name="client-read")
        try:
            yield talker
        finally:
            await socket.close()
            await reading


async def start(http: str, *, credential: str = "", **wish: object) -> dict[str, object]:
    """`POST /api/v1/voice/session`: its answer, however busy this machine is."""
    async with httpx2.AsyncClient(trust_env=False, verify=NO_TLS, headers=_proof(credential)) as rest:
        answer = await rest.post(f"{http}/api/v1/voice/session", json=wish, timeout=30)
        if answer.status_code == 503:
            raise TurnedAway(answer.text)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


def _proof(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"} if credential else {}


async def get(http: str, path: str, credential: str = "") -> Frame:
    """A REST answer."""
    async with httpx2.AsyncClient(trust_env=False, verify=NO_TLS, headers=_proof(credential)) as rest:
        answer = await rest.get(f"{http}{path}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


async def items(http: str, path: str, credential: str = "") -> list[Frame]:
    """The items of a REST list."""
    listed = (await get(http, path, credential))["items"]
    assert isinstance(listed, list)
    return listed


async def metrics(http: str) -> dict[str, float]:
    """What /metrics says: `name{label="value"}` → figure."""
    async with httpx2.AsyncClient(trust_env=False, verify=NO_TLS) as rest:
        answer = await rest.get(f"{http}/metrics")
    assert answer.status_code == 200, answer.text
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(figure) for name, _, figure in lines}
