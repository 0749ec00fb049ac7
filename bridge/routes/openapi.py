"""Describes the REST endpoints as OpenAPI 3.1, from their models and docstrings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from pydantic import BaseModel
from spectree import Response as Responses
from spectree import SpecTree
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from bridge.routes.answers import answer
from bridge.routes.shapes import ErrorAnswer

Endpoint = Callable[[Request], Awaitable[Response]]
ERRORS = (400, 401, 403, 404, 413, 415, 422, 429, 503)


class Api:
    """Makes routes that are in /openapi.json. It describes; the endpoints check what they are sent."""

    def __init__(self, version: str) -> None:
        self._tree = SpecTree(
            "starlette",
            mode="strict",
            title="Voice Bridge",
            version=version,
            annotations=False,
            naming_strategy=lambda model: model.__name__,
            nested_naming_strategy=lambda _, child: child,
        )

    def route(
        self,
        method: str,
        path: str,
        endpoint: Endpoint,
        *,
        answers: type[BaseModel] | None,
        status: int = 200,
        body: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
    ) -> Route:
        """A route, described. `answers`: the shape of a success; None: it has no body."""
        shapes = {f"HTTP_{error}": ErrorAnswer for error in ERRORS}
        describe = self._tree.validate(
            json=body,
            query=query,
            resp=Responses(**{f"HTTP_{status}": answers}, **shapes),
            validation_error_status=422,
            skip_validation=True,
        )
        return Route(path, cast(Endpoint, describe(endpoint)), methods=[method])

    def document(self, routes: Sequence[Route]) -> Route:
        """`GET /openapi.json`, about these routes."""
        self._tree.register(Router(routes))
        document = self._tree.spec

        async def openapi(request: Request) -> Response:
            return answer(document)

        return Route("/openapi.json", openapi)
