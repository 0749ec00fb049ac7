"""schemathesis asks the server what /openapi.json allows and what it does not, and judges the answers."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import httpx2
import pytest

from tests.support.bridge import process

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
MANY_SECONDS = 100


@pytest.mark.timeout(MANY_SECONDS + 40)
async def test_the_rest_interface_is_what_it_says(tmp_path: Path) -> None:
    """Left out: that all the schema allows is taken. It does not know time zones nor control characters."""
    wish = ("--phases", "coverage,fuzzing", "--max-examples", "4", "--seed", "7", "--request-timeout", "10")
    checks = ("--exclude-checks", "positive_data_acceptance", "--generation-database", "none", "--no-color")
    async with process(tmp_path, BRIDGE_UPSTREAM="local") as server:
        asking = await asyncio.create_subprocess_exec(
            *(str(SCHEMATHESIS), "run", f"{server.http}/openapi.json", *wish, *checks),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(MANY_SECONDS):
            said, _ = await asking.communicate()
        faults = [line for line in server.lines if line.get("level") == "error"]
    assert asking.returncode == 0, said.decode()[-6000:]
    assert b"operations selected" in said.lower() or b"Tested:" in said
    assert not faults


async def test_another_method_is_told_those_that_there_are(tmp_path: Path) -> None:
    async with (
        process(tmp_path, BRIDGE_UPSTREAM="local") as server,
        httpx2.AsyncClient(base_url=server.http, trust_env=False) as http,
    ):
        answer = await http.put("/api/v1/conversations/x")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "DELETE, GET, HEAD, PATCH")
