"""`/api/v1/conversations`: list, read, search, rename, export and delete what was said."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.core.model import Cursor, Entry
from bridge.live.registry import Sessions
from bridge.ports import Store
from bridge.routes.answers import answer, download, listed, nothing, noun_json
from bridge.routes.export import as_json, as_markdown
from bridge.routes.identity import Identity
from bridge.routes.openapi import Api
from bridge.routes.requests import read_body, read_id, read_query
from bridge.routes.shapes import (
    ConversationChange,
    ConversationExport,
    ConversationPart,
    ConversationQuery,
    ConversationShape,
    EntryPart,
    EntryQuery,
    ExportQuery,
)
from bridge.wire import entries_json

EXPORT_PART = 500
"""Entries read at once."""


def conversation_routes(api: Api, identity: Identity, sessions: Sessions, store: Store) -> list[Route]:
    desk = Desk(identity, sessions, store)
    every, one = "/api/v1/conversations", "/api/v1/conversations/{conversation_id}"
    return [
        api.route(
            "GET",
            every,
            desk.list,
            name="list_conversations",
            query=ConversationQuery,
            answers=ConversationPart,
        ),
        api.route("GET", one, desk.read, name="get_conversation", answers=ConversationShape),
        api.route(
            "PATCH",
            one,
            desk.change,
            name="rename_conversation",
            body=ConversationChange,
            answers=ConversationShape,
        ),
        api.route("DELETE", one, desk.delete, name="delete_conversation", answers=None, status=204),
        api.route(
            "GET", f"{one}/messages", desk.entries, name="list_messages", query=EntryQuery, answers=EntryPart
        ),
        api.route(
            "GET",
            f"{one}/export",
            desk.export,
            name="export_conversation",
            query=ExportQuery,
            answers=ConversationExport,
            media_type="text/markdown",
        ),
    ]


class Desk:
    """The endpoints."""

    def __init__(self, identity: Identity, sessions: Sessions, store: Store) -> None:
        self._identity = identity
        self._sessions = sessions
        self._store = store

    async def list(self, request: Request) -> Response:
        """Conversations, those with the newest activity first."""
        user = await self._identity.get_current_user(request)
        query = read_query(request, ConversationQuery)
        part = await self._store.conversations(
            user.user_id, agent=query.agent, text=query.text, limit=query.limit, after=query.after
        )
        return listed(part.items, noun_json, part.next)

    async def read(self, request: Request) -> Response:
        """One conversation, without its entries."""
        user_id, conversation_id = await self._whose(request)
        return answer(noun_json(await self._store.conversation(user_id, conversation_id)))

    async def change(self, request: Request) -> Response:
        """Give a conversation another title."""
        user_id, conversation_id = await self._whose(request)
        change = await read_body(request, ConversationChange)
        return answer(noun_json(await self._store.rename(user_id, conversation_id, change.title)))

    async def delete(self, request: Request) -> Response:
        """Delete a conversation and all that was said in it. Goals and tasks stay.

        A session that is talking in it is ended first.
        """
        user_id, conversation_id = await self._whose(request)
        await self._store.conversation(user_id, conversation_id)
        await self._sessions.end_conversation(
            conversation_id, "BRIDGE_ENDED", "The conversation was deleted."
        )
        await self._store.delete(user_id, conversation_id)
        return nothing()

    async def entries(self, request: Request) -> Response:
        """What was said and done, oldest first.

        An interruption is told in its message; when that is in an earlier part of the list, as a cut.
        """
        user_id, conversation_id = await self._whose(request)
        return await entry_part(self._store, user_id, conversation_id, read_query(request, EntryQuery))

    async def export(self, request: Request) -> Response:
        """The whole conversation as a file: JSON, or Markdown to read."""
        user_id, conversation_id = await self._whose(request)
        query = read_query(request, ExportQuery)
        conversation = await self._store.conversation(user_id, conversation_id)
        entries = await self._all_entries(user_id, conversation_id)
        if query.format == "json":
            body, ending, media_type = as_json(conversation, entries), "json", "application/json"
        else:
            body, ending, media_type = as_markdown(conversation, entries), "md", "text/markdown"
        return download(body, name=f"conversation-{conversation_id}.{ending}", media_type=media_type)

    async def _whose(self, request: Request) -> tuple[str, str]:
        user = await self._identity.get_current_user(request)
        return user.user_id, read_id(request, "conversation_id")

    async def _all_entries(self, user_id: str, conversation_id: str) -> tuple[Entry, ...]:
        entries: tuple[Entry, ...] = ()
        after: Cursor | None = None
        while True:
            part = await self._store.entries(user_id, conversation_id, after=after, limit=EXPORT_PART)
            entries += part.items
            if part.next is None:
                return entries
            after = Cursor.parse(part.next)


async def entry_part(store: Store, user_id: str, conversation_id: str, query: EntryQuery) -> Response:
    """A part of a conversation's entries, with `next` to get the following one."""
    after = Cursor.parse(query.after) if query.after else None
    part = await store.entries(user_id, conversation_id, after=after, limit=query.limit)
    return answer({"items": entries_json(part.items), "next": part.next})
