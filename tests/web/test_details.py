"""The drawer with the figures of a talk: live, with names to copy."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.async_api import expect

from tests.web.browser import needs_chromium
from tests.web.scenes import LATENCY
from tests.web.stage import staged

pytestmark = needs_chromium

PASTED = "navigator.clipboard.readText()"


async def test_the_details_follow_the_talk_and_can_be_copied(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        page = stage.screen.page
        await page.context.grant_permissions(["microphone", "clipboard-read", "clipboard-write"])
        await page.locator("body").press("d")
        await stage.screen.shows("#ids", "none yet")
        await expect(page.locator("#ids button").first).to_be_disabled()
        await page.keyboard.press("Escape")

        agent = await stage.tap()
        await page.click("#open-details")
        await agent.hear("hello")
        await agent.send({"type": "AgentStartedSpeaking", **LATENCY})
        await expect(page.locator("#stages li").nth(0)).to_contain_text("210 ms of 500 ms")
        await expect(page.locator("#stages li").nth(0)).to_contain_text("within budget")
        await expect(page.locator("#stages li").nth(1)).to_contain_text("over budget")
        await expect(page.locator("#figures div").first).to_contain_text(
            re.compile(r"\d+ ms"), timeout=15_000
        )

        await page.locator("#ids button").nth(1).click()
        await stage.screen.shows("#copied", "Conversation is copied.")
        assert await page.evaluate(PASTED) == await stage.conversation()
        await page.click("#copy-all")
        await stage.screen.shows("#copied", "All figures are copied.")
        pasted = await page.evaluate(PASTED)
        assert await stage.conversation() in pasted
        assert "Thinking: 2.6 s of 2.0 s, over budget" in pasted
        assert "hello" not in pasted
        stage.screen.expect_quiet()
