"""The page as people really treat it: hasty taps, odd texts, small screens, several things at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.web.browser import Look, needs_chromium, open_page
from tests.web.stage import Stage, staged

pytestmark = needs_chromium

NARROW = Look(width=320, height=568)
"""The smallest phone; also 1280 px at a zoom of 400 %."""
BARE = """
    for (const name of ["localStorage", "sessionStorage", "caches"]) {
        Object.defineProperty(globalThis, name, { get() { throw new DOMException("no", "SecurityError"); } });
    }
"""
"""A browser that keeps nothing."""
WIDE = """() => [...document.querySelectorAll(".stage *")]
    .filter((element) => element.checkVisibility() && !element.closest("svg, .hidden"))
    .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map((element) => element.outerHTML.slice(0, 80))
"""
"""What does not fit into the width."""
LAST_LETTER = """(text) => {
    const bubble = [...document.querySelectorAll(".bubble")].find((one) => one.textContent.includes(text));
    const words = document.createTreeWalker(bubble, NodeFilter.SHOW_TEXT).nextNode();
    const range = document.createRange();
    const place = (at) => {
        range.setStart(words, at);
        range.setEnd(words, at + 1);
        return range.getBoundingClientRect().left;
    };
    return place(text.length - 1) < place(0) ? "left" : "right";
}"""
"""On which side of the first letter the last one stands."""
LONGEST_FRAME = """new Promise((resolve) => {
    let [before, longest, count] = [performance.now(), 0, 0];
    requestAnimationFrame(function look(now) {
        longest = Math.max(longest, now - before);
        before = now;
        if ((count += 1) < 60) requestAnimationFrame(look);
        else resolve(longest);
    });
})"""
"""Milliseconds between two frames within a second of speech, at most."""


async def typed(stage: Stage, text: str) -> None:
    """A conversation of one sentence, and then a new one."""
    await stage.screen.write(text)
    agent = await stage.deepgram.session(within=15)
    await agent.user_text(text)
    await agent.agent_text("All right.")
    await stage.screen.shows("[data-role=assistant]", "All right.")
    await stage.screen.page.click("#renew")
    await stage.screen.phase("idle")


@pytest.mark.parametrize("taps", [2, 3])
async def test_hasty_taps_begin_one_talk(tmp_path: Path, taps: int) -> None:
    async with staged(tmp_path) as stage:
        page = stage.screen.page
        await page.click("#talk", click_count=taps, delay=5)
        await stage.deepgram.session(within=15)
        await stage.screen.phase("listening")
        await asyncio.sleep(1)  # a second session would be there by now
        assert stage.deepgram.attempts == 1
        await expect(page.locator("#talk")).to_have_attribute("aria-label", "Mute the microphone")
        stage.screen.expect_quiet()


async def test_the_second_click_of_a_double_click_that_begins_a_talk_mutes_nobody(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        page, talk = stage.screen.page, stage.screen.page.locator("#talk")
        await stage.tap()
        await talk.dispatch_event("click", {"detail": 2})
        await expect(talk).to_have_attribute("aria-label", "Mute the microphone")
        await page.click("#talk")
        await expect(talk).to_have_attribute("aria-label", "Unmute the microphone")
        await page.click("#talk", click_count=2)  # this one began nothing: each click counts
        await expect(talk).to_have_attribute("aria-label", "Unmute the microphone")
        stage.screen.expect_quiet()


async def test_hanging_up_while_it_connects_leaves_nothing_open(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        page = stage.screen.page
        for pause_ms in (0, 20, 60, 150):
            await page.click("#talk")
            await page.wait_for_timeout(pause_ms)
            await page.click("#end", timeout=1000)
            await stage.screen.phase("ended")
        await asyncio.sleep(1.5)  # whatever was on its way has come
        await stage.screen.phase("ended", seconds=1)
        await expect(page.locator("#talk")).to_have_attribute("data-microphone", "off")
        await stage.tap()
        # A browser says so when a socket is closed that is not open yet.
        stage.screen.expect_quiet(but=("closed before the connection is established",))


async def test_texts_of_any_kind_fit_the_smallest_screen(tmp_path: Path) -> None:
    async with staged(tmp_path, look=NARROW) as stage:
        agent, page = await stage.tap(), stage.screen.page
        family = "👩‍👩‍👧‍👦" * 30
        for text in ("long" * 300, "word " * 600, f"https://example.com/{'path/' * 100}", family):
            await agent.hear(text)
            await agent.agent_text(text)
        await stage.screen.shows("[data-role=assistant]", family)
        await page.fill("#message", "line\n" * 40)
        assert await page.evaluate(WIDE) == []
        for selector in ("#talk", "#end", "#composer button"):
            await expect(page.locator(selector)).to_be_in_viewport(ratio=1)
        stage.screen.expect_quiet()


async def test_what_is_written_from_right_to_left_is_shown_so(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        agent, page = await stage.tap(), stage.screen.page
        for text, side in (("שלום, מה שלומך היום?", "left"), ("What is שלום?", "right")):
            await agent.hear(text)
            await stage.screen.shows("[data-role=user]", text)
            assert await page.evaluate(LAST_LETTER, text) == side


async def test_five_hundred_entries_are_drawn_without_a_hitch(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        agent, page = await stage.tap(), stage.screen.page
        for number in range(250):
            await agent.user_text(f"wish {number}")
            await agent.agent_text(f"answer {number}")
        await stage.screen.shows("[data-role=assistant]", "answer 249", seconds=30)
        await agent.audio_out(4000)
        await stage.screen.phase("speaking")
        assert await page.evaluate(LONGEST_FRAME) < 250
        await page.locator("#scroll").evaluate("(scroll) => { scroll.scrollTop = 0; }")
        await expect(page.locator("#jump")).to_be_visible()
        await agent.agent_text("One more.")
        await stage.screen.shows("[data-role=assistant]", "One more.")
        assert await page.locator("#scroll").evaluate("(scroll) => scroll.scrollTop") == 0
        await page.click("#jump")
        await expect(page.locator("[data-role=assistant]").last).to_be_in_viewport()
        stage.screen.expect_quiet()


async def test_a_browser_that_keeps_nothing_talks_all_the_same(tmp_path: Path) -> None:
    async with staged(tmp_path, script=BARE) as stage:
        page = stage.screen.page
        agent = await stage.tap()
        await agent.hear("hello")
        await agent.say("Hello to you.")
        await stage.screen.shows("[data-role=assistant]", "Hello to you.")
        await stage.hold_to_talk()
        await expect(page.locator("#talk")).to_have_attribute("aria-label", "Hold to talk")
        stage.screen.expect_quiet()


async def test_past_conversations_are_leafed_through_while_a_talk_goes_on(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        screen, page = stage.screen, stage.screen.page
        for wish in ("first wish", "second wish"):
            await typed(stage, wish)
        agent = await stage.tap()
        await agent.hear("third wish")
        for wish in ("First wish", "Second wish"):
            await page.click(f"#history-list a:has-text('{wish}')")
            await screen.shows("h1", wish)
            await screen.shows("#behind", "The talk goes on; the microphone is open")
        await agent.say("Meanwhile.", ms=1500)
        await screen.shows("#behind", "Speaking")
        await page.go_back()
        await screen.shows("h1", "First wish")
        await page.go_forward()
        await screen.shows("h1", "Second wish")
        await page.click("#back")
        await screen.shows("[data-role=assistant]", "Meanwhile.")
        await expect(page.locator("#end")).to_be_enabled()
        assert stage.deepgram.attempts == 3
        screen.expect_quiet()


async def test_two_tabs_take_over_from_each_other_in_turns(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        agent, first = await stage.tap(), stage.screen
        await agent.hear("water the plants")
        await first.shows("[data-role=user]", "water the plants")
        second = await open_page(first.page.context, f"{stage.server.http}/#c={await stage.conversation()}")
        await second.page.click("#resume")
        for turn in range(4):
            here, there = (second, first) if turn % 2 == 0 else (first, second)
            await here.write(f"turn {turn}")
            agent = await stage.deepgram.session(within=15)
            await agent.user_text(f"turn {turn}")
            await agent.agent_text(f"reply {turn}")
            await here.shows("[data-role=assistant]", f"reply {turn}")
            await there.phase("ended")
            await expect(here.page.locator("[data-role=user]")).to_have_count(turn + 2)
        assert len(await stage.items("conversations")) == 1


async def test_a_conversation_deleted_elsewhere_ends_here_and_another_begins(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        agent, screen = await stage.tap(), stage.screen
        await agent.hear("water the plants")
        await screen.shows("[data-role=user]", "water the plants")
        answer = await screen.page.request.delete(
            f"{stage.server.http}/api/v1/conversations/{await stage.conversation()}"
        )
        assert answer.status == 204
        await screen.shows("#banner", "ended from elsewhere")
        await screen.page.click("#talk")
        await screen.shows("#banner", "not there any more. You can begin a new one.")
        await stage.tap()
        await expect(screen.page.locator("#log article")).to_have_count(0)
        screen.expect_quiet(but=["404"])
