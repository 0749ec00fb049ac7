"""Microphones that are plugged out and in again; Chromium's own two, hidden and shown by the test."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from tests.web.browser import needs_chromium
from tests.web.stage import loudest, staged

pytestmark = needs_chromium

SECOND = 16000 * 2
"""Bytes of the microphone's sound."""
SOCKETS = """
    globalThis.unplugged = "";
    globalThis.opened = [];
    const list = MediaDevices.prototype.enumerateDevices;
    const ask = MediaDevices.prototype.getUserMedia;
    MediaDevices.prototype.enumerateDevices = async function () {
        return (await list.call(this)).filter(({ label }) => !unplugged || label !== unplugged);
    };
    MediaDevices.prototype.getUserMedia = async function (wish) {
        const devices = await this.enumerateDevices();
        const wanted = wish.audio.deviceId?.exact;
        if (wanted && !devices.some(({ deviceId }) => deviceId === wanted)) {
            throw new DOMException("gone", "OverconstrainedError");
        }
        const stream = await ask.call(this, wish);
        opened.push(stream.getAudioTracks()[0]);
        return stream;
    };
    globalThis.plug = (label, out) => {
        unplugged = out ? label : "";
        const [track] = opened.slice(-1);
        if (out && track.label === label) {
            track.stop();
            track.dispatchEvent(new Event("ended"));
        }
        navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
    };
"""
"""Lets a test unplug a device: it is listed no more, and its track ends."""


async def test_a_microphone_that_is_unplugged_is_replaced_and_taken_again(tmp_path: Path) -> None:
    async with staged(tmp_path, script=SOCKETS) as stage:
        agent, screen = await stage.tap(), stage.screen
        page = screen.page
        await page.click("#open-settings")
        names = await page.locator("#input-device option").all_inner_texts()
        chosen = names[-1]
        await page.select_option("#input-device", label=chosen)
        await page.keyboard.press("Escape")
        await page.wait_for_function("(name) => opened.at(-1).label === name", arg=chosen)

        await page.evaluate("(name) => plug(name, true)", chosen)
        await screen.shows("#device", "Your microphone is gone")
        await page.wait_for_function("(name) => opened.at(-1).label !== name", arg=chosen)
        await expect(page.locator("#talk")).to_have_attribute("aria-label", "Mute the microphone")
        await expect(page.locator("#input-device")).to_have_value("")
        before = len(agent.audio)
        assert loudest((await agent.expect_audio(before + 2 * SECOND))[before:]) > 1000

        await page.evaluate("(name) => plug(name, false)", chosen)
        await screen.shows("#device", "Your microphone is back")
        await page.wait_for_function("(name) => opened.at(-1).label === name", arg=chosen)
        await screen.phase("listening")
        screen.expect_quiet()
