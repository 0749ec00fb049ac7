"""`/api/v1/conversations/{id}/events`: what is said, as it happens, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from functools import partial

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Send

from bridge.core.commands import Replayed
from bridge.core.model import Cursor, Entry
from bridge.errors import BadRequest
from bridge.ports import Feed, Hold, Release, Store
from bridge.routes.answers import HEADERS
from bridge.routes.identity import Identity
from bridge.routes.openapi import Api
from bridge.routes.requests import read_id, read_query
from bridge.routes.shapes import EventQuery
from bridge.wire import read_cursor, write

Held = Callable[[Callable[[str, str], None]], Release]
"""ports.Hold of one sign-in."""
MEDIA_TYPE = "text/event-stream"
OPENED = b"retry: 1000\n\n"
"""Milliseconds after which a reader that was cut off comes back."""
QUIET = b": nothing new\n\n"
"""Keeps proxies from closing a connection on which nothing is said."""


def event_routes(api: Api, identity: Identity, store: Store, feed: Feed, hold: Hold) -> list[Route]:
    async def events(request: Request) -> Response:
        """What is said and done in a conversation, as it happens: server-sent events.

        Each is a `BridgeEntry` and has its cursor as its id. First those after the cursor in the header
        `Last-Event-ID`, or in `after`; neither: all. Ends with the conversation and
        with your sign-in.
        """
        user = await identity.get_current_user(request)
        conversation_id = read_id(request, "conversation_id")
        held = partial(hold, user.sign_in)
        return await event_stream(request, store, feed, user.user_id, conversation_id, held)

    path = "/api/v1/conversations/{conversation_id}/events"
    name = "follow_conversation"
    return [api.route("GET", path, events, name=name, query=EventQuery, answers=None, media_type=MEDIA_TYPE)]


async def event_stream(
    request: Request, store: Store, feed: Feed, user_id: str, conversation_id: str, held: Held | None = None
) -> Response:
    """The answer: a stream of that conversation, from where the reader is. Raises NotFound, BadRequest."""
    after = _cursor(request)
    await store.conversation(user_id, conversation_id)
    return EventStream(_written(feed.follow(user_id, conversation_id, after)), held)


class EventStream(StreamingResponse):
    """Server-sent events. Its generator is closed however the response ends."""

    def __init__(self, events: AsyncGenerator[bytes, None], held: Held | None = None) -> None:
        """`held` is given what ends the stream."""
        # The connection is not used again: who was too slow is not to be kept.
        headers = {**HEADERS, "X-Accel-Buffering": "no", "Connection": "close"}
        super().__init__(events, headers=headers, media_type=MEDIA_TYPE)
        self._events = events
        self._held = held

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._events):
            try:
                async with asyncio.timeout(None) as limit:
                    with self._ended_by(limit):
                        await super().stream_response(send)
            except TimeoutError:
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    @contextmanager
    def _ended_by(self, limit: asyncio.Timeout) -> Iterator[None]:
        """Its sign-in can end it."""
        release = self._held(lambda *_: limit.reschedule(0)) if self._held else None
        try:
            yield
        finally:
            if release:
                release()


async def _written(entries: AsyncGenerator[Entry | None, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(entries):
        yield OPENED
        async for entry in entries:
            yield QUIET if entry is None else _event(entry)


def _event(entry: Entry) -> bytes:
    return f"id: {entry.cursor}\ndata: {write(Replayed(entry))}\n\n".encode()


def _cursor(request: Request) -> Cursor | None:
    """Where the reader is: what its last stream told it goes before what its address says."""
    query = read_query(request, EventQuery)
    text = request.headers.get("last-event-id") or query.after
    if not text:
        return None
    try:
        return read_cursor(text)
    except ValueError as error:
        raise BadRequest(f"`Last-Event-ID`: {error}") from None
