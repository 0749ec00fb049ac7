"""Each state, dialog and drawer of the page, looked at by axe: nothing is found."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import pytest
from playwright.async_api import expect

from tests.web.axe import needs_axe, violations
from tests.web.browser import Look, needs_chromium
from tests.web.scenes import STATES, begun, past
from tests.web.stage import staged

pytestmark = [needs_chromium, needs_axe]

SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
CALM = Look(calm=True)
"""Nothing fades: colours are looked at as they stay."""


@pytest.mark.parametrize("state", STATES)
async def test_axe_finds_nothing_in_any_state_light_and_dark_on_any_screen(
    tmp_path: Path, state: str
) -> None:
    async with staged(tmp_path, look=CALM) as stage:
        page = stage.screen.page
        await STATES[state](stage)
        papers = set()
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            papers.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
            for width in (1280, 360):
                await page.set_viewport_size({"width": width, "height": 800})
                assert await violations(page) == [], (scheme, width)
        assert len(papers) == len(SCHEMES)


@pytest.mark.parametrize(
    ("opener", "dialog"),
    [("#open-settings", "#settings"), ("#open-details", "#details"), ("?", "#keys"), ("d", "#details")],
)
async def test_axe_finds_nothing_in_any_dialog(tmp_path: Path, opener: str, dialog: str) -> None:
    async with staged(tmp_path, look=CALM) as stage:
        page = stage.screen.page
        await begun(stage)
        await (page.click(opener) if opener.startswith("#") else page.locator("body").press(opener))
        await expect(page.locator(dialog)).to_be_visible()
        assert await violations(page) == []


async def test_axe_finds_nothing_where_a_past_conversation_is_renamed_or_deleted(tmp_path: Path) -> None:
    async with staged(tmp_path, look=CALM) as stage:
        page = stage.screen.page
        await past(stage)
        await page.click("#rename")
        await expect(page.locator("#naming")).to_be_visible()
        assert await violations(page) == []
        await page.keyboard.press("Escape")
        await page.click("#remove")
        await stage.screen.shows("#deleted", "is deleted")
        assert await violations(page) == []


@pytest.mark.parametrize("drawer", ["history", "planner"])
async def test_axe_finds_nothing_in_the_drawers_of_a_phone(tmp_path: Path, drawer: str) -> None:
    async with staged(tmp_path, look=Look(width=360, height=740, calm=True)) as stage:
        await begun(stage)
        await stage.screen.page.click(f"#open-{drawer}")
        await expect(stage.screen.page.locator(f"#{drawer} h2")).to_be_in_viewport()
        assert await violations(stage.screen.page) == []
