"""The ways from the callers to the agent: directly, through the bridge, through others to compare with."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge.settings import Settings, variable
from tests.bench.caller import PATH
from tests.bench.dress import JSON, PLAIN, Dress
from tests.bench.environments import PIPECAT, VOICERAG, python_with
from tests.bench.processes import started

SBIN = "/usr/sbin:/usr/local/sbin:/opt/homebrew/bin"
"""Where nginx may be beside PATH."""

NGINX_CONF = """\
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr; worker_rlimit_nofile 40000;
events {{ worker_connections 20000; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://{agent};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
    }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Place:
    """What a run needs to start a relay."""

    folder: Path
    """Fresh and empty."""
    agent: str
    """host:port"""
    core: int | None


@dataclass(frozen=True, slots=True)
class Relay:
    """Something that can be called."""

    address: str
    """host:port"""
    pid: int | None
    """None: there is nothing in between."""
    is_bridge: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """One row of the table."""

    key: str
    """What it is called on the command line."""
    name: str
    start: Callable[[Place], AbstractContextManager[Relay]]
    dress: Dress = PLAIN
    """What its callers speak in."""


@contextmanager
def directly(place: Place) -> Iterator[Relay]:
    """No relay at all."""
    yield Relay(place.agent, None)


@contextmanager
def through_bridge(place: Place) -> Iterator[Relay]:
    """`voice-bridge serve` as people run it: journal, metrics, logs. Only the limits are lifted."""
    foreign = {variable(name) for name in Settings.model_fields}
    environment = {
        **{name: value for name, value in os.environ.items() if name not in foreign},
        "PORT": "0",
        "DEEPGRAM_AGENT_URL": f"ws://{place.agent}{PATH}",
        "BRIDGE_DATA_DIR": str(place.folder / "data"),
        "BRIDGE_SESSION_RATES": "none",
        "BRIDGE_SESSIONS_PER_USER": "100000",
    }
    ready = re.compile(r'"page":"http://([^/"]+)')
    command = [sys.executable, "-m", "bridge", "serve"]
    with started(
        command, _search(ready), core=place.core, log=place.folder / "log", environment=environment
    ) as (pid, address):
        yield Relay(address, pid, is_bridge=True)


def through(
    module: str, packages: tuple[str, ...] | None = None
) -> Callable[[Place], AbstractContextManager[Relay]]:
    """A relay of our own, in a process of its own; in an environment of its own if it needs `packages`."""

    @contextmanager
    def start(place: Place) -> Iterator[Relay]:
        python = sys.executable if packages is None else python_with(packages)
        command = [python, "-m", module, f"ws://{place.agent}{PATH}"]
        with started(command, listening, core=place.core, log=place.folder / "log") as (pid, address):
            yield Relay(address, pid)

    return start


@contextmanager
def through_nginx(place: Place) -> Iterator[Relay]:
    """`proxy_pass`: it looks at nothing."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    conf = place.folder / "nginx.conf"
    conf.write_text(NGINX_CONF.format(folder=place.folder, port=port, agent=place.agent))
    command = [nginx() or "nginx", "-p", str(place.folder), "-e", "stderr", "-c", str(conf)]
    with started(command, lambda _: _answering(port), core=place.core, log=place.folder / "log") as (pid, at):
        yield Relay(at, pid)


def nginx() -> str | None:
    """The program, if it is installed."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:{SBIN}")


def listening(printed: str) -> str | None:
    """The address in what our own little servers print."""
    return _search(re.compile(r"listening on (\S+)\n"))(printed)


def _search(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    def search(printed: str) -> str | None:
        found = pattern.search(printed)
        return found[1] if found else None

    return search


def _answering(port: int) -> str | None:
    with socket.socket() as probe:
        return f"127.0.0.1:{port}" if probe.connect_ex(("127.0.0.1", port)) == 0 else None


DIRECT = Way("direct", "directly", directly)
DIRECT_JSON = Way("direct-json", "directly, base64 in JSON", directly, JSON)
BRIDGE = Way("bridge", "Voice Bridge", through_bridge)
FLOOR = Way("picows", "picows, one callback", through("tests.bench.floor"))
STARLETTE = Way("starlette", "Starlette, two tasks", through("tests.bench.relay"))
MIDDLE_TIER = Way("voicerag", "VoiceRAG's pattern", through("tests.bench.middle_tier", VOICERAG), JSON)
PIPELINE = Way("pipecat", "pipecat, passing through", through("tests.bench.pipeline", PIPECAT))
NGINX = Way("nginx", "nginx proxy_pass", through_nginx)


def direct(way: Way) -> Way:
    """The direct way in the same dress: what a relay adds is above that."""
    return DIRECT if way.dress is PLAIN else DIRECT_JSON


def with_direct(ways: Sequence[Way]) -> tuple[Way, ...]:
    """Those and, in front, the direct ones they are compared with."""
    return (*dict.fromkeys(direct(way) for way in ways), *ways)


def more_ways() -> tuple[Way, ...]:
    """Those that need packages the project does not have; only when asked for."""
    return MIDDLE_TIER, PIPELINE


def ways() -> tuple[Way, ...]:
    """Those this machine has, beside the direct one."""
    ours = (BRIDGE, FLOOR, STARLETTE)
    return (*ours, NGINX) if nginx() else ours
