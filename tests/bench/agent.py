"""A process that plays the voice agent: sound goes back at once, with a line a second, a call a minute.

python -m tests.bench.agent        prints "listening on host:port", runs until it is killed
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Iterator
from typing import Final

import orjson
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

from tests.bench.dress import APPEND, DELTA, FRAMES_PER_SECOND

BINARY, TEXT, CLOSE = WSMsgType.BINARY, WSMsgType.TEXT, WSMsgType.CLOSE
READ_BYTES: Final = 4096
"""Of a session's buffer, at first: thousands of them are open at a time."""
LINES_TO_A_CALL: Final = 60
IN_JSON: Final = b'{"type":"%s","delta":"' % DELTA.encode()


class EchoAgent(WSListener):
    """One session, in the words of the Voice Agent protocol; sound comes as it is, or as base64 in JSON."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self._number = next(numbers)
        self._lines = 0
        self._until_line = 10 + self._number * 7 % FRAMES_PER_SECOND
        """Frames until the next line; sessions differ, so that lines come evenly."""
        self._until_call = 1 + self._number * 7 % LINES_TO_A_CALL
        """Lines until the next call, which comes after what the user said."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        _tell(transport, type="Welcome", request_id=f"bench-{self._number}")

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind == BINARY:
            transport.send(BINARY, frame.get_payload_as_memoryview())
            self._count(transport)
        elif kind == TEXT:
            self._read(transport, orjson.loads(frame.get_payload_as_memoryview()))
        elif kind == CLOSE:
            transport.send(CLOSE, frame.get_payload_as_bytes()[:2])
            transport.disconnect()

    def _read(self, transport: WSTransport, message: dict[str, str]) -> None:
        if message["type"] == APPEND:
            transport.send(TEXT, IN_JSON + message["audio"].encode() + b'"}')
            self._count(transport)
        elif message["type"] == "Settings":
            _tell(transport, type="SettingsApplied")

    def _count(self, transport: WSTransport) -> None:
        self._until_line -= 1
        if not self._until_line:
            self._until_line = FRAMES_PER_SECOND
            self._say_line(transport)

    def _say_line(self, transport: WSTransport) -> None:
        """The time it is said, in monotonic nanoseconds, is its last word."""
        self._lines += 1
        role = "user" if self._lines % 2 else "assistant"
        content = f"Line {self._lines} of a talk that is only measured, said at {time.monotonic_ns()}"
        _tell(transport, type="ConversationText", role=role, content=content)
        self._until_call -= 1
        if self._until_call <= 0 and role == "user":
            self._until_call = LINES_TO_A_CALL
            self._call(transport)

    def _call(self, transport: WSTransport) -> None:
        goal = orjson.dumps({"goal_statement": f"measure {self._number}, {self._lines}"}).decode()
        call = {
            "id": f"call-{self._lines}",
            "name": "submit_goal_intent",
            "arguments": goal,
            "client_side": True,
        }
        _tell(transport, type="FunctionCallRequest", functions=[call])


def _tell(transport: WSTransport, **message: object) -> None:
    transport.send(TEXT, orjson.dumps(message))


async def serve() -> None:
    """Listen on a free loopback port until the process is killed."""
    numbers = itertools.count()
    logging.getLogger("picows").setLevel(logging.ERROR)
    server = await ws_create_server(
        lambda _: EchoAgent(numbers), "127.0.0.1", 0, backlog=4096, read_buffer_init_size=READ_BYTES
    )
    host, port = server.sockets[0].getsockname()
    print(f"listening on {host}:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
