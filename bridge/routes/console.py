"""`/console`: what an operator sees and may end. Without `BRIDGE_ADMIN_TOKEN` there is none."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from bridge.errors import Unauthenticated
from bridge.ports import Feed, Store
from bridge.ports.console import Failure, LiveSession, Overviews
from bridge.routes.answers import answer, nothing
from bridge.routes.events import event_stream
from bridge.routes.identity import Identity, credential_of
from bridge.routes.page import HEADERS
from bridge.routes.requests import read_id
from bridge.wire import instant


def console_routes(console: Console, page: Path, token: SecretStr) -> list[Route]:
    """The page and what it asks for; nothing when there is no token."""
    if not token.get_secret_value():
        return []

    async def show(_: Request) -> Response:
        return FileResponse(page, headers=HEADERS)

    one = "/console/sessions/{session_id}"
    return [
        Route("/console", show),
        Route("/console/sessions", console.sessions),
        Route(one, console.end, methods=["DELETE"]),
        Route(f"{one}/events", console.events),
    ]


class Console:
    """The endpoints."""

    def __init__(
        self,
        identity: Identity,
        *,
        token: SecretStr,
        overviews: Overviews,
        store: Store,
        feed: Feed,
        agents_problem: Callable[[], str],
    ) -> None:
        """`agents_problem`: why changed files of agents are not used; empty: they are."""
        self._token = token
        self._identity = identity
        self._overviews = overviews
        self._store = store
        self._feed = feed
        self._agents_problem = agents_problem

    async def sessions(self, request: Request) -> Response:
        """The live sessions of this server, and what failed in the last hour."""
        self._check(request)
        view = await self._overviews.look()
        return answer(
            {
                "at": instant(view.at),
                "missing": view.missing,
                "agents_problem": self._agents_problem(),
                "sessions": [_session_json(seen) for seen in view.sessions],
                "failures": [_failure_json(failure) for failure in view.failures],
            }
        )

    async def end(self, request: Request) -> Response:
        """End a session; its client is told so."""
        self._check(request)
        self._identity.check_origin(request)
        await self._overviews.end(read_id(request, "session_id"))
        return nothing()

    async def events(self, request: Request) -> Response:
        """What is said in a session's conversation: the stream of its owner."""
        self._check(request)
        session_id = read_id(request, "session_id")
        facts = (await self._overviews.look()).session(session_id).facts
        return await event_stream(request, self._store, self._feed, facts.user_id, facts.conversation_id)

    def _check(self, request: Request) -> None:
        """Raises Unauthenticated. Takes as long whatever is wrong."""
        given = credential_of(request.headers.get("authorization")) or ""
        if not secrets.compare_digest(given.encode(), self._token.get_secret_value().encode()):
            raise Unauthenticated("That is not the token of the console.")


def _session_json(seen: LiveSession) -> dict[str, object]:
    facts = seen.facts
    return {
        "session_id": facts.session_id,
        "conversation_id": facts.conversation_id,
        "user_id": facts.user_id,
        "agent": facts.agent,
        "upstream": facts.upstream,
        "worker": seen.worker,
        "state": seen.state,
        "since": instant(seen.since),
        "messages": seen.messages,
        "latency_ms": seen.latency_ms,
        "error": seen.error,
    }


def _failure_json(failure: Failure) -> dict[str, object]:
    return {"cause": failure.cause, "count": failure.count, "last": instant(failure.last)}
