"""schemathesis asks the server what /openapi.json allows and what it does not, and judges the answers."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import httpx2
import pytest

from tests.support.bridge import Process, process
from tests.support.issuer import issuing

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
MANY_SECONDS = 100
USUAL = (
    *("--phases", "coverage,fuzzing", "--seed", "7", "--request-timeout", "10"),
    *("--exclude-checks", "positive_data_acceptance", "--generation-database", "none", "--no-color"),
)
"""Left out: that all the schema allows is taken. It does not know time zones nor control characters."""
LEFT_OUT = [
    word
    for name in ("sign_out", "delete_user", "follow_conversation")
    for word in ("--exclude-operation-id", name)
]
"""After the first two nobody is signed in; the third has no end."""


async def judged(server: Process, folder: Path, *wish: str) -> None:
    """Nothing that schemathesis does finds a fault."""
    asking = await asyncio.create_subprocess_exec(
        *(str(SCHEMATHESIS), "run", f"{server.http}/openapi.json", *USUAL, *wish),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(MANY_SECONDS):
        said, _ = await asking.communicate()
    assert asking.returncode == 0, said.decode()[-6000:]
    assert b"operations selected" in said.lower() or b"Tested:" in said
    assert not [line for line in server.lines if line.get("level") == "error"]


@pytest.mark.timeout(MANY_SECONDS + 40)
async def test_the_rest_interface_is_what_it_says(tmp_path: Path) -> None:
    async with process(tmp_path, BRIDGE_UPSTREAM="local") as server:
        await judged(server, tmp_path, "--max-examples", "4")


@pytest.mark.timeout(MANY_SECONDS + 40)
async def test_it_is_so_too_for_who_is_signed_in_and_nothing_is_had_without(tmp_path: Path) -> None:
    """schemathesis asks again without the token, and with a wrong one: each is to be a 401."""
    async with (
        issuing() as issuer,
        process(tmp_path, BRIDGE_UPSTREAM="local", **issuer.variables) as server,
    ):
        signed_in = ("--header", f"Authorization: Bearer {issuer.token('ada')}")
        await judged(server, tmp_path, "--max-examples", "1", *signed_in, *LEFT_OUT)
        open_to_all = [name for name, status in (await strangers(server)).items() if status != 401]
    assert sorted(open_to_all) == ["sign_in", "sign_in_state"]


async def strangers(server: Process) -> dict[str, int]:
    """What each operation answers when nobody is signed in. All of them say that it may be 401."""
    answered = {}
    async with httpx2.AsyncClient(base_url=server.http, trust_env=False) as http:
        document = (await http.get("/openapi.json")).json()
        assert document["security"] == [{"credential": []}]
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                assert "401" in operation["responses"]
                answer = await http.request(method, path.format_map(Anything()))
                answered[operation["operationId"]] = answer.status_code
    assert len(answered) > 15
    return answered


class Anything(dict[str, str]):
    """An id for each part of a path."""

    def __missing__(self, key: str) -> str:
        return "x"


async def test_another_method_is_told_those_that_there_are(tmp_path: Path) -> None:
    async with (
        process(tmp_path, BRIDGE_UPSTREAM="local") as server,
        httpx2.AsyncClient(base_url=server.http, trust_env=False) as http,
    ):
        answer = await http.put("/api/v1/conversations/x")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "DELETE, GET, HEAD, PATCH")
