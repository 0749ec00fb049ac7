"""How a request is told that it failed: one JSON shape, the right status, nothing of our insides."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from bridge.errors import BadMessage, BridgeError, JournalFailed, Refused, StoreUnavailable
from bridge.routes.answers import error_answer

RETRY_SECONDS = 5.0
"""When a client is to try again while the store is away."""
FAULT = "Something went wrong here."
CODES = {404: "BRIDGE_NOT_FOUND", 405: "BRIDGE_METHOD_NOT_ALLOWED"}
"""HTTP status that Starlette itself gives → our code."""

Handler = Callable[[Request, Exception], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error as HTTP tells it."""

    status: int
    code: str
    description: str
    headers: Mapping[str, str]


def refusal(error: BridgeError) -> Refusal:
    """The status, code and text of an error; what is not meant for clients is 500 without a text."""
    match error:
        case Refused():
            status, description, wait = error.status, error.description, error.retry_after
        case BadMessage():
            status, description, wait = 422, error.description, None
        case StoreUnavailable() | JournalFailed():
            status, description, wait = 503, "The record cannot be reached just now.", RETRY_SECONDS
        case _:
            status, description, wait = 500, FAULT, None
    headers = {} if wait is None else {"Retry-After": str(max(1, math.ceil(wait)))}
    if error.code == "BRIDGE_GOING_AWAY":
        headers["Connection"] = "close"  # the next attempt is to find another process
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Refusal(status=status, code=error.code, description=description, headers=headers)


def exception_handlers() -> dict[int | type[Exception], Handler]:
    """For Starlette's `exception_handlers`."""
    return {BridgeError: _refused, HTTPException: _turned_away, Exception: _failed}


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, BridgeError)
    told = refusal(error)
    return error_answer(told.status, told.code, told.description, told.headers)


async def _turned_away(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = CODES.get(error.status_code, "BRIDGE_REFUSED")
    headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
    return error_answer(error.status_code, code, error.detail, headers)


def _allowed(request: Request) -> str:
    """The methods of the address; Starlette tells those of one of its routes."""
    here = [route for route in request.app.routes if isinstance(route, Route)]
    found = [route for route in here if route.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in found for method in route.methods or ()}))


async def _failed(request: Request, error: Exception) -> Response:
    return error_answer(500, BridgeError.code, FAULT)
