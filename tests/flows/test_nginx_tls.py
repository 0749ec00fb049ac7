"""The nginx of deploy/ in front of a server of two workers: TLS, WebSockets, workers renewed under a talk."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from tests.flows.test_workers import ready
from tests.support.bridge import Process, process
from tests.support.client import client
from tests.support.deepgram import ScriptedDeepgram

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
DEPLOY = Path(__file__).parents[2] / "deploy"
WORKERS = 2
SESSION = "/api/v1/voice/session"

pytestmark = pytest.mark.skipif(not Path(NGINX).exists(), reason="no nginx; sudo apt-get install nginx-light")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@asynccontextmanager
async def nginx(folder: Path, server: Process) -> AsyncIterator[tuple[str, str, ssl.SSLContext]]:
    """`host:port` for TLS and for what is sent on to it, of deploy/nginx.conf; and whom to trust for that."""
    folder.mkdir()
    pair = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    wish = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(["openssl", "req", *wish, *names, *pair], check=True, capture_output=True)
    secure, plain = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    for example, here in {
        "/tmp/": f"{folder}/",
        "/etc/nginx/tls": str(folder),
        "/dev/stderr": f"{folder}/error.log",
        "bridge:8000": server.address,
        "listen 8443": f"listen {secure}",
        "listen 8080": f"listen {plain}",
    }.items():
        assert example in text
        text = text.replace(example, here)
    configuration = folder / "nginx.conf"
    configuration.write_text(f"daemon off;\n{text}")
    running = await asyncio.create_subprocess_exec(NGINX, "-p", str(folder), "-c", str(configuration))
    try:
        async with asyncio.timeout(10):
            while not (folder / "nginx.pid").exists():
                assert running.returncode is None, (folder / "error.log").read_text()
                await asyncio.sleep(0.05)
        yield secure, plain, ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
    finally:
        if running.returncode is None:
            running.terminate()
        await running.wait()


async def test_a_talk_by_tls_goes_on_while_the_workers_are_renewed(tmp_path: Path, postgres_url: str) -> None:
    async with ScriptedDeepgram(key=None) as deepgram:
        variables = {"DEEPGRAM_AGENT_URL": deepgram.url, "DATABASE_URL": postgres_url}
        limits = {
            "BRIDGE_WORKERS": str(WORKERS),
            "BRIDGE_TRUST_PROXY": "true",
            "BRIDGE_ALLOW_ANYBODY": "true",
            "BRIDGE_SESSIONS_PER_USER": "9",
        }
        async with (
            process(tmp_path / "data", **variables, **limits) as server,
            nginx(tmp_path / "nginx", server) as (address, plain, trusted),
            httpx2.AsyncClient(base_url=f"https://{address}", verify=trusted, trust_env=False) as http,
        ):
            await ready(server, WORKERS)
            origin = {"Origin": f"https://{address}"}
            begun = (await http.post(SESSION, json={}, headers=origin)).json()
            assert begun["websocket_url"] == f"wss://{address}/v1/agent/converse"
            with pytest.raises(ssl.SSLError):
                async with client(begun["websocket_url"], tls=ssl.create_default_context()):
                    pass
            cut = (await http.post(SESSION, json={}, headers={"Origin": f"http://{address}"})).status_code
            assert cut == 403, "another scheme is another origin"

            begun = (await http.post(SESSION, json={})).json()
            async with client(begun["websocket_url"], token=begun["token"], tls=trusted) as talker:
                await talker.settle()
                agent = await deepgram.session()
                await agent.hear("one")
                await talker.expect_text("user", "one")
                server.process.send_signal(signal.SIGHUP)
                await server.logged("draining", seconds=30)
                await agent.say("two")
                await talker.expect_text("assistant", "two")
                await talker.expect("AgentAudioDone")
                assert await talker.expect_close() == 1012
            wish = {"conversation_id": begun["conversation_id"]}
            again = (await http.post(SESSION, json=wish)).json()
            async with client(again["websocket_url"], token=again["token"], tls=trusted) as talker:
                await talker.settle()
            assert [entry["content"] for entry in again["messages"]] == ["one", "two"]
            await ready(server, 2 * WORKERS)
            assert (await http.get("/ready")).status_code == 200
            assert (await http.get("/metrics")).status_code == 404, "figures are for operators inside"
            async with httpx2.AsyncClient(trust_env=False) as unsafe:
                moved = await unsafe.get(f"http://{plain}/console")
            assert (moved.status_code, moved.headers["Location"][:8]) == (301, "https://")
            assert await server.terminate() == 0
