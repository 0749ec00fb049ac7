"""Every error of the tree, as HTTP tells it."""

import json
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.errors import (
    BadMessage,
    BadRequest,
    BridgeError,
    Forbidden,
    JournalFailed,
    NotFound,
    PeerGone,
    StoreUnavailable,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from bridge.routes.errors import exception_handlers, refusal
from tests.bridge.routes.front import front
from tests.bridge.routes.test_sessions import told


@pytest.mark.parametrize(
    ("error", "status", "wait"),
    [
        (BadRequest("x"), 422, None),
        (BadRequest("x", status=413), 413, None),
        (BadMessage("x"), 422, None),
        (Unauthenticated("x"), 401, None),
        (Forbidden("x"), 403, None),
        (NotFound("x"), 404, None),
        (TooMany("x", retry_after=1.2), 429, "2"),
        (TooMany("x", retry_after=0.0), 429, "1"),
        (Unavailable("x", retry_after=5), 503, "5"),
        (StoreUnavailable("password=secret"), 503, "5"),
        (JournalFailed("secret"), 503, "5"),
        (PeerGone("secret"), 500, None),
        (BridgeError("secret"), 500, None),
    ],
)
def test_an_error_has_its_status_and_tells_nothing_of_our_insides(
    error: BridgeError, status: int, wait: str | None
) -> None:
    refused = refusal(error)
    assert (refused.status, refused.code, refused.headers.get("Retry-After")) == (status, error.code, wait)
    assert "secret" not in refused.description


async def test_a_fault_of_ours_is_told_without_its_text() -> None:
    async def fail(request: Request) -> Response:
        raise RuntimeError("secret")

    app = Starlette(routes=[Route("/", fail)], exception_handlers=exception_handlers())
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://x") as http:
        answer = await http.get("/")
    assert answer.status_code == 500
    assert json.loads(answer.content)["error"]["code"] == "BRIDGE_INTERNAL"
    assert "secret" not in answer.text


async def test_a_store_that_is_away_is_told_as_503(tmp_path: Path) -> None:
    async with front(tmp_path) as bridge:
        async with bridge.record.database.engine.begin() as connection:
            await connection.exec_driver_sql("DROP TABLE conversations")
        answer = await bridge.http.get("/api/v1/conversations")
        told(answer, 503, "BRIDGE_STORE_UNAVAILABLE")
        assert answer.headers["Retry-After"] == "5"
