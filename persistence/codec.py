"""Entry ↔ JSON text, and what makes any text, and any instant, storable. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, assert_never

import orjson

from bridge.core.model import (
    Call,
    Cursor,
    Cut,
    Entry,
    FunctionCall,
    Message,
    Modality,
    Outcome,
    Result,
    Role,
    Status,
    What,
)

REPLACEMENT = "\ufffd"
"""Stands for what PostgreSQL or UTF-8 refuse: NUL, lone surrogates, JSON nested too deep."""
MAX_DEPTH = 64
"""Levels of nested JSON that are kept."""


def storable(text: str) -> str:
    """The text with every NUL and lone surrogate replaced by U+FFFD; the same object when there is none."""
    if text.isascii() and "\0" not in text:
        return text
    cleaned = "".join(REPLACEMENT if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)
    return text if cleaned == text else cleaned


def in_utc(at: datetime) -> datetime:
    """The same instant. Raises ValueError for a naive one: nobody knows what it means."""
    if at.tzinfo is None:
        raise ValueError("a datetime without a zone cannot be stored")
    return at if at.tzinfo is UTC else at.astimezone(UTC)


def storable_json(value: object, depth: int = MAX_DEPTH) -> Any:
    """A JSON value both databases take: giant integers as text, odd objects as U+FFFD."""
    match value:
        case str():
            return storable(value)
        case bool() | float() | datetime() | None:
            return value
        case int():
            return value if -(2**63) <= value < 2**63 else str(value)
        case Mapping() if depth:
            return {storable(str(key)): storable_json(item, depth - 1) for key, item in value.items()}
        case Sequence() if depth and not isinstance(value, bytes | bytearray | memoryview):
            return [storable_json(item, depth - 1) for item in value]
        case _:
            return REPLACEMENT


def dump_json(value: object) -> bytes:
    """JSON text of anything JSON-like; what is not storable is replaced."""
    text = _dump_as_is(value)
    return orjson.dumps(storable_json(value)) if text is None else text


def _dump_as_is(value: object) -> bytes | None:
    """None: something in it is not storable."""
    try:
        text = orjson.dumps(value, default=_mapping)
    except TypeError:  # a lone surrogate, a giant integer, too deep: none of them is worth a look beforehand
        return None
    return None if b"\\u0000" in text else text


def _mapping(value: object) -> dict[object, object]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"not JSON: {type(value).__name__}")


def encode(entry: Entry) -> tuple[bytes, Entry]:
    """One line of JSON, and what `decode` makes of it: the same entry, unless something is not storable.

    Never fails on what a peer can send.
    """
    body = {
        "conversation_id": entry.conversation_id,
        "user_id": entry.user_id,
        "cursor": (entry.cursor.epoch, entry.cursor.idx),
        "at": entry.at,
        "what": encode_what(entry.what),
    }
    if (text := _dump_as_is(body)) is not None:
        return text, entry
    text = orjson.dumps(storable_json(body))
    return text, decode(text)


def decode(text: bytes) -> Entry:
    """The entry again. Raises ValueError, KeyError or TypeError when it is none."""
    body = orjson.loads(text)
    epoch, idx = body["cursor"]
    return Entry(
        conversation_id=body["conversation_id"],
        user_id=body["user_id"],
        cursor=Cursor(epoch, idx),
        at=datetime.fromisoformat(body["at"]),
        what=decode_what(body["what"]),
    )


def encode_what(what: What) -> dict[str, Any]:
    """An entry's content as a JSON object; `kind` tells which."""
    match what:
        case Message():
            return {
                "kind": "message",
                "role": what.role,
                "content": what.content,
                "modality": what.modality,
                "extra": what.extra,
            }
        case Call(function=function):
            return {
                "kind": "call",
                "request": what.request,
                "ours": what.ours,
                "id": function.id,
                "name": function.name,
                "arguments": function.arguments,
                "client_side": function.client_side,
                "thought_signature": function.thought_signature,
            }
        case Result():
            return {
                "kind": "result",
                "request": what.request,
                "ours": what.ours,
                "call_id": what.call_id,
                "name": what.name,
                "outcome": encode_outcome(what.outcome),
                "of": [what.of.epoch, what.of.idx] if what.of else None,
            }
        case Cut(of=of):
            return {"kind": "cut", "of": [of.epoch, of.idx], "heard": what.heard}
        case _:
            assert_never(what)


def decode_what(body: Mapping[str, Any]) -> What:
    """The content again."""
    match body["kind"]:
        case "message":
            return Message(Role(body["role"]), body["content"], Modality(body["modality"]), body["extra"])
        case "call":
            function = FunctionCall(
                body["id"], body["name"], body["arguments"], body["client_side"], body["thought_signature"]
            )
            return Call(request=body["request"], function=function, ours=body["ours"])
        case "result":
            return Result(
                request=body["request"],
                call_id=body["call_id"],
                name=body["name"],
                outcome=decode_outcome(body["outcome"]),
                ours=body["ours"],
                of=Cursor(*of) if (of := body.get("of")) else None,
            )
        case "cut":
            return Cut(Cursor(*body["of"]), body["heard"])
        case kind:
            raise ValueError(f"an entry of an unknown kind: {kind!r}")


def encode_outcome(outcome: Outcome) -> dict[str, Any]:
    """An outcome as a JSON object."""
    return {
        "status": outcome.status,
        "content": outcome.content,
        "note": outcome.note,
        "duration_ms": outcome.duration_ms,
        "route": outcome.route,
        "goal_id": outcome.goal_id,
        "task_id": outcome.task_id,
    }


def decode_outcome(body: Mapping[str, Any]) -> Outcome:
    """The outcome again."""
    return Outcome(**{**body, "status": Status(body["status"])})
