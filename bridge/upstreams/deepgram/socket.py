"""The socket to Deepgram: opened, greeted, told its settings, kept alive, read, written to, closed."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from ssl import SSLCertVerificationError
from typing import Final
from uuid import uuid4

import orjson
import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidStatus,
    InvalidURI,
    SecurityError,
    WebSocketException,
)
from websockets.http11 import Response
from websockets.uri import parse_uri

from bridge.core.commands import Ask
from bridge.core.events import AgentErred, AgentLeft, AgentReady, PeerEvent
from bridge.core.model import Thing
from bridge.errors import BadConfig, BridgeError, PeerGone, UpstreamBusy, UpstreamFailed
from bridge.ports import Brief, Upstream
from bridge.upstreams.deepgram.connection import Connection
from bridge.upstreams.deepgram.messages import Reader, decode, write
from bridge.upstreams.deepgram.settings import kinds_referred, settings_message

log = structlog.get_logger(__name__)

MAX_FRAME: Final = 4 * 1024 * 1024
"""Bytes of one frame of the agent's."""
MAX_HELD: Final = 4 * 1024 * 1024
"""Bytes of sound kept while `SettingsApplied` is awaited: a greeting may come before it. More is dropped.
Text may take as much again."""
FRAMES_IN_A_ROW: Final = 8
"""Frames that are read before others have their turn, however many are there."""
KEEP_ALIVE: Final = '{"type":"KeepAlive"}'
GONE: Final = 1006
"""Close code of a socket that ended without a close."""
HOPELESS: Final = (SSLCertVerificationError, SecurityError, InvalidURI, ValueError)
"""Errors of the handshake that come again: a bad certificate, a redirect nobody can follow."""
NEVER_RETRY: Final = frozenset({4400, 4401, 4402, 4403, 4404})
"""Close codes that mirror an HTTP status: bad request, bad key, no credit, not allowed, not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long the agent's end is waited for; all in seconds."""

    open: float = 10.0
    """TCP, TLS and the handshake together."""
    welcome: float = 2.0
    """`Welcome` after the handshake; then Settings are sent without it."""
    applied: float = 15.0
    """`SettingsApplied` after Settings."""
    send: float = 5.0
    """One write."""
    keep_alive: float = 8.0
    """Silence of ours after which `KeepAlive` is sent (Deepgram: every 8 s while not sending audio)."""
    ping: float = 5.0
    """Between pings."""
    pong: float = 4.0
    """For each pong; then the closing handshake is tried, so that a silent agent is gone after 10 s."""
    close: float = 1.0
    """The closing handshake."""


class DeepgramUpstreams:
    """Opens Voice Agent sessions at one address. Implements the port `Upstreams`."""

    def __init__(
        self, url: str, api_key: str | None, *, name: str = "deepgram", timeouts: Timeouts | None = None
    ) -> None:
        """`api_key` None: no credentials are sent (another bridge that asks for none). Raises BadConfig."""
        try:
            parse_uri(url)
        except (InvalidURI, ValueError):  # ValueError: a port that is none
            raise BadConfig(
                "DEEPGRAM_AGENT_URL: must be of the form wss://host:port/path, or ws://"
            ) from None
        self._url = url
        self._headers = {"Authorization": f"Token {api_key}"} if api_key else {}
        self._name = name
        self._timeouts = timeouts or Timeouts()
        self._logger = logging.getLogger("websockets.client.deepgram")
        # At DEBUG the library logs the headers of the handshake, and with them the key.
        self._logger.setLevel(logging.WARNING)

    @property
    def name(self) -> str:
        """For logs, metrics and the page."""
        return self._name

    async def open(self, brief: Brief) -> Upstream:
        """Connect, wait for `Welcome`, send `Settings`. Raises UpstreamFailed."""
        socket = await self._connect()
        upstream = DeepgramUpstream(socket, self._timeouts)
        try:
            await upstream.begin(brief)
        except BaseException:
            await upstream.close()
            raise
        return upstream

    async def aclose(self) -> None:
        """Nothing is shared between sessions."""

    async def _connect(self) -> Connection:
        wait = self._timeouts
        try:
            socket = await connect(
                self._url,
                create_connection=Connection,
                additional_headers=self._headers,
                user_agent_header="voice-bridge",
                compression=None,
                proxy=None,
                open_timeout=wait.open,
                ping_interval=wait.ping,
                ping_timeout=wait.pong,
                close_timeout=wait.close,
                max_size=MAX_FRAME,
                logger=self._logger,
            )
        except InvalidStatus as refused:
            raise _refused(refused.response) from None
        except (OSError, WebSocketException, ValueError) as error:
            retry = not isinstance(error, HOPELESS)
            log.warning("agent_unreachable", error=type(error).__name__, retry=retry)
            raise UpstreamFailed("The voice agent cannot be reached.", retry=retry) from None
        assert isinstance(socket, Connection)
        socket.send_seconds = wait.send
        return socket


