"""The operator's console in a real Chromium: unlocked, a talk watched, ended; axe finds nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import pytest
from playwright.async_api import Dialog, Page, expect

from bridge.observers.siblings import Worker
from tests.support.bridge import Running, running_worker, settings_for
from tests.support.client import client, start
from tests.support.deepgram import ScriptedDeepgram
from tests.web.axe import needs_axe, violations
from tests.web.browser import Screen, chromium, needs_chromium

TOKEN = "a-token-nobody-guesses"
ADMIN = {"Authorization": f"Bearer {TOKEN}"}


@asynccontextmanager
async def server(
    folder: Path, deepgram: ScriptedDeepgram, *, worker: Worker | None = None, **changes: object
) -> AsyncIterator[Running]:
    given = {"upstream": "deepgram", "deepgram_agent_url": deepgram.url, "deepgram_api_key": "test-key"}
    async with running_worker(
        settings_for(folder, **{**given, "admin_token": TOKEN, **changes}), worker
    ) as one:
        yield one


@asynccontextmanager
async def console(at: Running) -> AsyncIterator[Screen]:
    """The console, still locked."""
    async with chromium() as context:
        screen = Screen(await context.new_page())
        screen.page.on("pageerror", lambda error: screen.complaints.append(str(error)))
        screen.page.on("console", lambda message: screen.complaints.append(message.text))
        await screen.page.goto(f"{at.http}/console")
        yield screen


async def unlock(page: Page, token: str = TOKEN) -> None:
    await page.fill("#token", token)
    await page.press("#token", "Enter")


@needs_chromium
@needs_axe
async def test_a_talk_is_seen_watched_and_ended(tmp_path: Path) -> None:
    async with (
        ScriptedDeepgram() as deepgram,
        server(tmp_path, deepgram) as bridge,
        console(bridge) as screen,
    ):
        page = screen.page
        assert await violations(page) == []
        await unlock(page)
        await expect(page.locator("#nobody")).to_be_visible()
        begun = await start(bridge.http)
        async with client(bridge.ws, token=str(begun["token"])) as talker:
            await talker.settle()
            agent = await deepgram.session()
            row = page.locator("#sessions li")
            await expect(row.locator(".state")).to_have_text("listening")
            await expect(row.locator(".who")).to_have_text("local with flux (deepgram)")
            await page.get_by_role("button", name="Watch local").click()
            await agent.hear("<b>I</b> want to learn Spanish")
            await expect(row.locator(".state")).to_have_text("thinking")
            await agent.say("Sure.")
            lines = page.locator("#transcript li")
            await expect(lines).to_have_text(["user<b>I</b> want to learn Spanish", "assistantSure."])
            await expect(row.locator(".figures")).to_contain_text("2 messages · answers in ")
            await agent.error("PROVIDER_FAILED")
            await expect(page.locator("#failures")).to_contain_text("agent error PROVIDER_FAILED")
            await expect(row.locator(".error")).to_contain_text("agent")
            assert await violations(page) == []
            await page.screenshot(path=tmp_path / "console.png", full_page=True)
            page.once("dialog", Dialog.accept)
            await page.get_by_role("button", name="End the session of local").click()
            await talker.expect("Error", lambda frame: frame["code"] == "BRIDGE_ENDED")
            await talker.expect_close()
        await expect(row).to_have_count(0)
        screen.expect_quiet()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A process that is stopped, or stuck."""
    await reader.read()
    writer.close()


@needs_chromium
@needs_axe
async def test_of_several_workers_it_says_who_has_a_session_and_how_many_do_not_answer(
    tmp_path: Path,
) -> None:
    with TemporaryDirectory() as name:  # a short one: that of a socket may not be long
        worker = Worker(2, Path(name))
        async with (
            ScriptedDeepgram() as deepgram,
            server(tmp_path, deepgram, worker=worker) as bridge,
            console(bridge) as screen,
        ):
            page = screen.page
            await unlock(page)
            begun = await start(bridge.http)
            async with client(bridge.ws, token=str(begun["token"])) as talker:
                await talker.settle()
                await expect(page.locator("#sessions .figures")).to_contain_text("worker 2")
                await expect(page.locator("#missing")).to_be_hidden()
                stuck = await asyncio.start_unix_server(silent, worker.folder / "1-99.sock")
                await expect(page.locator("#missing")).to_contain_text("do not answer")
                await expect(page.locator("#missing")).to_contain_text("1")
                assert await violations(page) == []
                stuck.close()
                await expect(page.locator("#missing")).to_be_hidden()
            screen.expect_quiet()


@needs_chromium
async def test_a_wrong_token_opens_nothing_and_a_right_one_is_kept_for_the_tab(tmp_path: Path) -> None:
    async with (
        ScriptedDeepgram() as deepgram,
        server(tmp_path, deepgram) as bridge,
        console(bridge) as screen,
    ):
        page = screen.page
        await unlock(page, "not the token at all")
        await expect(page.locator("#status")).to_have_text("That is not the token.")
        await expect(page.locator("#inside")).to_be_hidden()
        await unlock(page)
        await expect(page.locator("#inside")).to_be_visible()
        await page.reload()
        await expect(page.locator("#inside")).to_be_visible()
        screen.expect_quiet(but=["401"])


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "sessions"), ("DELETE", "sessions/x"), ("GET", "sessions/x/events")],
)
async def test_nothing_is_told_or_done_without_the_token(tmp_path: Path, method: str, path: str) -> None:
    async with (
        ScriptedDeepgram() as deepgram,
        server(tmp_path, deepgram) as bridge,
        httpx2.AsyncClient(base_url=bridge.http, trust_env=False) as http,
    ):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer ä"}):
            sent = {name: value.encode() for name, value in headers.items()}
            answer = await http.request(method, f"/console/{path}", headers=sent)  # type: ignore[arg-type]
            assert answer.status_code == 401
        known = await http.request(method, f"/console/{path}", headers=ADMIN)
        assert known.status_code == (200 if path == "sessions" else 404)
        assert known.headers["cache-control"] == "no-store"
        page = await http.get("/console")
        assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_without_a_token_there_is_no_console(tmp_path: Path) -> None:
    async with (
        ScriptedDeepgram() as deepgram,
        server(tmp_path, deepgram, admin_token="") as bridge,
        httpx2.AsyncClient(base_url=bridge.http, trust_env=False) as http,
    ):
        for path in ("/console", "/console/sessions"):
            assert (await http.get(path)).status_code == 404
