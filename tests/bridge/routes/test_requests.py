"""Bodies that do not come as they should: broken off, or never whole."""

import asyncio
import json

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Scope

from bridge.routes import requests
from bridge.routes.answers import answer
from bridge.routes.errors import exception_handlers
from bridge.routes.requests import read_body
from bridge.routes.shapes import ConversationChange

SCOPE: Scope = {
    "type": "http",
    "method": "PATCH",
    "path": "/",
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"100")],
    "query_string": b"",
}


async def ask(*body: bytes, then: Message | None) -> list[Message]:
    """The answer to a body that comes in these parts and then breaks off, or (None) never ends."""
    parts: list[Message] = [{"type": "http.request", "body": part, "more_body": True} for part in body]
    sent: list[Message] = []

    async def receive() -> Message:
        if not parts and then is None:
            await asyncio.Event().wait()
        return parts.pop(0) if parts else then or {}

    async def send(message: Message) -> None:
        sent.append(message)

    async def change(request: Request) -> Response:
        return answer((await read_body(request, ConversationChange)).title)

    routes = [Route("/", change, methods=["PATCH"])]
    await Starlette(routes=routes, exception_handlers=exception_handlers())(SCOPE, receive, send)
    return sent


async def test_a_body_that_breaks_off_is_no_fault_of_ours() -> None:
    start, _ = await ask(b'{"title":', then={"type": "http.disconnect"})
    assert start["status"] == 400


async def test_a_body_that_never_ends_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "BODY_SECONDS", 0.05)
    start, body = await ask(b'{"title":', b'"x', then=None)
    assert start["status"] == 408
    assert json.loads(body["body"])["error"]["code"] == "BRIDGE_BAD_REQUEST"
