"""The list of conversations follows the talk; the one just talked in can be opened and deleted."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import Route, expect

from tests.web.browser import needs_chromium
from tests.web.stage import Stage, staged

pytestmark = needs_chromium

LISTED = "#history-list a:has-text('water the plants')"


async def talked(stage: Stage) -> None:
    """A talk that is over."""
    await stage.small_talk()
    await stage.screen.page.click("#end")
    await stage.screen.phase("ended")


async def test_a_talk_is_listed_by_its_first_sentence_though_the_store_has_it_later(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        asked = 0

        async def late(route: Route) -> None:
            """The first two answers are those of before."""
            nonlocal asked
            asked += 1
            if asked > 2:
                await route.continue_()
            else:
                await route.fulfill(json={"items": [], "next": None})

        await stage.screen.page.route("**/api/v1/conversations?*", late)
        agent = await stage.tap()
        await agent.hear("water the plants")
        await stage.screen.shows("#history-list a[aria-current]", "water the plants", seconds=5)
        await asyncio.sleep(2.5)  # longer than the longest pause so far
        assert asked == 3


async def test_after_the_end_its_conversation_can_be_opened_gone_on_with_and_deleted(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await talked(stage)
        screen = stage.screen
        await screen.page.click(LISTED)
        await screen.shows("#past", "Continue this conversation")
        await screen.page.click("#back")
        await expect(screen.page.locator("#dock")).to_be_visible()
        await screen.page.click(LISTED)
        await screen.page.click("#resume")
        await screen.write("on Monday")
        agent = await stage.deepgram.session(within=15)
        await agent.user_text("on Monday")
        await screen.shows("[data-role=user]", "on Monday")
        await screen.page.click("#end")
        await screen.page.click(LISTED)
        await screen.page.click("#remove")
        await expect(screen.page.locator(LISTED)).to_have_count(0)
        await screen.shows("#hint", "Tap and talk, or type below")
        await expect(screen.page.locator("#hero")).to_be_visible()
        await screen.write("buy milk")
        agent = await stage.deepgram.session(within=15)
        await agent.user_text("buy milk")
        await screen.shows("[data-role=user]", "buy milk")
        screen.expect_quiet()


async def test_the_conversation_that_is_talked_in_is_not_a_past_one(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        agent, page = await stage.tap(), stage.screen.page
        await agent.hear("water the plants")
        for _ in range(2):
            await page.click(LISTED)
            await expect(page.locator("#dock")).to_be_visible()
            await expect(page.locator("#past")).to_be_hidden()
        await page.click("#end")
        await page.click(LISTED)
        await stage.screen.shows("#past", "Continue this conversation")
        stage.screen.expect_quiet()
