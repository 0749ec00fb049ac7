"""A Voice Agent session at Deepgram: greeted, told its settings, kept alive, read, written to, closed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import uuid4

import orjson
import structlog
from websockets.exceptions import InvalidURI
from websockets.uri import parse_uri

from bridge.core.commands import Ask
from bridge.core.events import AgentErred, AgentLeft, AgentReady, PeerEvent
from bridge.core.model import Thing
from bridge.errors import BadConfig, BridgeError, PeerGone, UpstreamFailed
from bridge.ports import Brief, Credit, Take, Upstream
from bridge.sockets import GONE, Closed
from bridge.upstreams.deepgram.dialling import AgentSocket, Dial, Timeouts
from bridge.upstreams.deepgram.messages import Reader, decode, write
from bridge.upstreams.deepgram.settings import kinds_referred, settings_message

log = structlog.get_logger(__name__)

MAX_HELD: Final = 4 * 1024 * 1024
"""Bytes of sound kept while `SettingsApplied` is awaited: a greeting may come before it. More is dropped.
Text may take as much again."""
KEEP_ALIVE: Final = '{"type":"KeepAlive"}'
NEVER_RETRY: Final = frozenset({4400, 4401, 4402, 4403, 4404})
"""Close codes that mirror an HTTP status: bad request, bad key, no credit, not allowed, not there."""


class DeepgramUpstreams:
    """Opens Voice Agent sessions at one address. Implements the port `Upstreams`."""

    def __init__(
        self,
        url: str,
        api_key: str | None,
        *,
        dial: Dial,
        name: str = "deepgram",
        timeouts: Timeouts | None = None,
    ) -> None:
        """`api_key` None: no credentials are sent (another bridge that asks for none). Raises BadConfig.

        `dial`: how a socket is opened.
        """
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
        self._dial = dial

    @property
    def name(self) -> str:
        """For logs, metrics and the page."""
        return self._name

    async def open(self, brief: Brief) -> Upstream:
        """Connect, wait for `Welcome`, send `Settings`. Raises UpstreamFailed."""
        socket = await self._dial(self._url, self._headers, self._timeouts)
        upstream = DeepgramUpstream(socket, self._timeouts)
        try:
            await upstream.begin(brief)
        except BaseException:
            await upstream.close()
            raise
        return upstream

    async def aclose(self) -> None:
        """Nothing is shared between sessions."""


class DeepgramUpstream:
    """One Voice Agent session. Implements the port `Upstream`."""

    def __init__(self, socket: AgentSocket, timeouts: Timeouts) -> None:
        self._socket = socket
        self._write = socket.write
        self._timeouts = timeouts
        self._clock = asyncio.get_running_loop().time
        self._reader = Reader(
            socket.request_id or str(uuid4())
        )  # never the same twice: calls are keyed by it
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
            if closed := await self._await_welcome():
                raise UpstreamFailed("The voice agent closed at once.", retry=self._left(closed).retry)
            things = await _things(brief) if self._reader.bridge else {}
            message = settings_message(brief, hints=self._reader.bridge, things=things)
            await self._socket.send(orjson.dumps(message).decode())
        except PeerGone:
            retry = self._socket.close_code not in NEVER_RETRY
            raise UpstreamFailed("The voice agent is gone.", retry=retry) from None

    async def read(self, take: Take) -> None:
        """Bring sound and events, `AgentReady` before all but errors, `AgentLeft` last."""

        reader = self._reader

        def arrived(frame: bytes | str) -> Credit | None:
            if isinstance(frame, bytes) and reader.applied:
                return take(frame) if frame else None
            for each in self._arrived(frame):
                take(each)
            return None

        for early in self._early:
            arrived(early)
        while True:
            try:
                async with asyncio.timeout_at(self._next_duty()):
                    closed = await self._socket.read(arrived)
            except TimeoutError:
                if overdue := await self._do_duty():
                    take(overdue)
                    return
            else:
                take(self._left(closed))
                return

    async def send(self, frame: bytes | Ask) -> None:
        """Write one frame; an empty one is ignored, since it would end the sound. Raises PeerGone."""
        if not isinstance(frame, bytes):
            await self._socket.send(write(frame))
        elif frame:
            self._alive_at = self._clock()
            await self._socket.send(frame)

    def write(self, sound: bytes) -> bool:
        """See ports.Direct."""
        if not self._write(sound):
            return False
        self._alive_at = self._clock()
        return True

    def credit(self) -> Credit:
        """See ports.Direct."""
        return Credit(self._write)

    async def close(self) -> None:
        """Close with 1000, at the latest after the closing time limit; never raises."""
        await self._socket.close()

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────

    async def _await_welcome(self) -> Closed | None:
        """Read until it came. Returns how the socket ended, if it did."""
        room = MAX_HELD
        try:
            async with asyncio.timeout(self._timeouts.welcome):
                while not self._reader.welcomed:
                    frame = await self._socket.receive()
                    if isinstance(frame, Closed):
                        return frame
                    message = {} if isinstance(frame, bytes) else decode(frame)
                    if message.get("type") == "Welcome":
                        self._reader.read(message)
                    elif (room := room - len(frame)) >= 0:
                        self._early.append(frame)
        except TimeoutError:
            log.warning("agent_welcome_missing", seconds=self._timeouts.welcome)
        return None

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

    def _left(self, closed: Closed) -> AgentLeft:
        retry = not self._hopeless and closed.code not in NEVER_RETRY
        return AgentLeft(closed.code, closed.reason, retry=retry)

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
                await self._socket.send(KEEP_ALIVE)
            except PeerGone:
                log.info("agent_gone_on_keep_alive", request=self._reader.request)
        return None


async def _things(brief: Brief) -> dict[str, Sequence[Thing]]:
    """The user's things that the agent's functions refer to; none of a kind that cannot be read now."""
    things: dict[str, Sequence[Thing]] = {}
    for kind in kinds_referred(brief):
        try:
            things[kind] = await brief.references(kind)
        except BridgeError as error:
            log.warning("references_unavailable", kind=kind, code=error.code)
    return things
