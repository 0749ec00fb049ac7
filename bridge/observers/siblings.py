"""The processes of one server ask each other, by sockets in a folder that is theirs alone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bridge.errors import BadConfig

ANSWER_SECONDS = 1.0
"""How long siblings may take to answer; all are asked at once."""
WHOLE = b"# EOF\n"
"""The end of every answer: without it, the sibling died on the way."""

Answer = Callable[[str], bytes]
"""What it answers, by what stands after the name in the request. Must be quick."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One process of several."""

    number: int
    """As on its log lines."""
    folder: Path
    """Where each of them listens for its siblings; nobody else may go there."""


class Siblings:
    """Entered, it answers them, each request a line: `<name>[ <what>]`.

    Whatever is to be answered must be in `answers` by then.
    """

    def __init__(self, worker: Worker | None = None) -> None:
        """`worker`: which one this is of several; without it there are no siblings."""
        self.worker = worker
        self.answers: dict[str, Answer] = {}
        """By the name of the request."""

    async def __aenter__(self) -> Self:
        if self.worker:
            self._path = self.worker.folder / f"{self.worker.number}-{os.getpid()}.sock"
            await self._listen(self._path)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.worker:
            _remove(self._path)
            self._server.close()

    async def ask(self, name: str, what: str = "") -> list[bytes | None]:
        """What each of them answers, this one left out; None: nothing within 1 s, although it lives.

        One that was too late may still do what it was asked.
        """
        if not self.worker:
            return []
        paths = [path for path in self.worker.folder.glob("*.sock") if path != self._path]
        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(_ask(path, f"{name} {what}\n"), name="ask-sibling") for path in paths]
        return [told for task in asking if (told := task.result()) != b""]

    async def _listen(self, path: Path) -> None:
        """It has its name only once it is answered: whoever asked before would take it for a dead one's."""
        new = path.with_suffix(".new")
        try:
            self._server = await asyncio.start_unix_server(self._tell, new)
            new.rename(path)
        except OSError as error:
            raise BadConfig(f"workers cannot listen in {path.parent}: {error.strerror or error}") from error

    async def _tell(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError):
                async with asyncio.timeout(ANSWER_SECONDS):
                    name, _, what = (await reader.readline()).decode().rstrip("\n").partition(" ")
                    if answer := self.answers.get(name):
                        writer.write(answer(what) + WHOLE)
                        await writer.drain()
        finally:
            writer.close()


async def _ask(path: Path, request: str) -> bytes | None:
    """A sibling's answer; empty: it is dead, and what it left is removed."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                writer.write(request.encode())
                told = await reader.read()
            finally:
                writer.close()
    except (ConnectionRefusedError, FileNotFoundError):
        _remove(path)
        return b""
    except OSError:
        return None
    return told.removesuffix(WHOLE) if told.endswith(WHOLE) else None


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
