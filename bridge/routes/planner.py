"""`/api/v1/goals` and `/api/v1/tasks`: what the agent has made for the user."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.ports import Store
from bridge.routes.answers import listed, noun_json
from bridge.routes.identity import Identity
from bridge.routes.openapi import Api
from bridge.routes.shapes import GoalPart, TaskPart


def planner_routes(api: Api, identity: Identity, store: Store) -> list[Route]:
    desk = Desk(identity, store)
    return [
        api.route("GET", "/api/v1/goals", desk.goals, name="list_goals", answers=GoalPart),
        api.route("GET", "/api/v1/tasks", desk.tasks, name="list_tasks", answers=TaskPart),
    ]


class Desk:
    """The endpoints."""

    def __init__(self, identity: Identity, store: Store) -> None:
        self._identity = identity
        self._store = store

    async def goals(self, request: Request) -> Response:
        """The user's goals; `next` is always null."""
        user = await self._identity.get_current_user(request)
        return listed(await self._store.goals(user.user_id), noun_json)

    async def tasks(self, request: Request) -> Response:
        """The user's tasks; `next` is always null."""
        user = await self._identity.get_current_user(request)
        return listed(await self._store.tasks(user.user_id), noun_json)
