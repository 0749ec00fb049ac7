"""`/console`: what an operator sees and may end. Without `BRIDGE_ADMIN_TOKEN` there is none."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from bridge.errors import NotFound, Unauthenticated
from bridge.live.registry import Sessions
from bridge.ports import Feed, Store
from bridge.ports.console import Failure, LiveSession, Overview
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
        sessions: Sessions,
        overview: Overview,
        store: Store,
        feed: Feed,
        agents_problem: Callable[[], str],
        now: Callable[[], datetime],
    ) -> None:
        """`agents_problem`: why changed files of agents are not used; empty: they are."""
        self._token = token
        self._identity = identity
        self._live = sessions
        self._overview = overview
        self._store = store
        self._feed = feed
        self._agents_problem = agents_problem
        self._now = now

    async def sessions(self, request: Request) -> Response:
        """The live sessions of this process, and what failed in the last hour."""
        self._check(request)
        now = self._now()
        return answer(
            {
                "at": instant(now),
                "process": os.getpid(),
                "agents_problem": self._agents_problem(),
                "sessions": [_session_json(seen) for seen in self._overview.sessions()],
                "failures": [_failure_json(failure) for failure in self._overview.failures(now)],
            }
        )

    async def end(self, request: Request) -> Response:
        """End a session; its client is told so."""
        self._check(request)
        self._identity.check_origin(request)
        facts = self._seen(request).facts
        self._live.find(facts.user_id, facts.session_id).end("BRIDGE_ENDED", "An operator ended the session.")
        return nothing()

    async def events(self, request: Request) -> Response:
        """What is said in a session's conversation: the stream of its owner."""
        self._check(request)
        facts = self._seen(request).facts
        return await event_stream(request, self._store, self._feed, facts.user_id, facts.conversation_id)

    def _check(self, request: Request) -> None:
        """Raises Unauthenticated. Takes as long whatever is wrong."""
        given = credential_of(request.headers.get("authorization")) or ""
        if not secrets.compare_digest(given.encode(), self._token.get_secret_value().encode()):
            raise Unauthenticated("That is not the token of the console.")

    def _seen(self, request: Request) -> LiveSession:
        session_id = read_id(request, "session_id")
        for seen in self._overview.sessions():
            if seen.facts.session_id == session_id:
                return seen
        raise NotFound("There is no such session.")


def _session_json(seen: LiveSession) -> dict[str, object]:
    facts = seen.facts
    return {
        "session_id": facts.session_id,
        "conversation_id": facts.conversation_id,
        "user_id": facts.user_id,
        "agent": facts.agent,
        "upstream": facts.upstream,
        "state": seen.state,
        "since": instant(seen.since),
        "messages": seen.messages,
        "latency_ms": seen.latency_ms,
        "error": seen.error,
    }


def _failure_json(failure: Failure) -> dict[str, object]:
    return {"cause": failure.cause, "count": failure.count, "last": instant(failure.last)}
