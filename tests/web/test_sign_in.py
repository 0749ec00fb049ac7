"""Signing in and out on the page, by PIN and elsewhere; without either nothing of it is seen."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import expect

from bridge.auth.pins import hash_pin
from persistence.users import open_users
from tests.support.issuer import AUDIENCE, ISSUER, issuing
from tests.support.users import PIN, add_users, sqlite_url
from tests.web.axe import needs_axe, violations
from tests.web.browser import Look, Screen, chromium, needs_chromium, open_page
from tests.web.stage import Stage, staged

pytestmark = needs_chromium

CALM = Look(calm=True)
NEEDED = "the server responded with a status of 4"
"""Chromium complains about each 401, which is no fault of the page."""


@asynccontextmanager
async def locked(folder: Path, *, look: Look = CALM, name: str = "ada") -> AsyncIterator[Stage]:
    """A server that asks for a PIN, and the page."""
    await add_users(sqlite_url(folder), name, "bob")
    async with staged(folder, look=look, auth="pin") as stage:
        await expect(stage.screen.page.locator("#sign-in")).to_be_visible()
        yield stage


async def enter(screen: Screen, name: str = "ada", pin: str = PIN) -> None:
    """Type name and PIN as people do, from the keyboard alone."""
    page = screen.page
    await page.fill("#user-name", name)
    await page.focus("#user-name")
    await page.keyboard.press("Tab")
    await page.keyboard.type(pin)
    await page.keyboard.press("Enter")


async def test_a_name_and_a_pin_open_the_page_and_signing_out_closes_it(tmp_path: Path) -> None:
    async with locked(tmp_path) as stage:
        page = stage.screen.page
        await expect(page.locator("#user-name")).to_be_focused()
        await page.keyboard.press("Escape")
        await page.keyboard.press("Escape")
        await expect(page.locator("#sign-in")).to_be_visible()
        await enter(stage.screen)
        await expect(page.locator("#sign-in")).to_be_hidden()
        await stage.small_talk()
        await page.reload()
        await stage.screen.shows("#history-list a", "water the plants")
        [cookie] = await page.context.cookies()
        assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("voice-bridge", True, "Strict")
        assert await page.evaluate("document.cookie") == ""
        await stage.tap()
        await page.click("#open-account")
        await page.click("#sign-out")
        await expect(page.locator("#sign-in")).to_be_visible()
        assert "water the plants" not in await page.content()
        assert await page.context.cookies() == []
        stage.screen.expect_quiet(but=[NEEDED])


async def test_what_is_wrong_is_said_and_how_long_it_takes(tmp_path: Path) -> None:
    async with locked(tmp_path) as stage:
        page, trouble = stage.screen.page, stage.screen.page.locator("#sign-in-trouble")
        for _ in range(4):
            await enter(stage.screen, pin="111222")
            await expect(trouble).to_have_text("The name or the PIN is wrong.")
            await expect(page.locator("#user-pin")).to_be_focused()
        await enter(stage.screen, pin="111222")
        await expect(trouble).to_have_text(re.compile("wrong. Try again in 30 seconds"))
        await expect(page.locator("#sign-in-enter")).to_be_disabled()
        other = await open_page(page.context, stage.server.http)
        await enter(other)
        await expect(other.page.locator("#sign-in-trouble")).to_have_text(
            re.compile(r"Locked: .*in \d\d seconds")
        )
        async with open_users(sqlite_url(tmp_path)) as users:
            await users.unlock("ada")
            await users.lock("ada")
        await other.page.reload()
        await enter(other)
        await expect(other.page.locator("#sign-in-trouble")).to_have_text(re.compile("This user is locked"))


async def test_a_sign_in_that_is_taken_back_ends_the_talk_and_asks_again(tmp_path: Path) -> None:
    async with locked(tmp_path) as stage:
        page = stage.screen.page
        await enter(stage.screen)
        await stage.small_talk()
        async with open_users(sqlite_url(tmp_path)) as users:
            await users.set_pin("ada", hash_pin("735194"))
        await expect(page.locator("#sign-in")).to_be_visible(timeout=4000)
        await stage.screen.phase("ended")
        await expect(page.locator("#user-pin")).to_be_focused()
        await enter(stage.screen, pin="735194")
        await expect(page.locator("#sign-in")).to_be_hidden()
        await stage.screen.shows("[data-role=assistant]", "When?")
        await stage.screen.shows("#history-list a", "water the plants")
        await stage.tap()


async def test_who_signs_in_after_somebody_else_sees_nothing_of_theirs(tmp_path: Path) -> None:
    async with locked(tmp_path) as stage:
        page = stage.screen.page
        await enter(stage.screen)
        agent = await stage.tap()
        await agent.hear("water the plants")
        await stage.screen.shows("[data-role=user]", "water the plants")
        async with open_users(sqlite_url(tmp_path)) as users:
            await users.sign_out("ada")
        await expect(page.locator("#sign-in")).to_be_visible(timeout=4000)
        await enter(stage.screen, "bob")
        await expect(page.locator("#account-name")).to_have_text("bob")
        assert "water the plants" not in await page.content()


@needs_axe
@pytest.mark.parametrize("name", ["ada", "a" * 64])
async def test_axe_finds_nothing_in_the_dialogs(tmp_path: Path, name: str) -> None:
    async with locked(tmp_path, name=name) as stage:
        page = stage.screen.page
        assert await violations(page) == []
        await enter(stage.screen, name, "111222")
        await stage.screen.shows("#sign-in-trouble", "wrong")
        assert await violations(page) == []
        await enter(stage.screen, name)
        await expect(page.locator("#open-account")).to_contain_text(name)
        assert await violations(page) == []
        await page.set_viewport_size({"width": 1280, "height": 800})
        await page.click("#open-account")
        await expect(page.locator("#account")).to_be_visible()
        assert await violations(page) == []


@needs_axe
async def test_axe_finds_nothing_where_a_sign_in_ends_or_is_held_off(tmp_path: Path) -> None:
    async with locked(tmp_path) as stage:
        page = stage.screen.page
        await enter(stage.screen)
        await stage.small_talk()
        assert await violations(page) == []
        async with open_users(sqlite_url(tmp_path)) as users:
            await users.sign_out("ada")
        await expect(page.locator("#sign-in")).to_be_visible(timeout=4000)
        assert await violations(page) == []
        for _ in range(5):
            await expect(page.locator("#sign-in-enter")).to_be_enabled()
            await enter(stage.screen, pin="111222")
            await expect(page.locator("#sign-in-trouble")).to_contain_text("wrong")
        await stage.screen.shows("#sign-in-trouble", "Try again in")
        assert await violations(page) == []


@needs_axe
async def test_with_tokens_of_an_issuer_the_page_says_where_to_sign_in(tmp_path: Path) -> None:
    async with (
        issuing() as issuer,
        staged(
            tmp_path,
            look=CALM,
            auth="jwt",
            jwt_issuer=ISSUER,
            jwt_audience=AUDIENCE,
            jwt_jwks_url=issuer.url,
            sign_in_url="https://login.example.com/start",
        ) as stage,
    ):
        page = stage.screen.page
        await stage.screen.shows("#sign-in", "organisation")
        assert await page.get_attribute("#sign-in-link", "href") == "https://login.example.com/start"
        await expect(page.locator("#user-pin")).to_be_hidden()
        assert await violations(page) == []
        await page.set_extra_http_headers({"Authorization": f"Bearer {issuer.token('ada')}"})  # a proxy
        await page.click("#sign-in-again")
        await expect(page.locator("#sign-in")).to_be_hidden()
        await page.set_viewport_size({"width": 1280, "height": 800})
        await expect(page.locator("#open-account")).to_contain_text("ada")


async def test_where_nobody_signs_in_nothing_of_it_is_seen(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        page = stage.screen.page
        await stage.tap()
        for hidden in ("#sign-in", "#account", "#open-account"):
            await expect(page.locator(hidden)).to_be_hidden()
        stage.screen.expect_quiet()


async def test_behind_tls_the_cookie_is_one_that_no_neighbour_can_set(tmp_path: Path) -> None:
    await add_users(sqlite_url(tmp_path), "ada")
    async with staged(tmp_path, auth="pin", trust_proxy=True) as stage, chromium() as context:
        origin = stage.server.http.replace("http:", "https:")
        answer = await context.request.post(
            f"{stage.server.http}/api/v1/sign-in",
            data={"name": "ada", "pin": PIN},
            headers={"X-Forwarded-Proto": "https", "Origin": origin},
        )
        assert answer.status == 200
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-voice-bridge=vbu_")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
