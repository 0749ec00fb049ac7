"""The page in a real Chromium, on the real server; the agent is scripted, so that each step can be seen."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.support.bridge import process
from tests.support.deepgram import ScriptedDeepgram
from tests.web.browser import PHONE, chromium, needs_chromium, open_page
from tests.web.stage import loudest, staged

pytestmark = needs_chromium

TWO_SECONDS = 2 * 16000 * 2
"""Bytes of the microphone's sound."""
ASKED = """
    globalThis.asked = 0;
    const ask = MediaDevices.prototype.getUserMedia;
    MediaDevices.prototype.getUserMedia = function (wish) {
        globalThis.asked += 1;
        return ask.call(this, wish);
    };
"""
"""Counts how often the page asks for the microphone."""
STUBBORN = """
    globalThis.AudioContext = class extends AudioContext {
        constructor({ sampleRate, ...others } = {}) {
            if (sampleRate) throw new DOMException("refused", "NotSupportedError");
            super(others);
        }
    };
"""
"""A browser that gives sound only at the system's own sample rate."""
SMALL = """() => [...document.querySelectorAll("main :is(button, textarea, summary)")]
    .filter((target) => target.checkVisibility() && target.getClientRects().length)
    .filter((target) => Math.min(target.offsetWidth, target.offsetHeight) < 44)
    .map((target) => target.outerHTML)
"""
"""Targets on the screen that are smaller than a finger."""
COLUMNS = """getComputedStyle(document.querySelector(".stage")).gridTemplateColumns.split(" ").length"""
"""Of the talk: what lies over it takes no room from it."""
GOAL = {"goal_statement": "learn Spanish", "timeline": "in three months"}


