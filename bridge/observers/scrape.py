"""What /metrics answers: the figures of this process and of its siblings, those of each with its labels."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from bridge.errors import BadConfig

ANSWER_SECONDS = 1.0
"""How long siblings may take to tell their figures; all are asked at once."""
WHOLE = b"# EOF\n"
"""The last line of what a sibling tells: without it, it died on the way."""
FAMILY = re.compile(rb"^(?=# HELP )", re.MULTILINE)
SAMPLE = re.compile(rb"^(\w+)([{ ])", re.MULTILINE)
"""Its name, and what comes after it."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One process of several."""

    number: int
    """As on its log lines."""
    folder: Path
    """Where each of them listens for who asks after its figures; nobody else may go there."""


class Scrape:
    """Entered, it tells its siblings its own figures."""

    def __init__(self, registry: CollectorRegistry, worker: Worker | None = None) -> None:
        """`worker`: which one this is of several; without it the figures have no labels of it."""
        self._registry = registry
        self._worker = worker
        self.missing = Gauge("bridge_figures_missing", "Processes that told no figures.", registry=None)
        """Not in the registry: it is about this one answer."""

    async def __aenter__(self) -> Self:
        if self._worker:
            self._path = self._worker.folder / f"{self._worker.number}-{os.getpid()}.sock"
            await self._listen(self._path)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._worker:
            _remove(self._path)
            self._server.close()

    async def text(self) -> bytes:
        """The figures of all, as Prometheus reads them."""
        told = await self._siblings() if self._worker else []
        self.missing.set(told.count(None))
        return joined([self._own(), *filter(None, told)]) + generate_latest(self.missing)

    async def _listen(self, path: Path) -> None:
        """It has its name only once it is answered: whoever asked before would take it for a dead one's."""
        new = path.with_suffix(".new")
        try:
            self._server = await asyncio.start_unix_server(self._tell, new)
            new.rename(path)
        except OSError as error:
            raise BadConfig(f"workers cannot listen in {path.parent}: {error.strerror or error}") from error

    async def _tell(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """To a sibling that asks, by connecting."""
        with suppress(OSError):
            async with asyncio.timeout(ANSWER_SECONDS):
                writer.write(self._own() + WHOLE)
                await writer.drain()
        writer.close()

    def _own(self) -> bytes:
        figures = generate_latest(self._registry)
        if self._worker is None:
            return figures
        return labelled(figures, b'pid="%d",worker="%d"' % (os.getpid(), self._worker.number))

    async def _siblings(self) -> list[bytes | None]:
        """What each of them tells; None: nothing, although it lives."""
        paths = [path for path in self._path.parent.glob("*.sock") if path != self._path]
        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(_ask(path), name="ask-sibling") for path in paths]
        return [task.result() for task in asking]


async def _ask(path: Path) -> bytes | None:
    """A sibling's figures; empty: it is dead, and what it left is removed."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
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


def joined(texts: Iterable[bytes]) -> bytes:
    """One text of several: the samples of a metric stand together, its description once."""
    families: dict[bytes, list[bytes]] = {}
    for text in texts:
        for family in FAMILY.split(text)[1:]:
            told, kind, samples = family.split(b"\n", 2)
            families.setdefault(told + b"\n" + kind + b"\n", []).append(samples)
    return b"".join(head + b"".join(samples) for head, samples in families.items())


def labelled(text: bytes, labels: bytes) -> bytes:
    """The text with these labels more, `name="value"` each, on every sample."""

    def add(found: re.Match[bytes]) -> bytes:
        name, after = found.groups()
        return name + b"{" + labels + (b"," if after == b"{" else b"} ")

    return SAMPLE.sub(add, text)
