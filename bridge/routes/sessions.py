"""`/api/v1/voice/…`: start a session, read what it says, end it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.core.agent import Agent
from bridge.live.registry import Sessions
from bridge.ports import Store
from bridge.routes.answers import answer
from bridge.routes.conversations import entry_part
from bridge.routes.identity import Identity
from bridge.routes.openapi import Api
from bridge.routes.requests import read_body, read_id, read_query
from bridge.routes.shapes import EntryPart, EntryQuery, SessionAnswer, SessionClosed, SessionWish
from bridge.routes.talk import PATHS
from bridge.wire import entries_json


def session_routes(api: Api, identity: Identity, sessions: Sessions, store: Store) -> list[Route]:
    desk = Desk(identity, sessions, store)
    base = "/api/v1/voice"
    return [
        api.route(
            "POST",
            f"{base}/session",
            desk.start,
            name="start_session",
            body=SessionWish,
            answers=SessionAnswer,
            status=201,
        ),
        api.route(
            "GET",
            f"{base}/sessions/{{session_id}}/messages",
            desk.read,
            name="list_session_messages",
            query=EntryQuery,
            answers=EntryPart,
        ),
        api.route(
            "DELETE", f"{base}/session/{{session_id}}", desk.end, name="end_session", answers=SessionClosed
        ),
    ]


class Desk:
    """The endpoints."""

    def __init__(self, identity: Identity, sessions: Sessions, store: Store) -> None:
        self._identity = identity
        self._sessions = sessions
        self._store = store

    async def start(self, request: Request) -> Response:
        """Start a session, or go on with a conversation.

        Connect to `websocket_url` within 30 seconds, with `token` as the credential.
        """
        user = await self._identity.get_current_user(request)
        wish = await read_body(request, SessionWish)
        address = self._websocket_url(request)
        prepared = await self._sessions.prepare(
            user.user_id,
            agent=wish.agent,
            conversation_id=wish.conversation_id,
            time_zone=wish.time_zone,
            origin=self._identity.origin(request),
            address=self._identity.address(request),
            sign_in=user.sign_in,
        )
        return answer(
            {
                "session_id": prepared.session_id,
                "conversation_id": prepared.conversation.id,
                "websocket_url": address,
                "token": prepared.token,
                "agent": _agent_json(prepared.agent),
                "upstream": prepared.upstream,
                "messages": entries_json(prepared.history),
                "limits": _limits_json(prepared.agent),
            },
            status=201,
        )

    async def read(self, request: Request) -> Response:
        """The entries of a live session's conversation, oldest first."""
        user = await self._identity.get_current_user(request)
        query = read_query(request, EntryQuery)
        live = self._sessions.find(user.user_id, read_id(request, "session_id"))
        return await entry_part(self._store, user.user_id, live.facts.conversation_id, query)

    async def end(self, request: Request) -> Response:
        """End a session. Answered when all that was said and done is saved."""
        user = await self._identity.get_current_user(request)
        closed = await self._sessions.end(user.user_id, read_id(request, "session_id"))
        return answer(
            {"session_id": closed.session_id, "status": "closed", "message_count": closed.message_count}
        )

    def _websocket_url(self, request: Request) -> str:
        scheme = "wss" if self._identity.is_secure(request) else "ws"
        return f"{scheme}://{self._identity.host(request)}{request.scope.get('root_path', '')}{PATHS[0]}"


def _agent_json(agent: Agent) -> dict[str, str]:
    return {"name": agent.name, "title": agent.title, "greeting": agent.greeting}


def _limits_json(agent: Agent) -> dict[str, float]:
    return {
        "session_seconds": agent.limits.session_seconds,
        "idle_seconds": agent.limits.idle_seconds,
        "idle_grace_seconds": agent.limits.idle_grace_seconds,
    }