async def test_nothing_asks_for_the_microphone_before_the_tap(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        screen = await open_page(stage.screen.page.context, stage.server.http, script=ASKED)
        await screen.page.fill("#search", "anything")
        assert await screen.page.evaluate("asked") == 0
        await screen.page.click("#talk")
        await screen.phase("listening")
        assert await screen.page.evaluate("asked") == 1
        screen.expect_quiet()


async def test_a_turn_with_a_function_call_is_seen_as_it_happens(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        agent, screen = await stage.tap(), stage.screen
        await agent.user_starts()
        await expect(screen.page.locator("#waiting")).to_have_attribute("data-role", "user")
        await agent.user_text("I want to learn Spanish in three months")
        await screen.shows("[data-role=user]", "I want to learn Spanish in three months")
        await screen.phase("thinking")
        call = await agent.call("submit_goal_intent", **GOAL)
        await agent.expect_answer(call)
        await screen.shows("[data-status=done]", "Goal")
        await screen.shows("#goals .thing", "learn Spanish")
        await agent.say("Your goal is saved.", "Anything else?", ms=600)
        await screen.phase("speaking")
        await screen.shows("[data-role=assistant]", "Your goal is saved. Anything else?")
        await screen.phase("listening")
        await screen.shows("#history-list a[aria-current]", "I want to learn Spanish")
        screen.expect_quiet()


async def test_the_microphone_reaches_the_agent_and_mute_sends_silence(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path) as stage:
        agent, page = await stage.tap(), stage.screen.page
        assert loudest(await agent.expect_audio(TWO_SECONDS)) > 1000
        await page.click("#talk")
        await expect(page.locator("#talk")).to_have_attribute("aria-label", "Unmute the microphone")
        await asyncio.sleep(0.5)  # the tail, and what is on its way
        before = len(agent.audio)
        assert loudest((await agent.expect_audio(before + TWO_SECONDS))[before:]) == 0


async def test_push_to_talk_lets_sound_through_only_while_the_space_bar_is_held(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        page = stage.screen.page
        await stage.hold_to_talk()
        agent = await stage.tap()
        assert loudest(await agent.expect_audio(TWO_SECONDS)) == 0
        await page.locator("#talk").blur()
        await page.keyboard.down(" ")
        before = len(agent.audio)
        assert loudest((await agent.expect_audio(before + TWO_SECONDS))[before:]) > 1000
        await page.keyboard.up(" ")


async def test_the_keyboard_finds_everything(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        page = stage.screen.page
        for key, place in ("Control+k", "#search"), ("Escape", None), ("/", "#message"):
            await page.locator("body").press(key)
            if place:
                await expect(page.locator(place)).to_be_focused()
                await page.locator(place).blur()
        await page.keyboard.press("?")
        await stage.screen.shows("#keys", "Search the conversations")
        await page.keyboard.press("Control+k")
        await page.keyboard.press("Escape")
        await expect(page.locator("#keys")).to_be_hidden()
        stage.screen.expect_quiet()


async def test_talking_into_a_reply_stops_it_and_the_record_keeps_what_was_heard(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        agent, screen = await stage.tap(), stage.screen
        await agent.agent_text("One two three four five six seven eight nine ten.")
        await agent.audio_out(6000)
        await agent.audio_done()
        await screen.phase("speaking")
        await asyncio.sleep(1.5)
        await agent.user_starts()
        await screen.phase("listening", seconds=1)
        await screen.shows("[data-interrupted] footer", "interrupted")
        await screen.shows("[data-interrupted] del", "nine ten.")
        address = f"conversations/{await stage.conversation()}/messages"
        async with asyncio.timeout(5):  # the page knows it before the record does
            while not (message := (await stage.items(address))[0])["interrupted"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert re.fullmatch(r"One( two( three( four)?)?)?", str(message["heard"]))


@pytest.mark.parametrize("script", ["", STUBBORN], ids=["at our rates", "at a rate of its own"])
async def test_all_that_is_said_is_heard_on_both_sides(tmp_path: Path, script: str) -> None:
    async with staged(tmp_path, script=script) as stage:
        agent, screen = await stage.tap(), stage.screen
        begun, before = asyncio.get_running_loop().time(), len(agent.audio)
        assert loudest((await agent.expect_audio(before + TWO_SECONDS))[before:]) > 1000
        assert 1.5 < asyncio.get_running_loop().time() - begun < 2.5
        await agent.say("All of this was heard.", ms=777)
        await screen.phase("speaking")
        await screen.phase("listening")
        await agent.hear("thank you")
        await screen.shows("[data-role=user]", "thank you")
        await agent.say("You are welcome.")
        await screen.shows("[data-role=assistant]", "You are welcome.")
        messages = await stage.items(f"conversations/{await stage.conversation()}/messages")
        assert [message["interrupted"] for message in messages] == [False, False, False]


async def test_a_denied_microphone_is_said_in_words_and_typing_goes_on(tmp_path: Path) -> None:
    async with staged(tmp_path, "denied") as stage:
        screen = stage.screen
        await screen.page.click("#talk")
        await screen.shows("#banner", "The browser may not use the microphone here.")
        await screen.phase("idle")
        assert stage.deepgram.attempts == 0
        await screen.write("I want to learn Spanish")
        agent = await stage.deepgram.session(within=15)
        assert (await agent.expect("InjectUserMessage", 15))["content"] == "I want to learn Spanish"
        await agent.user_text("I want to learn Spanish")
        await screen.shows("[data-role=user] footer", "typed")
        await agent.say("By when?")
        await screen.shows("[data-role=assistant]", "By when?")
        screen.expect_quiet()


async def test_a_lost_server_is_waited_for_and_what_was_typed_meanwhile_arrives(tmp_path: Path) -> None:
    async with ScriptedDeepgram() as deepgram, chromium() as context:
        agent_at = {"DEEPGRAM_AGENT_URL": deepgram.url, "DEEPGRAM_API_KEY": "test-key"}
        async with process(tmp_path, **agent_at) as server:
            screen = await open_page(context, server.http)
            await screen.page.click("#talk")
            agent = await deepgram.session(within=15)
            await agent.hear("remember this")
            await screen.shows("[data-role=user]", "remember this")
            await server.kill()
            await screen.phase("reconnecting")
            await screen.shows("#banner", re.compile("Trying again"))
            await screen.write("and this")
        async with process(tmp_path, PORT=server.address.rpartition(":")[2], **agent_at):
            agent = await deepgram.session(within=30)
            assert (await agent.expect("InjectUserMessage", 15))["content"] == "and this"
            await agent.user_text("and this")
            await screen.shows("[data-role=user]", "and this")
            await expect(screen.page.locator("#banner")).to_be_hidden()
            assert await screen.page.locator("[data-role=user]").count() == 2
            screen.expect_quiet(but=["WebSocket connection", "ERR_CONNECTION", "401"])


async def test_a_past_conversation_is_found_opened_read_and_gone_on_with(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        agent, page = await stage.tap(), stage.screen.page
        await agent.hear("water the plants")
        await agent.say("When?")
        await stage.screen.shows("[data-role=assistant]", "When?")
        await page.close()
        again = await open_page(page.context, stage.server.http)
        await again.page.fill("#search", "plants")
        await again.page.click("#history-list a:has-text('water the plants')")
        await again.shows("[data-role=assistant]", "When?")
        await expect(again.page.locator("#dock")).to_be_hidden()
        await again.page.click("#resume")
        await again.write("on Monday")
        agent = await stage.deepgram.session(within=15)
        assert (await agent.expect("InjectUserMessage", 15))["content"] == "on Monday"
        await agent.user_text("on Monday")
        await again.shows("[data-role=user]", "on Monday")
        assert len(await stage.items("conversations")) == 1
        again.expect_quiet()


async def test_a_past_conversation_gets_another_title_with_the_keyboard_alone(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        agent, screen = await stage.tap(), stage.screen
        await agent.hear("water the plants")
        await agent.say("When?")
        await screen.shows("[data-role=assistant]", "When?")
        await screen.page.reload()
        await screen.page.click("#history-list a:has-text('water the plants')")
        await screen.shows("h1", "water the plants")
        for title, key in ("Nothing yet", "Escape"), ("The garden", "Enter"):
            await screen.page.focus("#rename")
            await screen.page.keyboard.press("Enter")
            await screen.shows("#naming", "Rename this conversation")
            await screen.page.keyboard.type(title)
            await screen.page.keyboard.press(key)
            await expect(screen.page.locator("#naming")).to_be_hidden()
        await screen.shows("#history-list a", "The garden")
        await expect(screen.page.locator("#rename")).to_be_focused()
        (stored,) = await stage.items("conversations")
        assert stored["title"] == "The garden"
        screen.expect_quiet()


async def test_a_past_conversation_is_deleted_and_had_back_as_long_as_nothing_is_lost(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        agent, screen = await stage.tap(), stage.screen
        await agent.hear("water the plants")
        await agent.say("When?")
        await screen.shows("[data-role=assistant]", "When?")
        await screen.page.reload()
        listed = screen.page.locator("#history-list a:has-text('water the plants')")
        for last in (False, True):
            await listed.click()
            await screen.shows("h1", "water the plants")
            await screen.page.click("#remove")
            await screen.shows("#deleted", "is deleted")
            await expect(listed).to_have_count(0)
            assert await screen.page.evaluate(COLUMNS) == 1
            await expect(screen.page.locator("#dock")).to_be_visible()
            assert len(await stage.items("conversations")) == 1
            if not last:
                await screen.page.keyboard.press("Enter")  # the focus is on Undo
                await expect(screen.page.locator("#deleted")).to_be_hidden()
        await screen.page.reload()
        await screen.shows("#history-empty", "will be listed here")
        assert await stage.items("conversations") == []
        screen.expect_quiet()


async def test_on_a_phone_everything_fits_and_can_be_touched(tmp_path: Path) -> None:
    async with staged(tmp_path, look=PHONE) as stage:
        page = stage.screen.page
        await stage.tap()
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE.width
        for opener, drawer in (("#open-history", "#history"), ("#open-planner", "#planner")):
            await page.click(opener)
            await expect(page.locator(f"{drawer} h2")).to_be_in_viewport()
            await page.keyboard.press("Escape")
            await expect(page.locator(f"{drawer} h2")).not_to_be_in_viewport()
            await expect(page.locator(opener)).to_be_focused()
        assert await page.evaluate(SMALL) == []
