"""Processes of one server ask each other; who does not answer is known, who is dead is not asked."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bridge.errors import BadConfig
from bridge.observers import siblings
from bridge.observers.siblings import Siblings, Worker
from tests.support.serving import silent


@pytest.fixture
def folder() -> Iterator[Path]:
    """Its name is short: that of a socket may not be long."""
    with TemporaryDirectory() as name:
        yield Path(name)


def echo(number: int, what: str) -> bytes:
    return f"{number}: {what}".encode()


@asynccontextmanager
async def workers(folder: Path, count: int) -> AsyncIterator[list[Siblings]]:
    """So many; each answers `echo` with its number."""
    async with AsyncExitStack() as stack:
        all_of_them = [Siblings(Worker(number, folder)) for number in range(1, count + 1)]
        for number, one in enumerate(all_of_them, 1):
            one.answers["echo"] = partial(echo, number)
            await stack.enter_async_context(one)
        yield all_of_them


async def test_all_others_answer_what_they_are_asked(folder: Path) -> None:
    async with workers(folder, 3) as [first, second, _]:
        assert sorted(filter(None, await first.ask("echo", "a b"))) == [b"2: a b", b"3: a b"]
        assert sorted(filter(None, await second.ask("echo"))) == [b"1: ", b"3: "]


async def test_a_large_answer_comes_whole(folder: Path) -> None:
    large = bytes(range(256)) * 10_000
    async with workers(folder, 2) as [asked, other]:
        other.answers["large"] = lambda _: large
        assert await asked.ask("large") == [large]


async def test_what_it_does_not_know_it_does_not_answer(folder: Path) -> None:
    async with workers(folder, 2) as [asked, _]:
        assert await asked.ask("other") == [None]


async def test_one_alone_asks_nobody() -> None:
    async with Siblings() as alone:
        assert await alone.ask("echo") == []


async def test_one_that_has_ended_is_asked_no_more(folder: Path) -> None:
    async with workers(folder, 1) as [asked]:
        async with Siblings(Worker(2, folder)):
            assert len([*folder.iterdir()]) == 2
        assert len([*folder.iterdir()]) == 1
        assert await asked.ask("echo") == []
    assert not [*folder.iterdir()]


async def test_what_a_killed_one_left_behind_is_removed(folder: Path) -> None:
    left = folder / "2-99.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left))
    async with workers(folder, 1) as [asked]:
        assert await asked.ask("echo") == []
    assert not left.exists()


async def cut_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Killed while it answers."""
    await reader.readline()
    writer.write(b"2: ")
    writer.close()


@pytest.mark.parametrize("sibling", [silent, cut_off])
async def test_one_that_does_not_answer_is_missing_and_holds_up_nobody(
    folder: Path, sibling: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(siblings, "ANSWER_SECONDS", 0.1)
    server = await asyncio.start_unix_server(sibling, folder / "2-99.sock")  # type: ignore[arg-type]
    async with workers(folder, 1) as [asked]:
        assert await asked.ask("echo") == [None]
    server.close()


async def test_one_that_cannot_be_asked_does_not_start(folder: Path) -> None:
    with pytest.raises(BadConfig, match="cannot listen"):
        await Siblings(Worker(1, folder / "away")).__aenter__()
