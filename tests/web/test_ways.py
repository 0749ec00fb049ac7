"""Ways to use the page: by keyboard alone, in two tabs, without a microphone, insecurely; and its size."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.web.browser import PHONE, needs_chromium, open_page
from tests.web.scenes import speaking
from tests.web.stage import staged

pytestmark = needs_chromium

VIOLATIONS = """
    globalThis.violations = [];
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
        violations.push(`${violatedDirective} ${blockedURI}`));
"""
"""Notes whatever the content security policy forbids."""
FAILING = """
    MediaDevices.prototype.getUserMedia = async () => {{
        throw new DOMException("no", "{name}");
    }};
"""
"""A browser that cannot give the microphone, for that reason."""


async def reach(page: Page, selector: str) -> None:
    """Press Tab until the focus is there."""
    await expect(page.locator(selector).first).to_be_visible(timeout=15_000)
    passed = []
    for _ in range(60):
        if await page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            return
        passed.append(await page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        await page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached by Tab, only {passed}")


async def test_a_whole_talk_is_held_by_keyboard_alone(tmp_path: Path) -> None:
    async with staged(tmp_path, script=VIOLATIONS) as stage:
        screen, keys = stage.screen, stage.screen.page.keyboard
        await keys.press(" ")
        agent = await stage.deepgram.session(within=15)
        await screen.phase("listening")
        await keys.press("m")
        await expect(screen.page.locator("#talk")).to_have_attribute("aria-label", "Unmute the microphone")
        await keys.press("m")
        await keys.press("/")
        await keys.type("water the plants")
        await keys.press("Enter")
        await agent.user_text("water the plants")
        await agent.say("When?")
        await screen.shows("[data-role=assistant]", "When?")
        await keys.press("Shift+Tab")
        await reach(screen.page, "#message")
        await keys.press("Shift+Tab")  # back to the end button
        await reach(screen.page, "#end")
        await keys.press("Enter")
        await screen.phase("ended")
        await keys.press("Control+k")
        await keys.press("Escape")
        await reach(screen.page, "#renew")
        await keys.press("Enter")
        await screen.phase("idle")
        await reach(screen.page, "#history-list a")
        await keys.press("Enter")
        await screen.shows("#past", "Continue this conversation")
        await reach(screen.page, "#resume")
        await keys.press("Enter")
        await screen.shows("#hint", "Tap to go on with this conversation")
        assert await screen.page.evaluate("violations") == []
        screen.expect_quiet()


async def test_the_first_of_two_tabs_is_told_and_stays_away(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        agent, first = await stage.tap(), stage.screen
        await agent.hear("water the plants")
        await first.shows("[data-role=user]", "water the plants")
        second = await open_page(first.page.context, f"{stage.server.http}/#c={await stage.conversation()}")
        await second.page.click("#resume")
        await second.write("every day")
        agent = await stage.deepgram.session(within=15)
        assert (await agent.expect("InjectUserMessage", 15))["content"] == "every day"
        await first.shows("#banner", "another one was begun")
        await first.phase("ended")
        await asyncio.sleep(2.5)  # longer than the first pauses before another attempt
        await first.phase("ended", seconds=1)
        assert await second.page.locator("html").get_attribute("data-phase") in {"listening", "thinking"}
        assert len(await stage.items("conversations")) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NotFoundError", "No microphone was found."),
        ("NotReadableError", "Another program is using the microphone."),
    ],
)
async def test_why_there_is_no_microphone_is_said_and_typing_goes_on(
    tmp_path: Path, name: str, words: str
) -> None:
    async with staged(tmp_path, script=FAILING.format(name=name)) as stage:
        await stage.screen.page.click("#talk")
        await stage.screen.shows("#banner", words)
        await stage.screen.write("hello")
        agent = await stage.deepgram.session(within=15)
        assert (await agent.expect("InjectUserMessage", 15))["content"] == "hello"
        stage.screen.expect_quiet()


async def test_on_an_insecure_origin_the_page_says_so_and_typing_goes_on(tmp_path: Path) -> None:
    async with staged(tmp_path, hosts=("127.0.0.1", "voice.test")) as stage:
        port = stage.server.address.rpartition(":")[2]
        screen = await open_page(stage.screen.page.context, f"http://voice.test:{port}/")
        assert not await screen.page.evaluate("isSecureContext")
        await screen.page.click("#talk")
        await screen.shows("#banner", "only to pages opened over https")
        await screen.write("hello")
        agent = await stage.deepgram.session(within=15)
        await agent.user_text("hello")
        await agent.say("Hello to you.")
        await screen.shows("[data-role=assistant]", "Hello to you.")
        screen.expect_quiet()


async def test_a_whole_talk_breaks_no_rule_of_the_content_security_policy(tmp_path: Path) -> None:
    async with staged(tmp_path, look=PHONE, script=VIOLATIONS) as stage:
        page = stage.screen.page
        answer = await page.request.get(stage.server.http)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        await speaking(stage)
        for key in ("d", "Escape", "?", "Escape"):
            await page.locator("body").press(key)
        await page.click("#end")
        await page.click("#open-history")
        assert await page.evaluate("violations") == []
        stage.screen.expect_quiet()


async def test_the_page_is_small(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        page = await stage.screen.page.context.new_page()
        await page.goto(stage.server.http)
        await page.evaluate("document.fonts.ready")
        sizes = await page.evaluate(
            """[performance.getEntriesByType("navigation")[0], ...performance.getEntriesByType("resource")]
                .filter(({ name }) => !name.includes("/api/"))
                .map(({ encodedBodySize }) => encodedBodySize)"""
        )
        assert len(sizes) > 30
        assert sum(sizes) <= 150_000


async def test_the_focus_stays_where_it_is_when_the_list_is_fetched_anew(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        agent, page = await stage.tap(), stage.screen.page
        await agent.hear("water the plants")
        await agent.say("When?")
        await stage.screen.shows("[data-role=assistant]", "When?")
        await agent.hear("every day")
        await stage.screen.shows("#history-list a", "water the plants")
        await page.wait_for_timeout(600)  # the fetch after the sentence is done
        await page.focus("#history-list a")
        await page.evaluate("document.activeElement.id = 'before'")
        await page.evaluate("document.querySelector('#search').dispatchEvent(new Event('input'))")
        await expect(page.locator("#before")).to_have_count(0)
        assert await page.evaluate("document.activeElement.matches('#history-list a')")
