"""What /openapi.json promises, against the endpoints there are."""

import re
from pathlib import Path
from typing import Any

from tests.bridge.routes.front import front

ENDPOINTS = {
    ("post", "/api/v1/voice/session", "201"),
    ("get", "/api/v1/voice/sessions/{session_id}/messages", "200"),
    ("delete", "/api/v1/voice/session/{session_id}", "200"),
    ("get", "/api/v1/conversations", "200"),
    ("get", "/api/v1/conversations/{conversation_id}", "200"),
    ("patch", "/api/v1/conversations/{conversation_id}", "200"),
    ("delete", "/api/v1/conversations/{conversation_id}", "204"),
    ("get", "/api/v1/conversations/{conversation_id}/messages", "200"),
    ("get", "/api/v1/conversations/{conversation_id}/export", "200"),
    ("get", "/api/v1/me/export", "200"),
    ("delete", "/api/v1/me", "204"),
    ("get", "/api/v1/conversations/{conversation_id}/events", "200"),
    ("get", "/api/v1/goals", "200"),
    ("get", "/api/v1/tasks", "200"),
}


async def test_every_endpoint_is_described_and_every_reference_leads_somewhere(tmp_path: Path) -> None:
    async with front(tmp_path) as bridge:
        document: dict[str, Any] = (await bridge.http.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert document["info"] == {"title": "Voice Bridge", "version": "1.2.3"}
    described = {
        (method, path, min(operation["responses"]))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert described == ENDPOINTS
    ids = {op["operationId"] for operations in document["paths"].values() for op in operations.values()}
    assert len(ids) == len(ENDPOINTS)
    assert {"start_session", "list_conversations", "export_conversation"} < ids
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(re.findall(r"#/components/schemas/\w+", str(document))) <= schemas


async def test_queries_bodies_and_errors_are_described(tmp_path: Path) -> None:
    async with front(tmp_path) as bridge:
        document: dict[str, Any] = (await bridge.http.get("/openapi.json")).json()
    listing = document["paths"]["/api/v1/conversations"]["get"]
    assert {parameter["name"] for parameter in listing["parameters"]} == {"agent", "text", "limit", "after"}
    start = document["paths"]["/api/v1/voice/session"]["post"]
    assert start["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/SessionWish")
    assert start["summary"] == "Start a session, or go on with a conversation."
    export = document["paths"]["/api/v1/conversations/{conversation_id}/export"]["get"]
    assert set(export["responses"]["200"]["content"]) == {"application/json", "text/markdown"}
    assert document["security"] == [{"credential": []}, {}]
    assert document["components"]["securitySchemes"]["credential"]["scheme"] == "bearer"
    assert set(start["responses"]) >= {"201", "400", "401", "403", "404", "413", "415", "422", "429", "503"}
