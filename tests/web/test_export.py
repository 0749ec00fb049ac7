"""A past conversation as a file: by the cookie of a PIN, with a token, and when it cannot be had."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.async_api import expect

from tests.support.issuer import AUDIENCE, ISSUER, issuing
from tests.support.users import PIN, add_users, sqlite_url
from tests.web.browser import needs_chromium
from tests.web.stage import Stage, staged

pytestmark = needs_chromium

NEEDED = "the server responded with a status of 4"
"""Chromium complains about each 401, which is no fault of the page."""
BRINGS_TOKEN = """
    const send = globalThis.fetch;
    globalThis.fetch = (address, wish = {{}}) =>
        send(address, {{ ...wish, headers: {{ ...wish.headers, Authorization: "Bearer " + {token} }} }});
"""
"""A page whose owner gives it a token: whatever it fetches has it, a link it leads to has not."""


async def talked(stage: Stage) -> None:
    """There is a past conversation, and it is open."""
    await stage.small_talk()
    await stage.screen.page.click("#end")
    await stage.screen.phase("ended")
    await stage.screen.page.reload()
    await stage.screen.page.click("#history-list a")
    await stage.screen.shows("#past", "Continue this conversation")


async def exported(stage: Stage) -> str:
    """What the browser has saved."""
    async with stage.screen.page.expect_download() as saving:
        await stage.screen.page.click("#export")
    download = await saving.value
    assert download.suggested_filename.startswith("conversation-")
    assert download.suggested_filename.endswith(".md")
    return Path(await download.path()).read_text()


async def test_by_the_cookie_of_a_pin(tmp_path: Path) -> None:
    await add_users(sqlite_url(tmp_path), "ada")
    async with staged(tmp_path, auth="pin") as stage:
        page = stage.screen.page
        await page.fill("#user-name", "ada")
        await page.fill("#user-pin", PIN)
        await page.keyboard.press("Enter")
        await expect(page.locator("#sign-in")).to_be_hidden()
        await talked(stage)
        assert "> water the plants" in await exported(stage)
        stage.screen.expect_quiet(but=[NEEDED])


async def test_with_a_token_of_ones_own(tmp_path: Path) -> None:
    async with (
        issuing() as issuer,
        staged(
            tmp_path,
            script=BRINGS_TOKEN.format(token=json.dumps(issuer.token("ada"))),
            auth="jwt",
            jwt_issuer=ISSUER,
            jwt_audience=AUDIENCE,
            jwt_jwks_url=issuer.url,
        ) as stage,
    ):
        await talked(stage)
        assert "> water the plants" in await exported(stage)


async def test_one_that_cannot_be_had_is_said_and_can_be_had_later(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        page = stage.screen.page
        await talked(stage)
        await page.route("**/export?*", lambda route: route.abort())
        await page.click("#export")
        await stage.screen.shows("#subtitle", "cannot be had")
        await page.unroute("**/export?*")
        assert "> water the plants" in await exported(stage)
        await expect(page.locator("#subtitle")).not_to_contain_text("cannot be had")