class DeepgramUpstream:
    """One Voice Agent session. Implements the port `Upstream`."""

    def __init__(self, socket: Connection, timeouts: Timeouts) -> None:
        self._socket = socket
        self._timeouts = timeouts
        self._clock = asyncio.get_running_loop().time
        self._reader = Reader(_request_id(socket.response))
        self._early: list[bytes | str] = []
        """Frames that came before `Welcome`."""
        self._held: list[bytes | PeerEvent] = []
        """What the agent said before `SettingsApplied`, for after it."""
        self._held_bytes = 0
        self._alive_at = self._clock()
        """When sound or a KeepAlive was last sent."""
        self._applied_by = self._clock() + timeouts.welcome + timeouts.applied
        self._hopeless = False
        """The agent said that opening it again cannot help."""

    async def begin(self, brief: Brief) -> None:
        """Wait for `Welcome`, send `Settings`; to be called once and first. Raises UpstreamFailed."""
        try:
            await self._await_welcome()
            things = await _things(brief) if self._reader.bridge else {}
            message = settings_message(brief, hints=self._reader.bridge, things=things)
            await self._write(orjson.dumps(message).decode())
        except ConnectionClosed as closed:
            raise UpstreamFailed("The voice agent closed at once.", retry=self._left(closed).retry) from None
        except PeerGone:
            retry = self._socket.close_code not in NEVER_RETRY
            raise UpstreamFailed("The voice agent is gone.", retry=retry) from None

    async def frames(self) -> AsyncIterator[bytes | PeerEvent]:
        """Sound and events, `AgentReady` before all but errors, `AgentLeft` last."""
        for early in self._early:
            for each in self._arrived(early):
                yield each
        for count in itertools.count(1):
            if count % FRAMES_IN_A_ROW == 0:
                await asyncio.sleep(0)  # `recv` does not wait while there are frames
            try:
                async with asyncio.timeout_at(self._next_duty()):
                    frame = await self._socket.recv()
            except TimeoutError:
                if overdue := await self._do_duty():
                    yield overdue
                    return
            except ConnectionClosed as closed:
                yield self._left(closed)
                return
            else:
                for each in self._arrived(frame):
                    yield each

    async def send(self, frame: bytes | Ask) -> None:
        """Write one frame; an empty one is ignored, since it would end the sound. Raises PeerGone."""
        if not isinstance(frame, bytes):
            await self._write(write(frame))
        elif frame:
            self._alive_at = self._clock()
            await self._write(frame)

    def write(self, sound: bytes) -> bool:
        """See ports.Direct."""
        if not sound or not self._socket.write(sound):
            return False
        self._alive_at = self._clock()
        return True

    async def close(self) -> None:
        """Close with 1000, at the latest after the closing time limit; never raises."""
        try:
            async with asyncio.timeout(self._timeouts.close + 1):
                await self._socket.close()
        except TimeoutError:
            self._socket.transport.abort()

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────

    async def _await_welcome(self) -> None:
        room = MAX_HELD
        try:
            async with asyncio.timeout(self._timeouts.welcome):
                while not self._reader.welcomed:
                    frame = await self._socket.recv()
                    message = {} if isinstance(frame, bytes) else decode(frame)
                    if message.get("type") == "Welcome":
                        self._reader.read(message)
                    elif (room := room - len(frame)) >= 0:
                        self._early.append(frame)
        except TimeoutError:
            log.warning("agent_welcome_missing", seconds=self._timeouts.welcome)

    def _arrived(self, frame: bytes | str) -> Sequence[bytes | PeerEvent]:
        """What one frame means, as far as it may be told now."""
        if isinstance(frame, str):
            events = self._reader.read(decode(frame))
            return [each for event in events for each in self._in_order(event, len(frame))]
        return self._in_order(frame, len(frame)) if frame else ()

    def _in_order(self, each: bytes | PeerEvent, size: int) -> Sequence[bytes | PeerEvent]:
        match each:
            case AgentReady():
                ready, self._held = [each, *self._held], []
                return ready
            case AgentErred(retry=retry):
                self._hopeless |= not retry
                return (each,)
            case _ if self._reader.applied:
                return (each,)
            case _:
                room = MAX_HELD if isinstance(each, bytes) else 2 * MAX_HELD
                if self._held_bytes + size <= room:
                    self._held_bytes += size
                    self._held.append(each)
                return ()

    def _left(self, closed: ConnectionClosed) -> AgentLeft:
        code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (GONE, "")
        return AgentLeft(code, reason, retry=not self._hopeless and code not in NEVER_RETRY)

    # ── writing ────────────────────────────────────────────────────────────────────────────────────────

    def _next_duty(self) -> float:
        """When something must be done although nothing came."""
        keep_alive = self._alive_at + self._timeouts.keep_alive
        return keep_alive if self._reader.applied else min(keep_alive, self._applied_by)

    async def _do_duty(self) -> AgentLeft | None:
        """Send KeepAlive when it is due; give up on an agent that does not begin."""
        if not self._reader.applied and self._clock() >= self._applied_by:
            log.warning("agent_never_ready", request=self._reader.request)
            await self.close()
            return AgentLeft(GONE, "no SettingsApplied", retry=not self._hopeless)
        if self._clock() >= self._alive_at + self._timeouts.keep_alive:
            self._alive_at = self._clock()
            try:
                await self._write(KEEP_ALIVE)
            except PeerGone:
                log.info("agent_gone_on_keep_alive", request=self._reader.request)
        return None

    async def _write(self, frame: bytes | str) -> None:
        try:
            await self._socket.send(frame)
        except ConnectionClosed:
            raise PeerGone("the agent is gone, or takes nothing") from None


async def _things(brief: Brief) -> dict[str, Sequence[Thing]]:
    """The user's things that the agent's functions refer to; none of a kind that cannot be read now."""
    things: dict[str, Sequence[Thing]] = {}
    for kind in kinds_referred(brief):
        try:
            things[kind] = await brief.references(kind)
        except BridgeError as error:
            log.warning("references_unavailable", kind=kind, code=error.code)
    return things


def _refused(response: Response) -> UpstreamFailed:
    """A handshake that was answered with an HTTP status. Our key or our request is wrong, or it may pass."""
    status = response.status_code
    retry = status in {408, 425, 429} or status >= 500
    log.warning(
        "agent_refused",
        status=status,
        dg_error=response.headers.get("dg-error"),
        dg_request_id=response.headers.get("dg-request-id"),
        retry=retry,
    )
    problem = f"The voice agent turned the connection away (HTTP {status})."
    return UpstreamBusy(problem) if status == 429 else UpstreamFailed(problem, retry=retry)


def _request_id(response: Response | None) -> str:
    """The session's id until `Welcome` names it; never the same twice, calls are keyed by it."""
    return (response.headers.get("dg-request-id") if response else None) or str(uuid4())
