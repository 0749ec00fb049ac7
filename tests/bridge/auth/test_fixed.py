"""The user of `BRIDGE_AUTH=none`, and where it may be served."""

from pathlib import Path

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from bridge.auth.fixed import FixedUser, check_exposure
from bridge.errors import BadConfig
from bridge.settings import Settings
from tests.support.bridge import running


async def test_everybody_is_the_same_user() -> None:
    everybody = FixedUser("local")
    for credential in (None, "", "a Deepgram key"):
        assert (await everybody({}, credential)).user_id == "local"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_this_machine_may_be_served_without_credentials(host: str) -> None:
    check_exposure(Settings(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "10.0.0.1", "talk.example.com", ""])
def test_others_only_by_intent(host: str) -> None:
    with pytest.raises(BadConfig, match="BRIDGE_ALLOW_ANYBODY"):
        check_exposure(Settings(host=host))
    check_exposure(Settings(host=host, allow_anybody=True))


def test_a_proxy_in_front_of_it_is_others_too() -> None:
    with pytest.raises(BadConfig, match="the proxy"):
        check_exposure(Settings(host="127.0.0.1", trust_proxy=True))
    check_exposure(Settings(host="127.0.0.1", trust_proxy=True, allow_anybody=True))
    check_exposure(Settings(host="127.0.0.1", trust_proxy=True, auth="pin"))


REBOUND = {"Host": "evil.example:8000", "Origin": "http://evil.example:8000"}
"""What a page sends that had its own name point to this machine: to the browser it is at home."""


async def test_a_page_that_calls_this_machine_by_its_own_name_is_turned_away(tmp_path: Path) -> None:
    async with (
        running(tmp_path) as server,
        httpx2.AsyncClient(base_url=server.http, trust_env=False) as http,
    ):
        for ask in (
            http.get("/api/v1/conversations", headers=REBOUND),
            http.delete("/api/v1/me", headers=REBOUND),
        ):
            assert (await ask).status_code == 421
        assert (await http.post("/api/v1/voice/session", json={}, headers=REBOUND)).status_code == 421
        here, port = server.address.split(":")
        page = connect("ws://evil.example/v1/agent/converse", host=here, port=int(port), proxy=None)
        with pytest.raises(InvalidStatus) as refused:
            await page
        assert refused.value.response.status_code == 421
        for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", "LOCALHOST"):
            assert (await http.get("/api/v1/conversations", headers={"Host": host})).status_code == 200, host


@pytest.mark.parametrize("meant", [{"allow_anybody": True}, {"hosts": ("evil.example",)}])
async def test_other_names_are_for_whoever_says_so(tmp_path: Path, meant: dict[str, object]) -> None:
    async with (
        running(tmp_path, **meant) as server,
        httpx2.AsyncClient(base_url=server.http, trust_env=False) as http,
    ):
        assert (await http.get("/api/v1/conversations", headers=REBOUND)).status_code == 200
