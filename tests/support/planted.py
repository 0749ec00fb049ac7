"""Secrets and words that pass by in a test, and what its servers log meanwhile: none of those is in it."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
import structlog

from bridge.logs import set_up
from tests.support import bridge
from tests.support.client import Client, Frame
from tests.support.deepgram_session import DeepgramSession
from tests.support.issuer import Issuer

SPOKEN = ("content", "message", "prompt")
"""Fields of messages that hold what somebody said or is told."""
GIVEN = ("token", "resume_token", "pin")
"""Fields that hold a credential."""
LEAST, MOST = 12, 200
"""Characters by which a text is known; it has two words at least, too: shorter ones may be anybody's."""


@dataclass(slots=True)
class Planted:
    """What must not be logged, and what was."""

    words: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)

    def note(self, message: object) -> None:
        """A message that passes by, with all that is in it."""
        match message:
            case dict():
                for key, value in message.items():
                    self._note(key, value)
            case list():
                for item in message:
                    self.note(item)
            case _:
                pass

    def _note(self, key: str, value: object) -> None:
        if not isinstance(value, str):
            self.note(value)
        elif key in GIVEN and value:
            self.words.add(value)
        elif key in SPOKEN:
            self.say(value)
        elif key == "arguments":
            for argument in _texts(value):
                self.say(argument)

    def say(self, text: str) -> None:
        """Somebody's words."""
        if len(text) >= LEAST and " " in text.strip():
            self.words.add(text[:MOST])

    def request(self, request: httpx2.Request) -> None:
        """What somebody proves with who they are, and what they ask for."""
        self.note(_json(request.content))
        for name in ("authorization", "cookie"):
            given = request.headers.get(name, "").replace("=", " ").split()
            self.words.update(given[1:])

    def response(self, response: httpx2.Response) -> None:
        """What they are given; a stream is not read."""
        self.words.update(value for value in response.cookies.values() if value)
        if response.is_closed:
            self.note(_json(response.content))

    def found(self) -> list[str]:
        """The lines with something of it. A PIN's digits in the middle of others are not the PIN."""
        written = {re.escape(json.dumps(word, ensure_ascii=False)[1:-1]) for word in self.words if word}
        if not written:
            return []
        any_of_it = re.compile(rf"(?<!\w)(?:{'|'.join(written)})(?!\w)")
        return [line for line in self.lines if any_of_it.search(line)]


def _json(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _texts(arguments: str) -> Iterator[str]:
    read = _json(arguments)
    for value in read.values() if isinstance(read, dict) else (arguments,):
        if isinstance(value, str):
            yield value


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Planted]:
    """Servers log all they can while the block lasts, and whatever tests send and get is noted."""
    planted = Planted()
    monkeypatch.setenv("LOG_LEVEL", "debug")
    _tap_messages(monkeypatch, planted)
    _tap_requests(monkeypatch, planted)
    _tap_processes(monkeypatch, planted)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    set_up("debug", planted.lines.append)
    try:
        yield planted
    finally:
        structlog.reset_defaults()
        root.handlers, root.level = handlers, level


def _tap_messages(monkeypatch: pytest.MonkeyPatch, planted: Planted) -> None:
    says, sends, reads, signs = DeepgramSession.send, Client.send, Client.read, Issuer.token

    async def say(self: DeepgramSession, message: Any) -> None:
        planted.note(dict(message))
        await says(self, message)

    async def send(self: Client, **message: object) -> None:
        planted.note(message)
        await sends(self, **message)

    async def read(self: Client) -> None:
        told = self.on_frame

        def on_frame(frame: Frame) -> None:
            planted.note(frame)
            told(frame)

        self.on_frame = on_frame
        await reads(self)

    def sign(self: Issuer, *wish: Any, **claims: Any) -> str:
        planted.words.add(token := signs(self, *wish, **claims))
        return token

    monkeypatch.setattr(DeepgramSession, "send", say)
    monkeypatch.setattr(Client, "send", send)
    monkeypatch.setattr(Client, "read", read)
    monkeypatch.setattr(Issuer, "token", sign)


def _tap_requests(monkeypatch: pytest.MonkeyPatch, planted: Planted) -> None:
    sends = httpx2.AsyncClient.send

    async def send(self: httpx2.AsyncClient, request: httpx2.Request, **wish: Any) -> httpx2.Response:
        planted.request(request)
        response = await sends(self, request, **wish)
        planted.response(response)
        return response

    monkeypatch.setattr(httpx2.AsyncClient, "send", send)


def _tap_processes(monkeypatch: pytest.MonkeyPatch, planted: Planted) -> None:
    reads = bridge._read

    async def read(child: asyncio.subprocess.Process, lines: list[dict[str, object]]) -> None:
        try:
            await reads(child, lines)
        finally:
            planted.lines.extend(json.dumps(line, ensure_ascii=False) for line in lines)

    monkeypatch.setattr(bridge, "_read", read)
