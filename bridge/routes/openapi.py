"""Describes the REST endpoints as OpenAPI 3.1, from their models and docstrings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from pydantic import BaseModel
from spectree import Response as Responses
from spectree import SecurityScheme, SpecTree
from spectree.model_adapter.protocol import SchemaMode
from spectree.model_adapter.pydantic_adapter import PydanticModelAdapter
from spectree.models import SecureType, SecuritySchemeData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from bridge.routes.answers import answer
from bridge.routes.shapes import ErrorAnswer

Endpoint = Callable[[Request], Awaitable[Response]]
CREDENTIAL = SecurityScheme(
    name="credential",
    data=SecuritySchemeData(
        type=SecureType.HTTP,
        scheme="bearer",
        description="Of `POST /api/v1/sign-in`, or of the issuer; not needed where `BRIDGE_AUTH` is `none`.",
    ),
)
ERRORS = (400, 401, 403, 404, 413, 415, 422, 429, 503)


class _Shapes(PydanticModelAdapter):
    """Describes each shape once: those of errors are in every route, and a start would take longer."""

    def __init__(self) -> None:
        super().__init__()
        self._described: dict[tuple[type[Any], SchemaMode], dict[str, Any]] = {}

    def json_schema(
        self, model: type[Any], *, ref_template: str, mode: SchemaMode = "validation"
    ) -> dict[str, Any]:
        known = self._described.get((model, mode))
        if known is None:
            known = super().json_schema(model, ref_template=ref_template, mode=mode)
            self._described[model, mode] = known
        return known


class Api:
    """Makes routes that are in /openapi.json. It describes; the endpoints check what they are sent."""

    def __init__(self, version: str, *, anybody: bool = True) -> None:
        """`anybody`: a credential may be left out everywhere."""
        self._tree = SpecTree(
            "starlette",
            mode="strict",
            title="Voice Bridge",
            version=version,
            annotations=False,
            model_adapter=cast(Any, _Shapes()),  # its protocol names an argument differently
            naming_strategy=lambda model: model.__name__,
            nested_naming_strategy=lambda _, child: child,
            security_schemes=[CREDENTIAL],
            security=[{CREDENTIAL.name: []}, *([{}] if anybody else [])],
        )
        self._media: dict[str, str] = {}
        """Operation → what it answers with beside JSON."""
        self._bodies: dict[str, bool] = {}
        """Operation → it must have a body."""
        self._public: set[str] = set()
        """Operations that take everybody."""

    def route(
        self,
        method: str,
        path: str,
        endpoint: Endpoint,
        *,
        name: str,
        answers: type[BaseModel] | None,
        status: int = 200,
        body: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
        media_type: str = "",
        public: bool = False,
    ) -> Route:
        """A route, described.

        name: what generated clients call it. answers: the shape of a success; None: it has no body.
        media_type: in which it may be had beside JSON, or at all. public: it needs no credential.
        """
        if media_type:
            self._media[name] = media_type
        if public:
            self._public.add(name)
        if body:
            self._bodies[name] = any(field.is_required() for field in body.model_fields.values())
        shapes = {f"HTTP_{error}": ErrorAnswer for error in ERRORS}
        describe = self._tree.validate(
            json=body,
            query=query,
            resp=Responses(**{f"HTTP_{status}": answers}, **shapes),
            validation_error_status=422,
            skip_validation=True,
            operation_id=name,
        )
        return Route(path, cast(Endpoint, describe(endpoint)), methods=[method])

    def document(self, routes: Sequence[Route]) -> Route:
        """`GET /openapi.json`, about these routes."""
        self._tree.register(Router(routes))
        document = self._tree.spec
        for operations in document["paths"].values():
            for operation in operations.values():
                if "requestBody" in operation:
                    operation["requestBody"]["required"] = self._bodies[operation["operationId"]]
                if media_type := self._media.get(operation["operationId"]):
                    content = operation["responses"]["200"].setdefault("content", {})
                    content[media_type] = {"schema": {"type": "string"}}
                if operation["operationId"] in self._public:
                    operation["security"] = [{CREDENTIAL.name: []}, {}]

        async def openapi(request: Request) -> Response:
            return answer(document)

        return Route("/openapi.json", openapi)
