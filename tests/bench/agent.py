"""A process that plays the voice agent: every frame of sound goes back at once, a line of text every second.

python -m tests.bench.agent        prints "listening on host:port", runs until it is killed
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from typing import Final

import orjson
import uvloop

from tests.bench.frames import BINARY, TEXT, Peer, response

FRAMES_PER_LINE: Final = 50
"""Frames of sound between two lines of text: one second."""


class EchoAgent(Peer):
    """One session, in the words of the Voice Agent protocol."""

    def __init__(self, numbers: Iterator[int]) -> None:
        super().__init__()
        number = next(numbers)
        self._request_id = f"bench-{number}"
        self._lines = 0
        self._until_line = 10 + number * 7 % FRAMES_PER_LINE
        """Frames until the next line; sessions differ, so that lines come evenly."""

    def shook_hands(self, head: bytes) -> None:
        self.transport.write(response(head))
        self._tell(type="Welcome", request_id=self._request_id)

    def heard(self, payload: bytes) -> None:
        self.send(BINARY, payload)
        self._until_line -= 1
        if not self._until_line:
            self._until_line = FRAMES_PER_LINE
            self._say_line()

    def read(self, payload: bytes) -> None:
        if orjson.loads(payload)["type"] == "Settings":
            self._tell(type="SettingsApplied")

    def _say_line(self) -> None:
        """The time it is said, in monotonic nanoseconds, is its last word."""
        self._lines += 1
        role = "user" if self._lines % 2 else "assistant"
        content = f"Line {self._lines} of a talk that is only measured, said at {time.monotonic_ns()}"
        self._tell(type="ConversationText", role=role, content=content)

    def _tell(self, **message: object) -> None:
        self.send(TEXT, orjson.dumps(message))


async def serve() -> None:
    """Listen on a free loopback port until the process is killed."""
    numbers = itertools.count()
    server = await asyncio.get_running_loop().create_server(lambda: EchoAgent(numbers), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    print(f"listening on {host}:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
