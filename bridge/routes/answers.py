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

PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def answer(content: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON for this user alone."""
    body = orjson.dumps(content)
    return Response(body, status, {**PRIVATE, **(headers or {})}, media_type="application/json")


def nothing() -> Response:
    """204."""
    return Response(status_code=204, headers=PRIVATE)


def download(body: bytes, *, name: str, media_type: str) -> Response:
    """A file the browser saves. `name` must be plain ASCII without quotes."""
    headers = {**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, headers=headers, media_type=media_type)


def listed(items: Iterable[T], write: Callable[[T], object], next_part: str | None = None) -> Response:
    """A part of a list: `{items, next}`."""
    return answer({"items": [write(item) for item in items], "next": next_part})


def conversation_json(conversation: Conversation) -> dict[str, object]:
    """A conversation without its user, who is the one asking."""
    written = {field.name: _value(conversation, field.name) for field in dataclasses.fields(conversation)}
    del written["user_id"]
    return written


def goal_json(goal: Goal) -> dict[str, object]:
    return {field.name: _value(goal, field.name) for field in dataclasses.fields(goal)}


def task_json(task: Task) -> dict[str, object]:
    return {field.name: _value(task, field.name) for field in dataclasses.fields(task)}


def _value(noun: object, name: str) -> object:
    value: object = getattr(noun, name)
    return instant(value) if isinstance(value, datetime) else value
