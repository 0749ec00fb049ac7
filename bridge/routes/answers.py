"""What a request is answered with: JSON that no cache may keep, and our nouns as JSON objects."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeVar

import orjson
from starlette.responses import Response

from bridge.core.model import Conversation, Goal, Task
from bridge.wire import instant

T = TypeVar("T")

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Of every answer: no cache keeps it, no browser guesses what it is, and no page shows it as its own."""


def answer(content: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON for this user alone."""
    body = orjson.dumps(content)
    return Response(body, status, {**HEADERS, **(headers or {})}, media_type="application/json")


def error_answer(
    status: int, code: str, description: str, headers: Mapping[str, str] | None = None
) -> Response:
    """`{error: {code, description}}`."""
    return answer({"error": {"code": code, "description": description}}, status=status, headers=headers)


def nothing() -> Response:
    """204."""
    return Response(status_code=204, headers=HEADERS)


def download(body: bytes, *, name: str, media_type: str) -> Response:
    """A file the browser saves. `name` must be plain ASCII without quotes."""
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, headers=headers, media_type=media_type)


def listed(items: Iterable[T], write: Callable[[T], object], next_part: str | None = None) -> Response:
    """A part of a list: `{items, next}`."""
    return answer({"items": [write(item) for item in items], "next": next_part})


def noun_json(noun: Conversation | Goal | Task) -> dict[str, object]:
    """All its fields but its user, who is the one asking; times in ISO 8601."""
    names = [field.name for field in dataclasses.fields(noun) if field.name != "user_id"]
    return {name: _value(getattr(noun, name)) for name in names}


def _value(value: object) -> object:
    return instant(value) if isinstance(value, datetime) else value
