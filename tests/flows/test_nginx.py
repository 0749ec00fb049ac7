"""Two servers behind the nginx of docs/operations.md: requests and sockets go to either, in turn."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.bridge import Process, process
from tests.support.client import client, items, start
from tests.support.deepgram import ScriptedDeepgram

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"

pytestmark = pytest.mark.skipif(not Path(NGINX).exists(), reason="no nginx; sudo apt-get install nginx-light")


@asynccontextmanager
async def nginx(folder: Path, servers: tuple[Process, Process]) -> AsyncIterator[str]:
    """`host:port` of an nginx with the configuration of the docs before those servers."""
    found = re.search(r"```nginx\n(.*?)```", OPERATIONS.read_text(), re.DOTALL)
    assert found
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    http = found[1].replace("listen 8443", f"listen {address}")
    for example, server in zip(("10.0.0.1:8000", "10.0.0.2:8000"), servers, strict=True):
        assert example in http
        http = http.replace(example, server.address)
    folder.mkdir()
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}} "
        f"http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; "
        f"fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; {http} }}"
    )
    running = await asyncio.create_subprocess_exec(NGINX, "-p", str(folder), "-c", str(configuration))
    try:
        async with asyncio.timeout(10):
            while not (folder / "pid").exists():
                assert running.returncode is None
                await asyncio.sleep(0.05)
        yield address
    finally:
        if running.returncode is None:
            running.terminate()
        await running.wait()


async def test_a_conversation_goes_on_wherever_the_balancer_sends_it(
    tmp_path: Path, postgres_url: str
) -> None:
    async with ScriptedDeepgram(key=None) as deepgram:
        variables = {
            "DEEPGRAM_AGENT_URL": deepgram.url,
            "DATABASE_URL": postgres_url,
            "BRIDGE_TRUST_PROXY": "true",
            "BRIDGE_ALLOW_ANYBODY": "true",
        }
        async with (
            process(tmp_path / "a", **variables) as one,
            process(tmp_path / "b", **variables) as two,
            nginx(tmp_path / "nginx", (one, two)) as address,
        ):
            wish: dict[str, str] = {}
            for n in range(6):
                begun = await start(f"http://{address}", **wish)
                wish = {"conversation_id": str(begun["conversation_id"])}
                assert str(begun["websocket_url"]).startswith(f"ws://{address}/")
                async with client(str(begun["websocket_url"]), token=str(begun["token"])) as talker:
                    await talker.settle()
                    agent = await deepgram.session()
                    await agent.hear(f"line {n}")
                    await talker.expect_text("user", f"line {n}")
                    await agent.say("Yes.")
                    await talker.expect("AgentAudioDone")
                if n == 3:
                    await one.kill()
            said = await items(two.http, f"/api/v1/conversations/{begun['conversation_id']}/messages")
            lines = [entry["content"] for entry in said if entry["role"] == "user"]
            # What was said at a server that was killed is there once it is started again.
            assert [line for line in lines if line in {"line 4", "line 5"}] == ["line 4", "line 5"]
        async with process(tmp_path / "a", **variables) as one:
            said = await items(one.http, f"/api/v1/conversations/{begun['conversation_id']}/messages")
            assert [e["content"] for e in said if e["role"] == "user"] == [f"line {n}" for n in range(6)]
