"""The command `voice-bridge`: settings → app → uvicorn."""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

import structlog
import uvicorn

from bridge import logs
from bridge.app import App, open_app
from bridge.auth.fixed import check_exposure, takes_anybody
from bridge.collector import Collector
from bridge.commands.check import check
from bridge.commands.conversations import add_conversations
from bridge.commands.language_model import add_language_model
from bridge.commands.users import add_users
from bridge.errors import BadConfig, JournalFailed
from bridge.observers.siblings import Worker
from bridge.serving import Http, WebSocket, listen, websocket_protocol
from bridge.settings import Settings, load
from bridge.workers import HOPELESS, Workers

log = structlog.get_logger(__name__)

ANSWER_SECONDS = 2.0
"""How long who stops waits for its answers to handshakes; who retires also for requests still to come."""
LOOK_SECONDS = 0.02
MAX_FRAME = 1024 * 1024
"""Bytes of a client's frame that are read at all; the transport takes less, and says so."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns the process's exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except BadConfig as error:
        print(f"voice-bridge: {error.description}", file=sys.stderr)
        return HOPELESS
    except JournalFailed as error:
        print(f"voice-bridge: BRIDGE_DATA_DIR: {error.description}", file=sys.stderr)
        return HOPELESS
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="voice-bridge", description="A server between people who talk and voice agents."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    serve = commands.add_parser("serve", help="start the server")
    serve.set_defaults(run=_serve)
    add_language_model(commands)
    check_all = commands.add_parser("check", help="look at all the server needs, and say what to do")
    check_all.add_argument("--json", action="store_true", help="as JSON")
    check_all.set_defaults(run=lambda options: check(as_json=options.json))
    add_conversations(commands)
    add_users(commands)
    return parser


def _serve(_: argparse.Namespace) -> int:
    settings = load()
    check_exposure(settings)
    with logs.written(settings.log_level), listen(settings) as listening:
        if takes_anybody(settings):
            log.warning(
                "anybody_may_come", help="BRIDGE_AUTH=none: what stands in front decides who may come"
            )
        if settings.workers > 1:
            log.info("workers_starting", workers=settings.workers)
            with TemporaryDirectory(prefix="voice-bridge-", ignore_cleanup_errors=True) as folder:
                return Workers(settings.workers, listening, partial(work, Path(folder))).run()
        _serve_here(settings, listening, lambda: None)
    return 0


def work(folder: Path, listening: socket.socket, number: int, link: Connection) -> None:
    """One of several processes; see workers.Work. In `folder` they find each other."""
    os.setsid()  # Ctrl-C is for the process above, which tells us
    settings = load()
    structlog.contextvars.bind_contextvars(worker=number)
    try:
        with logs.written(settings.log_level):
            _serve_here(settings, listening, partial(link.send, "ready"), link, Worker(number, folder))
    except (BadConfig, JournalFailed) as error:
        print(f"voice-bridge: {error.description}", file=sys.stderr)
        sys.exit(HOPELESS)
    finally:
        above = multiprocessing.parent_process()
        if above and not above.is_alive():
            with suppress(OSError):  # the last one out succeeds
                folder.rmdir()


def _serve_here(
    settings: Settings,
    listening: socket.socket,
    ready: Callable[[], None],
    link: Connection | None = None,
    worker: Worker | None = None,
) -> None:
    with asyncio.Runner(loop_factory=Server.loop_factory()) as runner:
        runner.run(_run(settings, listening, ready, link, worker))


async def _run(
    settings: Settings,
    listening: socket.socket,
    ready: Callable[[], None],
    link: Connection | None,
    worker: Worker | None,
) -> None:
    early: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn takes these over and raises them again at its end; the journal is flushed after that.
        signal.signal(number, lambda number, _: early.append(number))
    async with (
        open_app(settings, warm=True, worker=worker) as app,
        Collector(lambda: len(app.sessions), lambda: app.sessions.ended),
    ):
        server = Server(app, settings, ready, early)
        with _linked(link, server):
            await server.serve(sockets=[listening])
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
    log.info("server_stopped")


@contextmanager
def _linked(link: Connection | None, server: Server) -> Iterator[None]:
    """Do what the process above says; stop when it is gone."""
    if link is None:
        yield
        return
    loop = asyncio.get_running_loop()

    def heard() -> None:
        try:
            link.recv()
        except (EOFError, OSError):
            loop.remove_reader(link)
            server.handle_exit(signal.SIGTERM, None)
        else:
            server.retire()

    loop.add_reader(link, heard)
    try:
        yield
    finally:
        loop.remove_reader(link)


class Server(uvicorn.Server):
    """uvicorn, which says when it is ready, and lets sessions end before it cuts their sockets."""

    def __init__(
        self, app: App, settings: Settings, ready: Callable[[], None], early: Sequence[int] = ()
    ) -> None:
        """`ready` is called when it serves; `early`: signals that came before it does."""
        super().__init__(
            uvicorn.Config(
                app.asgi,
                lifespan="off",
                log_config=None,
                access_log=False,
                http=Http,
                ws=websocket_protocol(settings),
                ws_per_message_deflate=False,
                ws_max_size=MAX_FRAME,
                ws_ping_interval=5,
                ws_ping_timeout=5,
                timeout_graceful_shutdown=5,
                proxy_headers=False,
                server_header=False,
            )
        )
        self._app = app
        self._settings = settings
        self._ready = ready
        self._early = early
        self._loop = asyncio.get_running_loop()
        self._retired = False
        self._pressed = asyncio.Event()
        """A second signal came."""

    @staticmethod
    def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
        """uvloop's where it is installed."""
        return uvicorn.Config("", log_config=None).get_loop_factory()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen; one line tells the address."""
        await super().startup(sockets)
        if self._early:
            self.should_exit = True
            return
        self._ready()
        for listening in sockets or []:
            host, port = listening.getsockname()[:2]
            page = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
            answering = {"agent": self._settings.agent, "upstream": self._settings.chosen_upstream}
            log.info("server_ready", page=page, **answering)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the sessions while there is still somebody to tell, then stop."""
        if self._retired:
            await self._answer(Http, WebSocket)
        async with asyncio.TaskGroup() as group:
            hurrying = group.create_task(self._hurry(), name="hurry")
            await self._app.sessions.drain(self._settings.drain_seconds)
            hurrying.cancel()
        await self._answer(WebSocket)
        self._app.feed.close()
        await super().shutdown(sockets)

    def retire(self) -> None:
        """Stop, with other processes on the same socket."""
        self._retired = self.should_exit = True

    async def _answer(self, *kinds: type[Http | WebSocket]) -> None:
        """Take no connection any more; those of that kind that were taken are answered first."""
        for server in self.servers:
            server.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                while self._anybody_waits(kinds) and not self._pressed.is_set():  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_SECONDS)

    def _anybody_waits(self, kinds: tuple[type[Http | WebSocket], ...]) -> bool:
        """For an answer of ours. Connections between two requests are closed."""
        connections = [each for each in self.server_state.connections if isinstance(each, kinds)]
        for connection in connections:
            if isinstance(connection, Http):
                connection.end_if_idle()
        return any(connection.unanswered for connection in connections)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal came: the first one lets the turns under way come to their end, the second does not."""
        if self.should_exit:
            self._loop.call_soon_threadsafe(self._pressed.set)
        self.should_exit = True

    async def _hurry(self) -> None:
        await self._pressed.wait()
        await self._app.sessions.drain(0.0)
