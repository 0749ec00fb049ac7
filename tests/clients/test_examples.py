"""The examples do what they say."""

from __future__ import annotations

import asyncio
import shutil
import sys
import wave
from pathlib import Path

import pytest

from tests.support.bridge import running
from tests.support.client import items

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.skipif(shutil.which("flite") is None, reason="no flite; sudo apt-get install flite")
async def test_a_wav_file_is_said_answered_and_acted_on(tmp_path: Path) -> None:
    question = tmp_path / "question.wav"
    flite = await asyncio.create_subprocess_exec(
        *("flite", "-voice", "slt", "-t", "I want to learn Spanish in three months", "-o", str(question))
    )
    assert await flite.wait() == 0
    async with running(tmp_path / "data") as server:
        said = await asyncio.create_subprocess_exec(
            *(sys.executable, str(EXAMPLES / "talk.py"), str(question), server.http),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            printed, _ = await said.communicate()
        assert said.returncode == 0
        made = [goal["statement"] for goal in await items(server.http, "/api/v1/goals")]
    lines = printed.decode().splitlines()
    assert lines[0] == "user: I want to learn Spanish in three months"
    assert "[submit_goal_intent: done]" in lines
    assert "learn Spanish" in lines[-1]
    assert made == ["learn Spanish"]
    with wave.open(str(tmp_path / "answer.wav")) as answer:
        assert answer.getnframes() > answer.getframerate()
