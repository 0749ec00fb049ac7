"""The first evening of docs/operations.md, run command by command in one shell."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
from pathlib import Path

import pytest

from bridge.upstreams.cascade.local import missing

ROOT = Path(__file__).parents[2]
HEADING = "## A first evening, command by command"
COMMAND_SECONDS = 90


def steps() -> list[tuple[str, str]]:
    """Each command, and what it is to answer."""
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    section = text.partition(HEADING)[2].partition("\n## ")[0]
    blocks = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [(command, answer) for command, _, answer in (part.partition("\n") for part in parts)]


def pattern(answer: str) -> re.Pattern[str]:
    """`…` stands for anything on its line, at the end of the answer for all the rest."""
    spelt = re.escape(answer.rstrip("\n"))
    return re.compile(
        spelt.removesuffix("…").replace("…", ".*") + (r"(?s:.*)" if spelt.endswith("…") else r"\s*")
    )


class Shell:
    """A bash that takes one command after the other."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self, command: str) -> str:
        """What it says. Raises AssertionError when it fails or takes too long."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{command}\nprintf '\\0%s\\0' $?\n".encode())
        async with asyncio.timeout(COMMAND_SECONDS):
            said = await self._process.stdout.readuntil(b"\0")
            status = await self._process.stdout.readuntil(b"\0")
        assert status == b"0\0", f"{command}: ended with {status!r}, said {said!r}"
        return said.removesuffix(b"\0").decode()


@pytest.mark.skipif(bool(missing()), reason="the local agent is not installed")
async def test_the_first_evening_goes_as_it_is_written(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    inherited = {
        key: value for key, value in os.environ.items() if not key.startswith(("BRIDGE_", "DEEPGRAM_"))
    }
    path = f"{Path(sys.executable).parent}:{inherited['PATH']}"
    bash = await asyncio.create_subprocess_exec(
        *("bash", "--noprofile", "--norc"),
        cwd=ROOT,
        env={**inherited, "PATH": path, "TMPDIR": str(tmp_path)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        shell, done = Shell(bash), steps()
        for command, expected in done:
            said = await shell.run(command.replace("PORT=8765", f"PORT={port}"))
            assert pattern(expected).fullmatch(said), f"{command}\nsaid {said!r}\nnot {expected!r}"
    finally:
        if bash.returncode is None:
            assert bash.stdin
            bash.stdin.write(b"kill -KILL $SERVER 2>/dev/null; exit\n")
            await bash.wait()
    assert len(done) >= 15
    assert not list(tmp_path.iterdir())
