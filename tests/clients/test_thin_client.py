"""The thin client (web/client) by itself: the Node example, and the smallest page in a real Chromium."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.support.bridge import process, running
from tests.support.client import items
from tests.web.axe import needs_axe, violations
from tests.web.browser import Screen, chromium, needs_chromium

ROOT = Path(__file__).parents[2]
VOICE = ROOT / "tests" / "fixtures" / "voices" / "goal_mic.wav"
"""1.5 s of silence, "I want to learn Spanish in three months", 3 s of silence."""
MODULES = ROOT / ".venv" / "js" / "node_modules"
NODE = shutil.which("node")

needs_node = pytest.mark.skipif(
    NODE is None or not (MODULES / "ws").exists(), reason="no npm; sudo apt-get install nodejs npm"
)


def copied(folder: Path) -> Path:
    """The example as an app developer has it: the folder of the client copied, `ws` installed."""
    shutil.copytree(ROOT / "web" / "client", folder / "web" / "client")
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "node_modules").symlink_to(MODULES)
    return folder / "examples" / "talk.mjs"


@needs_node
async def test_in_node_a_spoken_wish_is_answered_and_acted_on_and_the_program_ends(tmp_path: Path) -> None:
    example = copied(tmp_path / "app")
    async with process(tmp_path / "data") as server:
        node = await asyncio.create_subprocess_exec(
            *(str(NODE), str(example), str(VOICE), server.http),
            env={**os.environ, "no_proxy": "127.0.0.1"},
            stdout=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(70):
            printed, _ = await node.communicate()
        assert node.returncode == 0
        [goal] = await items(server.http, "/api/v1/goals")
    lines = printed.decode().splitlines()
    patterns = [
        "assistant: .+",  # the greeting
        "user: .*spanish.*",
        r"\[submit_goal_intent: running\]",
        r"\[submit_goal_intent: done\] .*spanish.*",
        "assistant: .*spanish.*",
    ]
    assert [bool(re.fullmatch(p, line, re.I)) for p, line in zip(patterns, lines, strict=True)] == [True] * 5
    assert "spanish" in str(goal["statement"]).lower()


@needs_chromium
async def test_the_smallest_page_talks_types_and_mutes_without_a_complaint(tmp_path: Path) -> None:
    async with running(tmp_path) as server, chromium("beep") as context:
        page = await context.new_page()
        screen = Screen(page)
        page.on("console", lambda message: screen.complaints.append(message.text))
        page.on("pageerror", lambda error: screen.complaints.append(str(error)))
        await page.goto(f"{server.http}/example.html")
        await expect(page.get_by_role("status")).to_have_text("State: idle")
        await page.get_by_role("button", name="Start talking").click()
        await page.get_by_role("button", name="Mute", exact=True).click()
        await expect(page.get_by_role("button", name="Unmute")).to_be_visible()
        await expect(page.get_by_role("status")).to_have_text("State: listening")
        await page.get_by_label("Or type:").fill("I want to learn Spanish in three months")
        await page.keyboard.press("Enter")
        log = page.get_by_role("log")
        await expect(log).to_contain_text("You: I want to learn Spanish in three months")
        await expect(log).to_contain_text("submit_goal_intent: done.")
        await expect(log).to_contain_text(re.compile("Agent: .*Spanish"))
        await expect(page.get_by_role("status")).to_have_text("State: speaking")
        await page.get_by_role("button", name="End", exact=True).click()
        await expect(page.get_by_role("status")).to_have_text("State: ended")
        assert screen.complaints == []
        [goal] = await items(server.http, "/api/v1/goals")
        assert goal["statement"] == "learn Spanish"


@needs_chromium
@needs_axe
async def test_axe_finds_nothing_on_the_smallest_page(tmp_path: Path) -> None:
    async with running(tmp_path) as server, chromium("beep") as context:
        page = await context.new_page()
        await page.goto(f"{server.http}/example.html")
        await page.get_by_label("Or type:").fill("I want to learn Spanish in three months")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("log")).to_contain_text("submit_goal_intent: done.")
        assert await violations(page) == []


def test_the_examples_are_as_short_as_they_say() -> None:
    def lines(*names: str) -> int:
        return sum(len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in names)

    assert lines("web/example.html", "web/example.js") <= 40
    assert lines("examples/talk.mjs") <= 60
