"""One session of the load: steady frames, each with the time it was sent, come back and are counted."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Mapping
from typing import Final

import orjson
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from tests.bench.dress import DELTA, PLAIN, STAMP_BYTES, Dress, stamp_in

PATH: Final = "/v1/agent/converse"
CONNECT_SECONDS: Final = 20.0
READ_BYTES: Final = 4096
"""Of a session's buffer, at first: thousands of them are open at a time."""
BINARY, TEXT, CLOSE = WSMsgType.BINARY, WSMsgType.TEXT, WSMsgType.CLOSE
LINEAR16: Final = {"encoding": "linear16", "sample_rate": 16000}
SETTINGS: Final = orjson.dumps(
    {
        "type": "Settings",
        "audio": {"input": LINEAR16, "output": {**LINEAR16, "container": "none"}},
        "agent": {},
    }
)


class Tally:
    """What was measured of all sessions together; times in nanoseconds."""

    def __init__(self, frames: int) -> None:
        """`frames`: how many will be sent."""
        self.begin_ns = time.monotonic_ns()
        self.frames = frames
        self.echoed = asyncio.Event()
        """All are back."""
        self.round_trips = array("q")
        """Of each frame."""
        self.lines = array("q")
        """Of each line of text: from the agent to here."""
        self.done = 0
        """Functions the bridge has run, or noted for later; the other ways leave them to us."""
        self.lateness = array("q")
        """Of each frame: how long after its time it was sent. Our own fault."""

    def count(self, now: int, sent: int) -> None:
        """A frame that was sent then is back."""
        if sent >= self.begin_ns:
            self.round_trips.append(now - sent)
            if len(self.round_trips) == self.frames:
                self.echoed.set()


class Caller(WSListener):
    """One session."""

    def __init__(self, tally: Tally, dress: Dress = PLAIN) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the agent has applied our settings; fails when the session ends before."""
        self.ready.add_done_callback(asyncio.Future.exception)  # nobody may wait for it any more
        self.ended = ""
        """Why the session is over."""
        self.tally = tally
        self._dress = dress
        self._transport: WSTransport | None = None
        self._under: asyncio.Transport

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport, self._under = transport, transport.underlying_transport
        transport.send(TEXT, SETTINGS)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._end("the socket was closed")

    def speak(self, late_ns: int) -> None:
        """Send a frame of sound that was due `late_ns` ago. Raises ConnectionError: the session is over."""
        if self.ended:
            raise ConnectionError(f"a session did not last: {self.ended}")
        self.tally.lateness.append(late_ns)
        try:
            self._under.write(self._dress.frame(time.monotonic_ns()))
        except RuntimeError as error:  # it has been closed under us
            raise ConnectionError(f"a session did not last: {error}") from error

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        now, kind = time.monotonic_ns(), frame.msg_type
        if kind == BINARY:
            sound = frame.get_payload_as_memoryview()
            self.tally.count(now, int.from_bytes(sound[:STAMP_BYTES], "little"))
        elif kind == TEXT:
            self._read(now, orjson.loads(frame.get_payload_as_memoryview()))
        elif kind == CLOSE:
            self._end(f"closed: {frame.get_close_code()} {frame.get_close_reason()}")
            transport.send(CLOSE, frame.get_payload_as_bytes()[:2])
            transport.disconnect()

    def _read(self, now: int, message: dict[str, str]) -> None:
        match message["type"]:
            case "SettingsApplied" if not self.ready.done():
                self.ready.set_result(None)
            case "ConversationText":
                said = int(message["content"].rpartition(" ")[2])
                if said >= self.tally.begin_ns:
                    self.tally.lines.append(now - said)
            case "FunctionCallResponse" if message["status"] in {"done", "noted"}:
                self.tally.done += 1
            case "FunctionCallResponse":
                self._end(f"a function was not run: {message['content']}")
            case "Error":
                self._end(f"error {message['code']}: {message['description']}")
            case kind if kind == DELTA:
                self.tally.count(now, stamp_in(message["delta"]))

    def leave(self) -> None:
        """Close, as a client does that has said all."""
        assert self._transport is not None
        self._transport.send(CLOSE, (1000).to_bytes(2, "big"))

    def abort(self) -> None:
        """Be gone."""
        if self._transport is not None:
            self._under.abort()

    def _end(self, why: str) -> None:
        self.ended = self.ended or why
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(why))


async def call(url: str, caller: Caller, headers: Mapping[str, str] | None = None) -> None:
    """Connect; done when the agent has applied our settings. Raises OSError, TimeoutError."""
    await ws_connect(
        lambda: caller,
        url,
        websocket_handshake_timeout=CONNECT_SECONDS,
        read_buffer_init_size=READ_BYTES,
        extra_headers=dict(headers or {}),
        use_aiofastnet=False,  # it trips over sockets that were just cut (1.2)
    )
    await caller.ready
