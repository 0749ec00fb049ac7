"""`GET /v1/agent/converse`: the WebSocket people talk over. Let in or refused here, served by the session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from bridge.errors import BridgeError, NotFound, Unauthenticated, Unavailable
from bridge.live.registry import Live, Sessions
from bridge.ports import Transport
from bridge.routes.answers import answer, error_answer
from bridge.routes.errors import Refusal, refusal
from bridge.routes.identity import Identity, credential_in, credential_of

log = structlog.get_logger(__name__)

PATHS = ("/v1/agent/converse", "/api/voice-agent")
"""Deepgram's, and that of the deepgram-starters front ends."""
FAREWELL_SECONDS = 1.0
"""How long a refused connection may take to go."""


def talk_routes(
    sessions: Sessions, identity: Identity, transport: Callable[[WebSocket], Transport]
) -> list[BaseRoute]:
    """To stand before any catch-all. `transport` puts an accepted WebSocket behind the port."""
    talk = Talk(sessions, identity, transport)
    return [
        *(WebSocketRoute(path, talk) for path in PATHS),
        *(Route(path, upgrade_required) for path in PATHS),
        WebSocketRoute("/{path:path}", NothingHere()),
    ]


async def upgrade_required(request: Request) -> Response:
    """A plain GET of the address that wants a WebSocket."""
    problem = "This address takes WebSockets only."
    return error_answer(426, "BRIDGE_UPGRADE_REQUIRED", problem, {"Upgrade": "websocket"})


class NothingHere:
    """ASGI application of a WebSocket to any other address."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = refusal(NotFound("There is no WebSocket at this address."))
        await refuse(WebSocket(scope, receive, send), receive, told)


class Talk:
    """ASGI application of one WebSocket handshake and what follows it."""

    def __init__(
        self, sessions: Sessions, identity: Identity, transport: Callable[[WebSocket], Transport]
    ) -> None:
        self._sessions = sessions
        self._identity = identity
        self._transport = transport

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope, receive, send)
        offered: list[str] = scope.get("subprotocols", [])
        try:
            self._identity.check_origin(websocket)
            credential = credential_of(websocket.headers.get("authorization")) or credential_in(offered)
            live = await self._admit(websocket, credential)
        except BridgeError as error:
            await refuse(websocket, receive, refusal(error))
            return
        with suppress(OSError):  # gone already: serving it finds out, and the session knows what to do
            await websocket.accept(offered[0] if offered else None)  # browsers insist on one they offered
        transport = self._transport(websocket)
        if transport.stays:  # all that stands between the server and us needs no memory then
            self._sessions.serve(live, transport)
        else:
            await live.serve(transport)

    async def _admit(self, websocket: WebSocket, credential: str | None) -> Live:
        """The session of a token of ours; or, for somebody the authenticator knows, a new one."""
        origin, address = self._identity.origin(websocket), self._identity.address(websocket)
        if (live := await self._sessions.admit(credential, origin, address)) is not None:
            return live
        user = await self._identity.get_current_user(websocket, credential)
        prepared = await self._sessions.prepare(
            user.user_id, agent=None, conversation_id=None, sign_in=user.sign_in, address=address
        )
        with suppress(Unauthenticated):
            if live := await self._sessions.admit(prepared.token):
                return live
        raise Unavailable("The session ended before it began: another one of yours did.", retry_after=1)


async def refuse(websocket: WebSocket, receive: Receive, told: Refusal) -> None:
    """Plain HTTP instead of the upgrade, in Deepgram's shape."""
    request_id = str(uuid4())
    log.info("talk_refused", status=told.status, code=told.code, request_id=request_id)
    body = {"err_code": told.code, "err_msg": told.description, "request_id": request_id}
    error = told.description.encode("ascii", "replace").decode().replace("\n", " ")
    headers = {**told.headers, "dg-error": error, "dg-request-id": request_id}
    await websocket.send_denial_response(answer(body, status=told.status, headers=headers))
    await _see_off(receive)


async def _see_off(receive: Receive) -> None:
    """Wait until a refused connection is gone: uvicorn logs a false error when we return before.

    It reports the request, our refusal, and then the loss of the connection.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(FAREWELL_SECONDS):
            for _ in ("connect", "refused", "lost"):
                await receive()
