"""Describes the WebSocket as AsyncAPI 3.0, from the types of its messages, the codes and the examples."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.routes.answers import answer
from bridge.routes.talk import PATHS
from bridge.wire.client_messages import CLIENT_MESSAGES
from bridge.wire.reading import MAX_TEXT_BYTES
from bridge.wire.server_messages import SERVER_MESSAGES

Document = dict[str, Any]
WIRE = Path(__file__).parent.parent / "wire"
SHAPES = {"client": CLIENT_MESSAGES, "server": SERVER_MESSAGES}
SOUND = {
    "client": "The user's sound, 20 ms to a frame is a good size; send all the time, silence too.",
    "server": "The agent's sound; frames of any size hold whole samples and come faster than they play.",
}
SPOKEN_OF_SERVER = {"client": "receive", "server": "send"}
ABOUT = (
    "The Deepgram Voice Agent protocol, version 1, with additions that a stock client ignores; "
    "docs/protocol.md tells the order of things. "
    "Text frames hold one JSON object with a string `type`, binary frames hold sound. "
    "Unknown keys are ignored; be ready for unknown types, which are the agent's and passed on as they came. "
    "A key that is null counts as absent in what a client sends."
)
CODE_PLACES = (
    "H: refusal of a handshake, R: REST, E: `Error`, W: `Warning`; "
    "✕: the socket is closed after it, with 1000 unless the code stands beside it."
)
SECURITY = {
    "authorization": {
        "type": "http",
        "scheme": "bearer",
        "description": "`Authorization: Bearer x` or `Token x`: the token of a session, a `resume_token`, "
        "or what the server's authenticator knows. Not needed where `BRIDGE_AUTH` is `none`.",
    },
    "subProtocol": {
        "type": "httpApiKey",
        "in": "header",
        "name": "Sec-WebSocket-Protocol",
        "description": "For browsers: `token, x`, `bearer, x` or `access_token.x`; the first is selected.",
    },
}


class Schemas(GenerateJsonSchema):
    """JSON schemas without a title to each field."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def document(version: str) -> Document:
    """The whole description, as JSON. Takes 0.3 s: call it in a thread.

    version: the server's.
    """
    payloads, schemas = _schemas()
    codes = _told("codes.json")
    messages = {**_texts(payloads), **_sounds()}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Voice Bridge", "version": version, "description": ABOUT},
        "defaultContentType": "application/json",
        "servers": {name: _server(name) for name in ("ws", "wss")},
        "channels": {
            "converse": {
                "address": PATHS[0],
                "description": f"A conversation; `{PATHS[1]}` is the same.",
                "messages": {name: _ref("components", "messages", name) for name in messages},
                "bindings": {"ws": {"method": "GET"}},
            }
        },
        "operations": {f"{side}Says": _operation(side, messages) for side in SHAPES},
        "components": {"messages": messages, "schemas": schemas, "securitySchemes": SECURITY},
        "x-max-text-bytes": MAX_TEXT_BYTES,
        "x-close-codes": codes["close"],
        "x-codes": {"where": CODE_PLACES, "codes": codes["codes"]},
    }


def asyncapi_route(version: str) -> Route:
    """`GET /asyncapi.json`; made when it is first asked for, beside the talks."""
    described = cache(document)

    async def asyncapi(request: Request) -> Response:
        return answer(await asyncio.to_thread(described, version))

    return Route("/asyncapi.json", asyncapi)


def _schemas() -> tuple[Mapping[str, Document], Document]:
    """Name of a message → schema of its payload; and the schemas they refer to."""
    adapters: list[tuple[str, Literal["validation"], TypeAdapter[Any]]] = [
        (f"{side}.{kind}", "validation", TypeAdapter(shape)) for side, kind, shape in _all_shapes()
    ]
    made, referred = TypeAdapter.json_schemas(
        adapters, schema_generator=Schemas, ref_template="#/components/schemas/{model}"
    )
    return {name: schema for (name, _), schema in made.items()}, referred["$defs"]


def _all_shapes() -> Iterator[tuple[str, str, Any]]:
    for side, shapes in SHAPES.items():
        yield from ((side, kind, shape) for kind, shape in shapes.items())


def _texts(payloads: Mapping[str, Document]) -> Document:
    examples = _told("examples.json")
    return {
        f"{side}.{kind}": {
            "name": kind,
            "title": kind,
            "payload": payloads[f"{side}.{kind}"],
            "examples": [{"payload": each} for each in examples[side] if each["type"] == kind],
        }
        for side, kind, _ in _all_shapes()
    }


def _sounds() -> Document:
    return {
        f"{side}.sound": {
            "name": "sound",
            "title": "Sound",
            "summary": summary,
            "contentType": "application/octet-stream",
            "payload": {"type": "string", "format": "binary"},
        }
        for side, summary in SOUND.items()
    }


def _server(protocol: str) -> Document:
    return {
        "host": "{host}",
        "protocol": protocol,
        "variables": {"host": {"default": "localhost:8000", "description": "host:port of the server"}},
        "security": [_ref("components", "securitySchemes", name) for name in SECURITY],
    }


def _operation(side: str, messages: Document) -> Document:
    """What the server receives from the client, or sends to it."""
    return {
        "action": SPOKEN_OF_SERVER[side],
        "channel": _ref("channels", "converse"),
        "messages": [
            _ref("channels", "converse", "messages", name) for name in messages if name.startswith(f"{side}.")
        ],
    }


def _told(name: str) -> dict[str, list[Document]]:
    told: dict[str, list[Document]] = json.loads((WIRE / name).read_text(encoding="utf-8"))
    return told


def _ref(*path: str) -> dict[str, str]:
    return {"$ref": "/".join(("#", *path))}
