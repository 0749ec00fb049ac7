"""For operators: is it alive, is it ready, what are its figures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Problem = Callable[[], Awaitable[str]]
"""Why no session can be started now; empty: all is well."""
Figures = Callable[[], Awaitable[bytes]]
"""All of them, in Prometheus' text format."""


def operations_routes(problem: Problem, figures: Figures) -> list[Route]:
    """`/live`, `/ready`, `/metrics`. None of them needs credentials or tells anything of a user."""

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> Response:
        if reason := await problem():
            return JSONResponse({"status": "unavailable", "reason": reason}, 503, {"Retry-After": "5"})
        return JSONResponse({"status": "ok"})

    async def metrics(_: Request) -> Response:
        return Response(await figures(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/live", live), Route("/ready", ready), Route("/metrics", metrics)]
