"""What a request brings, read within bounds: body, query, ids in the path."""

from __future__ import annotations

import asyncio
import re
from typing import TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from bridge.errors import BadRequest, NotFound

M = TypeVar("M", bound=BaseModel)

MAX_BODY_BYTES = 64 * 1024
"""Of a body, as it is sent."""
BODY_SECONDS = 10.0
"""How long a body may take to come."""
ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


async def read_body(request: Request, model: type[M]) -> M:
    """The JSON body; none counts as `{}`. Raises BadRequest, whose text names the fields at fault."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            raw = await _bounded(request)
    except TimeoutError:
        raise BadRequest("The body takes too long.", status=408) from None
    except ClientDisconnect:  # nobody is told any more
        raise BadRequest("The body broke off.", status=400) from None
    if not raw:
        return _validate(model, {})
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise BadRequest("The body must be sent as application/json.", status=415)
    try:
        values = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise BadRequest("The body is not JSON.", status=400) from None
    if not isinstance(values, dict):
        raise BadRequest("The body is not a JSON object.")
    return _validate(model, values)


def read_query(request: Request, model: type[M]) -> M:
    """The query string. Raises BadRequest, whose text names the parameters at fault."""
    pairs = request.query_params.multi_items()
    values: dict[str, object] = dict(pairs)
    if len(values) < len(pairs):
        raise BadRequest("A query parameter is given twice.")
    return _validate(model, values)


def read_id(request: Request, name: str) -> str:
    """An id from the path. Raises NotFound for what can be nobody's."""
    value = str(request.path_params[name])
    if not ID.fullmatch(value):
        raise NotFound("There is nothing by that id.")
    return value


async def _bounded(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise BadRequest(f"The body may have {MAX_BODY_BYTES} bytes.", status=413)
    return bytes(body)


def _validate(model: type[M], values: dict[str, object]) -> M:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        mistakes = (_mistake(found["loc"], found["type"], found["msg"]) for found in error.errors())
        raise BadRequest("; ".join(mistakes)) from None


def _mistake(place: tuple[int | str, ...], kind: str, message: str) -> str:
    name = ".".join(map(str, place))[:60]
    if kind == "extra_forbidden":
        return f"`{name}` is not known here"
    return f"`{name}`: {message.removeprefix('Value error, ')}"
