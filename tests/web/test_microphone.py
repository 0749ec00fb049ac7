"""The microphone and what is shown of it: meters, the button to hold, a dead one; the screen stays on."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path

from playwright.async_api import Page, expect

from tests.web.browser import needs_chromium
from tests.web.stage import loudest, staged

pytestmark = needs_chromium

AWAKE = """
    globalThis.locks = [];
    const request = WakeLock.prototype.request;
    WakeLock.prototype.request = async function (kind) {
        const lock = await request.call(this, kind);
        globalThis.locks.push(lock);
        return lock;
    };
"""
"""Notes what keeps the screen on."""


async def pictures(page: Page, meter: str) -> int:
    """How many different pictures a meter shows within a good second."""
    draw = f"document.querySelector('#meter-{meter}').toDataURL()"
    seen = set()
    for _ in range(12):
        seen.add(await page.evaluate(draw))
        await page.wait_for_timeout(100)
    return len(seen)


async def test_each_meter_follows_its_voice_and_rests_without_it(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        agent, page = await stage.tap(), stage.screen.page
        assert await pictures(page, "you") > 3
        assert await pictures(page, "agent") == 1
        await page.click("#talk")
        await expect(page.locator("#talk")).to_have_attribute("aria-label", "Unmute the microphone")
        async with asyncio.timeout(10):  # what was heard before leaves the meter
            while await pictures(page, "you") > 1:
                pass
        await agent.say("Hello to you.", ms=3000)
        await stage.screen.phase("speaking")
        assert await pictures(page, "agent") > 3


async def test_the_button_held_lets_sound_through_as_the_space_bar_does(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        page = stage.screen.page
        await stage.hold_to_talk()
        agent = await stage.tap()
        await stage.screen.shows("#hint", "Hold the button")
        talk = await page.locator("#talk").bounding_box()
        assert talk
        await page.mouse.move(talk["x"] + 20, talk["y"] + 20)
        await page.mouse.down()
        before = len(agent.audio)
        assert loudest((await agent.expect_audio(before + 64_000))[before:]) > 1000
        await page.mouse.move(5, 5)  # slipped off: still held
        await expect(page.locator("#talk")).to_have_attribute("data-microphone", "on")
        await page.mouse.up()
        await expect(page.locator("#talk")).to_have_attribute("data-microphone", "shut")


async def test_a_microphone_that_gives_nothing_but_zeros_is_told(tmp_path: Path) -> None:
    dead = tmp_path / "dead.wav"
    with wave.open(str(dead), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(16000 * 2 * 12))
    async with staged(tmp_path / "data", dead) as stage:
        await stage.tap()
        await stage.screen.shows("#banner", "The microphone gives no sound at all.")
        await stage.screen.phase("listening")


async def test_the_screen_stays_on_as_long_as_the_talk(tmp_path: Path) -> None:
    async with staged(tmp_path, script=AWAKE) as stage:
        page = stage.screen.page
        assert await page.evaluate("locks.length") == 0
        await stage.tap()
        await page.wait_for_function("locks.length === 1 && !locks[0].released")
        await page.click("#end")
        await page.wait_for_function("locks[0].released")
