"""`/api/v1/me`: all that there is of the user, as a file or deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from bridge.core.model import Conversation, Cursor, Entry
from bridge.live.registry import Sessions
from bridge.ports import Store
from bridge.routes.answers import HEADERS, nothing, noun_json
from bridge.routes.identity import Identity
from bridge.routes.openapi import Api
from bridge.routes.shapes import UserExport
from bridge.wire import entries_json

PART = 200
"""Conversations, or entries of one, that are read at a time."""


def me_routes(api: Api, identity: Identity, sessions: Sessions, store: Store) -> list[Route]:
    desk = Me(identity, sessions, store)
    path = "/api/v1/me"
    return [
        api.route("GET", f"{path}/export", desk.export, name="export_user", answers=UserExport),
        api.route("DELETE", path, desk.forget, name="delete_user", answers=None, status=204),
    ]


class Me:
    """The endpoints."""

    def __init__(self, identity: Identity, sessions: Sessions, store: Store) -> None:
        self._identity = identity
        self._sessions = sessions
        self._store = store

    async def export(self, request: Request) -> Response:
        """All that is stored of the user: who they are, every conversation, goals and tasks."""
        user = await self._identity.get_current_user(request)
        person = asdict(await self._store.person(user.user_id))
        made = {
            "goals": [noun_json(goal) for goal in await self._store.goals(user.user_id)],
            "tasks": [noun_json(task) for task in await self._store.tasks(user.user_id)],
        }
        head = orjson.dumps({"user": person, **made})[:-1] + b', "conversations": ['
        named = {"Content-Disposition": 'attachment; filename="voice-bridge.json"'}
        return StreamingResponse(
            self._written(user.user_id, head), headers={**HEADERS, **named}, media_type="application/json"
        )

    async def forget(self, request: Request) -> Response:
        """Delete the user and all that is theirs, goals and tasks too. Sessions and sign-ins end.

        There is no way back; what they have had of the day's limits stays counted. Who signs in by a PIN can
        do so again only once an operator lets them.
        """
        user = await self._identity.get_current_user(request)
        async for conversation in self._conversations(user.user_id):
            await self._sessions.end_conversation(conversation.id, "BRIDGE_ENDED", "The user was deleted.")
        await self._store.forget(user.user_id)
        return nothing()

    async def _written(self, user_id: str, head: bytes) -> AsyncIterator[bytes]:
        """A conversation at a time: nobody's whole past is held in memory."""
        yield head
        between = b""
        async for conversation in self._conversations(user_id):
            entries = [entry async for entry in self._entries(conversation)]
            content = {"conversation": noun_json(conversation), "messages": entries_json(entries)}
            yield between + orjson.dumps(content)
            between = b", "
        yield b"]}"

    async def _conversations(self, user_id: str) -> AsyncIterator[Conversation]:
        after: str | None = None
        while True:
            part = await self._store.conversations(user_id, agent=None, text=None, limit=PART, after=after)
            for conversation in part.items:
                yield conversation
            if (after := part.next) is None:
                return

    async def _entries(self, conversation: Conversation) -> AsyncIterator[Entry]:
        after: Cursor | None = None
        while True:
            part = await self._store.entries(conversation.user_id, conversation.id, after=after, limit=PART)
            for entry in part.items:
                yield entry
            if part.next is None:
                return
            after = Cursor.parse(part.next)
