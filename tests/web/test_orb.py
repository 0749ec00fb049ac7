"""The orb and the captions in a real Chromium: both follow the voice."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import Page, expect

from tests.web.browser import Look, needs_chromium
from tests.web.stage import Stage, staged

pytestmark = needs_chromium

PICTURE = """document.querySelector("#orb").toDataURL()"""
COLOUR = """getComputedStyle(document.querySelector("#orb")).color"""
TO_COME = """[...CSS.highlights.get("to-come")].map(
    ({ startContainer, startOffset }) => startContainer.textContent.slice(startOffset))"""
"""What is dimmed because it is still to be said."""
TOPS = (
    """[...document.querySelectorAll(".bubble > span")].map((span) => span.getBoundingClientRect().height)"""
)


async def pictures(page: Page, count: int = 6) -> set[str]:
    """Different pictures of the orb within a good half second."""
    seen = set()
    for _ in range(count):
        seen.add(str(await page.evaluate(PICTURE)))
        await page.wait_for_timeout(100)
    return seen


async def speaking(stage: Stage, ms: int = 4000) -> None:
    """The agent talks for a while."""
    agent = await stage.tap()
    await agent.agent_text("One two three four five six seven eight.")
    await stage.screen.shows("[data-role=assistant]", "eight.")
    await agent.audio_out(ms)
    await agent.audio_done()
    await stage.screen.phase("speaking")


async def test_the_orb_is_moved_by_the_voice_and_comes_to_rest(tmp_path: Path) -> None:
    async with staged(tmp_path, "denied") as stage:
        page = stage.screen.page
        assert len(await pictures(page)) == 1
        resting = await page.evaluate(COLOUR)
        await stage.screen.write("hello")
        agent = await stage.deepgram.session(within=15)
        await agent.say("Hello to you.", ms=2500)
        await stage.screen.phase("speaking")
        assert len(await pictures(page)) > 3
        assert await page.evaluate(COLOUR) != resting
        await stage.screen.phase("listening")
        async with asyncio.timeout(10):
            while len(await pictures(page, 3)) > 1:
                pass


async def test_with_reduced_motion_only_colour_and_word_change(tmp_path: Path) -> None:
    async with staged(tmp_path, look=Look(calm=True)) as stage:
        page = stage.screen.page
        resting = await pictures(page, 1)
        await speaking(stage)
        await page.wait_for_timeout(400)
        moved = await pictures(page)
        assert len(moved) == 1
        assert moved != resting
        await expect(page.locator("#state")).to_have_text("Speaking")
        assert await page.evaluate("document.getAnimations().length") == 0


async def test_captions_are_revealed_in_step_with_the_sound_and_nothing_jumps(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        page = stage.screen.page
        await speaking(stage)
        heights = await page.evaluate(TOPS)
        left = [await page.evaluate(TO_COME)]
        while left[-1]:
            await page.wait_for_timeout(100)
            left.append(await page.evaluate(TO_COME))
        steps = {text for texts in left for text in texts}
        assert len(steps) > 3
        assert all("One two three four five six seven eight.".endswith(step) for step in steps)
        assert await page.evaluate(TOPS) == heights
        await stage.screen.phase("listening")
        assert await page.evaluate(TO_COME) == []


async def test_a_browser_without_highlights_shows_each_sentence_at_once(tmp_path: Path) -> None:
    async with staged(tmp_path, script="delete globalThis.Highlight; delete CSS.highlights;") as stage:
        await speaking(stage)
        assert not await stage.screen.page.evaluate("'Highlight' in globalThis")
        await stage.screen.shows("[data-role=assistant]", "One two three four five six seven eight.")
        await stage.screen.phase("listening")
        stage.screen.expect_quiet()


async def test_what_is_only_read_is_there_at_once(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        agent, screen = await stage.tap(), stage.screen
        await agent.agent_text("This has no sound at all, and is long enough to be looked at.")
        await screen.shows("[data-role=assistant]", "no sound at all")
        await expect(screen.page.locator("#log")).to_have_attribute("aria-live", "polite")
        await screen.page.wait_for_timeout(2500)
        assert await screen.page.evaluate(TO_COME) == []
        await agent.agent_text("And this is spoken right now, for quite a while.")
        await screen.shows("[data-role=assistant]", "right now")
        await agent.audio_out(8000)
        await screen.phase("speaking")
        assert len(await screen.page.evaluate(TO_COME)) == 1
        await screen.page.goto(f"{stage.server.http}/#c={await stage.conversation()}")
        await screen.page.reload()
        await screen.shows("[data-role=assistant]", "right now")
        assert await screen.page.evaluate(TO_COME) == []
        await expect(screen.page.locator("#log")).to_have_attribute("aria-live", "off")
        screen.expect_quiet()
