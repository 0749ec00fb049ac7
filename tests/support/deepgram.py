"""A scripted Deepgram Voice Agent on loopback. A test plays the agent, every rule we break fails it.

    async with ScriptedDeepgram() as deepgram:
        ...                                   # connect something to deepgram.url
        agent = await deepgram.session()      # the next client whose Settings are applied
        await agent.hear("I want to learn Spanish")
        call = await agent.call("submit_goal_intent", goal_statement="learn Spanish")
        assert "Goal" in await agent.expect_answer(call)
        await agent.say("Your goal is saved.")
        agent.reset()                         # or close(1011), stall(), error("…"), cancel(call), …

`ScriptedDeepgram(script=Echo(…))` answers by itself instead (see `deepgram_echo.py`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.support.deepgram_record import Received as Received
from tests.support.deepgram_session import DeepgramSession as DeepgramSession
from tests.support.deepgram_session import FunctionAsk as FunctionAsk
from tests.support.deepgram_session import tone as tone

PATH = "/v1/agent/converse"

Script = Callable[[DeepgramSession], Awaitable[None]]
"""Plays the agent of one session from `SettingsApplied` on; is cancelled when the client leaves."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the handshake is answered with instead of an upgrade."""

    status: int
    dg_error: str = ""


class ScriptedDeepgram:
    """The server. Leaving its block fails when a rule was broken, or when a script failed."""

    def __init__(
        self,
        *,
        key: str | None = "test-key",
        script: Script | None = None,
        bridge: bool = False,
        welcomes: bool = True,
        applies: bool = True,
        settings_seconds: float = 10.0,
        idle_seconds: float = 10.0,
        port: int = 0,
        remembers: bool = True,
    ) -> None:
        self.key = key
        """What `Authorization: Token …` must bring; None = anything."""
        self.script = script
        self.bridge = bridge
        """Say in `Welcome` that this is another Voice Bridge."""
        self.welcomes = welcomes
        """False: no `Welcome` until a test sends it."""
        self.applies = applies
        """False: no `SettingsApplied` until a test sends it."""
        self.refusal: Refusal | None = None
        """While set, handshakes are refused so."""
        self.hangs = False
        """While true, handshakes are not answered."""
        self.attempts = 0
        """Handshakes so far, refused ones included."""
        self.sessions: list[DeepgramSession] = []
        """All that were opened, oldest first; those that are over only if it `remembers` them."""
        self.opened = 0
        """How many were opened."""
        self.violations: list[str] = []
        """Rules that were broken."""
        self._settings_seconds = settings_seconds
        self._idle_seconds = idle_seconds
        self._port = port
        self._remembers = remembers
        """False: nobody asks for a session, there will be tens of thousands."""
        self._failures: list[Exception] = []
        self._ready: asyncio.Queue[DeepgramSession] = asyncio.Queue()
        self._connected: asyncio.Queue[DeepgramSession] = asyncio.Queue()
        self._stopped = asyncio.Event()
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"ws://127.0.0.1:{self._port}{PATH}"

    async def session(self, within: float = 5.0) -> DeepgramSession:
        """The next session whose Settings are in, each handed out once."""
        return await self._next(self._ready, within)

    async def connection(self, within: float = 5.0) -> DeepgramSession:
        """The next session whose handshake is done, before its Settings; each handed out once."""
        return await self._next(self._connected, within)

    async def _next(self, queue: asyncio.Queue[DeepgramSession], within: float) -> DeepgramSession:
        try:
            async with asyncio.timeout(within):
                return await queue.get()
        except TimeoutError:
            begun = [session.story for session in self.sessions]
            raise AssertionError(f"no new session within {within} s; so far: {begun}") from None

    def forgive(self) -> list[str]:
        """The broken rules so far, which then no longer fail: for tests that break them on purpose."""
        broken, self.violations[:] = list(self.violations), []
        return broken

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._handle,
            "127.0.0.1",
            self._port,
            compression=None,
            process_request=self._admit,
            max_size=4 * 1024 * 1024,
            ping_interval=None,
            close_timeout=1,
        )
        self._port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._stopped.set()
        for session in self.sessions:
            if session.close_code is None:
                session.resume()
        self._server.close()
        await self._server.wait_closed()
        if kind is None:
            if self._failures:
                raise ExceptionGroup("the script of the scripted Deepgram failed", self._failures)
            assert not self.violations, "our client broke rules: " + "; ".join(self.violations)

    async def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        self.attempts += 1
        if self.hangs:
            await self._stopped.wait()
        scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
        if self.refusal is not None:
            return _refuse(socket, self.refusal)
        if request.path != PATH:
            return _refuse(socket, Refusal(404))
        if self.key is not None and (scheme.lower(), credential) != ("token", self.key):
            return _refuse(socket, Refusal(401, "INVALID_AUTH"))
        return None

    async def _handle(self, socket: ServerConnection) -> None:
        self.opened += 1
        session = DeepgramSession(socket, number=self.opened, bridge=self.bridge, violations=self.violations)
        self.sessions.append(session)
        try:
            await self._attend(session)
        finally:
            if not self._remembers:
                self.sessions.remove(session)

    async def _attend(self, session: DeepgramSession) -> None:
        if self._remembers:
            self._connected.put_nowait(session)
        async with asyncio.TaskGroup() as group:
            hand_out = group.create_task(self._play(session), name="script")
            try:
                if self.welcomes:
                    await session.welcome()
                await session.read(
                    applies=self.applies,
                    settings_seconds=self._settings_seconds,
                    idle_seconds=self._idle_seconds,
                )
            except ConnectionClosed:
                session.note_close(1006)
            finally:
                hand_out.cancel()

    async def _play(self, session: DeepgramSession) -> None:
        await session.ready.wait()
        if self._remembers:
            self._ready.put_nowait(session)
        if self.script is None:
            return
        try:
            await self.script(session)
        except* ConnectionClosed:
            pass
        except* Exception as errors:
            self._failures.extend(errors.exceptions)


def _refuse(socket: ServerConnection, refusal: Refusal) -> Response:
    body = f'{{"err_code":"{refusal.dg_error}","err_msg":"refused","request_id":"refused-1"}}'
    response = socket.respond(HTTPStatus(refusal.status), body)
    response.headers["dg-request-id"] = "refused-1"
    if refusal.dg_error:
        response.headers["dg-error"] = refusal.dg_error
    return response
