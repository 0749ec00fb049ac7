"""The page beside the interface: its files, and what is none of its business."""

from pathlib import Path

import httpx2
import pytest

from tests.support.bridge import running


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/api/v1/goals", 405, "BRIDGE_METHOD_NOT_ALLOWED"),
        ("GET", "/api/v1/voice/session", 405, "BRIDGE_METHOD_NOT_ALLOWED"),
        ("POST", "/ready", 405, "BRIDGE_METHOD_NOT_ALLOWED"),
        ("GET", "/api/v1/nothing", 404, "BRIDGE_NOT_FOUND"),
        ("POST", "/nothing", 404, "BRIDGE_NOT_FOUND"),
        ("GET", "/nothing.js", 404, "BRIDGE_NOT_FOUND"),
        ("GET", "/types.d.ts", 404, "BRIDGE_NOT_FOUND"),
    ],
)
async def test_what_is_not_there_is_told_with_its_reason(
    tmp_path: Path, method: str, path: str, status: int, code: str
) -> None:
    async with running(tmp_path) as bridge, httpx2.AsyncClient(trust_env=False) as rest:
        answer = await rest.request(method, bridge.http + path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_the_page_is_served_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    async with running(tmp_path) as bridge, httpx2.AsyncClient(trust_env=False) as rest:
        page = await rest.get(bridge.http)
        script = await rest.get(f"{bridge.http}/main.js")
    assert page.headers["content-type"].startswith("text/html")
    assert script.status_code == 200
    assert script.headers["content-encoding"] == "gzip"
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_nobody_frames_keeps_or_guesses_anything(tmp_path: Path) -> None:
    async with running(tmp_path) as bridge, httpx2.AsyncClient(trust_env=False) as rest:
        files = [await rest.get(f"{bridge.http}{path}") for path in ("/", "/main.js", "/index.html")]
        paths = (
            "/api/v1/goals",
            "/api/v1/conversations",
            "/api/v1/conversations/x",
            "/api/v1/me/export",
            "/x/y",
        )
        answers = [await rest.get(f"{bridge.http}{path}") for path in paths]
    for answer in (*files, *answers):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    for file in files:
        assert file.headers["permissions-policy"].startswith("microphone=(self),")
        assert file.headers["x-frame-options"] == "DENY"
        assert not {"unsafe-inline", "unsafe-eval", "*"} & set(
            file.headers["content-security-policy"].split()
        )
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store", answer.url
