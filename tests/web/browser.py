"""A real Chromium for tests of the page: its microphone is a file, a beep, or denied; it notes complaints."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import BrowserContext, ConsoleMessage, Page, async_playwright, expect

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium; sudo apt-get install chromium")

Microphone = Path | Literal["beep", "denied"]
"""A WAV (16 bit, played once from the moment the microphone opens), a beep each second, or none."""

QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    "--host-resolver-rules=MAP voice.test 127.0.0.1",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the page is shown on, and what its owner prefers."""

    width: int = 1280
    """CSS pixels."""
    height: int = 800
    dark: bool = False
    calm: bool = False
    """Reduced motion."""


LATE = """
    MediaDevices.prototype.getUserMedia = () => new Promise(() => undefined);
    undefined;
"""
"""A person who has not yet answered whether the microphone may be used."""
DENIED = """
    MediaDevices.prototype.getUserMedia = async () => {
        throw new DOMException("denied", "NotAllowedError");
    };
    undefined;
"""
"""A person who said no."""
DESKTOP = Look()
PHONE = Look(width=360, height=740)


@dataclass(slots=True)
class Screen:
    """One tab with the page in it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, and exceptions nobody caught."""

    async def phase(self, name: str, *, seconds: float = 15) -> None:
        """Wait until the page is in that state."""
        await expect(self.page.locator("html")).to_have_attribute("data-phase", name, timeout=seconds * 1000)

    async def write(self, text: str) -> None:
        """Type a message and send it."""
        await self.page.fill("#message", text)
        await self.page.press("#message", "Enter")

    async def shows(self, selector: str, text: str | re.Pattern[str], *, seconds: float = 15) -> None:
        """Wait until an element of that kind with that text is to be seen."""
        found = self.page.locator(selector).filter(has_text=text).first
        await expect(found).to_be_visible(timeout=seconds * 1000)

    def expect_quiet(self, *, but: Sequence[str] = ()) -> None:
        """The browser complained about nothing, CSP included, other than what a test provokes."""
        loud = [text for text in self.complaints if not any(known in text for known in but)]
        assert loud == []


@asynccontextmanager
async def chromium(microphone: Microphone = "beep", *, look: Look = DESKTOP) -> AsyncIterator[BrowserContext]:
    """A fresh browser profile."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*QUIET, *_microphone_flags(microphone)]
        )
        try:
            yield await browser.new_context(
                viewport={"width": look.width, "height": look.height},
                color_scheme="dark" if look.dark else "light",
                reduced_motion="reduce" if look.calm else "no-preference",
                locale="en-GB",
                timezone_id="Europe/Berlin",
            )
        finally:
            await browser.close()


def _microphone_flags(microphone: Microphone) -> list[str]:
    there = "--use-fake-device-for-media-stream"
    if microphone == "denied":
        return [there, "--deny-permission-prompts"]
    flags = [there, "--use-fake-ui-for-media-stream"]
    if isinstance(microphone, Path):
        assert microphone.is_file(), f"{microphone} is missing: Chromium would play silence without a word"
        flags.append(f"--use-file-for-fake-audio-capture={microphone.resolve()}%noloop")
    return flags


async def open_page(context: BrowserContext, address: str, *, script: str = "") -> Screen:
    """A tab with the page at that address, loaded. `script` runs before the page's own."""
    screen = Screen(await context.new_page())
    await screen.page.add_init_script(script)

    def noted(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            screen.complaints.append(message.text)

    screen.page.on("console", noted)
    screen.page.on("pageerror", lambda error: screen.complaints.append(str(error)))
    await screen.page.goto(address)
    await screen.phase("idle")
    return screen
