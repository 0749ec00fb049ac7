"""Leaving in the middle of a reply: the record keeps how much of it was heard, as the page showed it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from tests.support.deepgram import DeepgramSession
from tests.web.browser import needs_chromium
from tests.web.stage import Stage, staged

pytestmark = needs_chromium


async def speaking(stage: Stage) -> DeepgramSession:
    """A reply of 6 s, heard for a good second."""
    agent = await stage.tap()
    await agent.agent_text("One two three four five six seven eight nine ten.")
    await stage.screen.shows("[data-role=assistant]", "nine ten.")
    await agent.audio_out(6000)
    await agent.audio_done()
    await stage.screen.phase("speaking")
    await stage.screen.page.wait_for_timeout(1300)
    return agent


async def stored(stage: Stage) -> str:
    """What was heard of the reply, as soon as the record has it."""
    address = f"conversations/{await stage.conversation()}/messages"
    async with asyncio.timeout(3):
        while not (message := (await stage.items(address))[0])["interrupted"]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return str(message["heard"])


@pytest.mark.parametrize("way", ["end", "new conversation", "reload", "close"])
async def test_a_reply_that_is_left_is_marked_with_what_was_heard(tmp_path: Path, way: str) -> None:
    async with staged(tmp_path) as stage:
        await speaking(stage)
        page = stage.screen.page
        match way:
            case "end":
                await page.click("#end")
                await stage.screen.shows("[data-interrupted] footer", "interrupted")
            case "new conversation":
                await page.click("#renew")
            case "reload":
                await page.reload()
            case _:
                await page.close()
        assert re.fullmatch(r"One( two( three( four)?)?)?", await stored(stage))


async def test_hanging_up_right_after_talking_into_a_reply_loses_no_mark(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        agent = await speaking(stage)
        await agent.user_starts()
        await stage.screen.shows("[data-interrupted] footer", "interrupted", seconds=2)
        await stage.screen.page.click("#end")
        assert re.fullmatch(r"One( two( three( four)?)?)?", await stored(stage))
