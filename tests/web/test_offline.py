"""The page as an app: installed, opened without a server, and as new as the server's own files."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import expect
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from bridge.routes.page import page_routes
from tests.support.bridge import process
from tests.support.serving import serving
from tests.web.browser import Screen, chromium, needs_chromium, open_page

pytestmark = needs_chromium

WEB = Path(__file__).parents[2] / "web"
READY = "navigator.serviceWorker.ready.then(() => true)"
KEPT = """(async () => {
    const addresses = [];
    for (const name of await caches.keys()) {
        for (const { url } of await (await caches.open(name)).keys()) addresses.push(new URL(url).pathname);
    }
    return addresses;
})()"""
"""Paths in the browser's cache."""
SIZE = """async (address) => {
    const picture = new Image();
    picture.src = address;
    await picture.decode();
    return picture.naturalWidth;
}"""
"""Width of an icon in pixels."""


async def test_without_a_server_the_page_opens_says_so_and_goes_on_by_itself(tmp_path: Path) -> None:
    async with chromium() as context:
        async with process(tmp_path) as server:
            page = (await open_page(context, server.http)).page
            assert await page.evaluate(READY)
            await server.kill()
        screen = Screen(page)
        await page.reload()
        await screen.phase("idle")
        await screen.shows("#banner", "The server cannot be reached.")
        await expect(page.locator("#hero")).to_be_visible()
        await expect(page.locator("link[rel=stylesheet]").first).to_be_attached()
        async with process(tmp_path, PORT=server.address.rpartition(":")[2]):
            await expect(page.locator("#banner")).to_be_hidden(timeout=20_000)
            await screen.shows("#history-empty", "will be listed here")
            await screen.write("I want to learn Spanish in three months")
            await screen.shows("[data-status=done]", "Goal", seconds=20)


async def test_only_files_of_the_page_are_kept_and_all_of_them(tmp_path: Path) -> None:
    async with process(tmp_path) as server, chromium() as context:
        screen = await open_page(context, server.http)
        assert await screen.page.evaluate(READY)
        await screen.page.reload()
        await screen.page.click("#talk")
        await screen.phase("listening")
        kept = set(await screen.page.evaluate(KEPT))
        served = {f"/{file.relative_to(WEB)}" for file in WEB.rglob("*.*") if needed(file)}
        assert kept == served | {"/"}
        screen.expect_quiet()


def needed(file: Path) -> bool:
    """Whether the page needs that file to open, or to talk."""
    if file.parent.name == "icons":
        return file.name in {"icon.svg", "touch.png"}
    return file.suffix in {".js", ".css", ".webmanifest"} and file.stem not in {"sw", "example", "console"}


@dataclass(slots=True)
class Release:
    """A server that has nothing but the page of a folder, behind a proxy that notices when it is down."""

    folder: Path
    down: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = Response(status_code=502) if self.down else Router(routes=page_routes(self.folder))
        await app(scope, receive, send)


async def test_a_new_release_is_used_at_once_and_kept(tmp_path: Path) -> None:
    shutil.copytree(WEB, tmp_path / "web")
    release = Release(tmp_path / "web")
    page_file = release.folder / "index.html"
    async with chromium() as context, serving(release) as address:
        page = await context.new_page()
        await page.goto(f"http://{address}/")
        assert await page.evaluate(READY)
        page_file.write_text(
            page_file.read_text().replace("Say what you want to get done.", "The newer one.")
        )
        for release.down in (False, True):
            await page.reload()
            await expect(page.locator(".hero-title")).to_have_text("The newer one.")
            await expect(page.locator("#banner-text")).to_have_text(re.compile("cannot be reached|^$"))
        await expect(page.locator("#banner")).to_be_visible()


FROM_THE_CACHE = """
addEventListener("install", (event) => event.waitUntil(
  caches.open("page-0").then((cache) => cache.addAll(["./", "main.js"])).then(() => skipWaiting())));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => event.respondWith(
  caches.match(event.request).then((kept) => kept ?? fetch(event.request))));
"""
"""A worker of old: whatever it has kept once it gives for ever."""


async def test_a_worker_of_an_older_release_is_replaced_with_all_it_kept(tmp_path: Path) -> None:
    shutil.copytree(WEB, tmp_path / "web")
    release = Release(tmp_path / "web")
    worker, page_file = release.folder / "sw.js", release.folder / "index.html"
    ours = worker.read_text()
    worker.write_text(FROM_THE_CACHE)
    async with chromium() as context, serving(release) as address:
        page = await context.new_page()
        await page.goto(f"http://{address}/")
        assert await page.evaluate(READY)
        worker.write_text(ours)
        page_file.write_text(
            page_file.read_text().replace("Say what you want to get done.", "The newer one.")
        )
        await page.reload()  # the worker of old answers, and the browser finds the new one
        async with asyncio.timeout(15):
            while await page.evaluate("caches.keys()") != ["page-1"]:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        await page.reload()
        await expect(page.locator(".hero-title")).to_have_text("The newer one.")


async def test_a_browser_without_routes_for_service_workers_keeps_the_page_too(tmp_path: Path) -> None:
    shutil.copytree(WEB, tmp_path / "web")
    release = Release(tmp_path / "web")
    worker = release.folder / "sw.js"
    worker.write_text(
        f"delete globalThis.URLPattern; delete InstallEvent.prototype.addRoutes;\n{worker.read_text()}"
    )
    async with chromium() as context, serving(release) as address:
        page = await context.new_page()
        await page.goto(f"http://{address}/")
        assert await page.evaluate(READY)
        release.down = True
        await page.reload()
        await expect(page.locator("#banner-text")).to_contain_text("cannot be reached")


async def test_the_page_can_be_installed(tmp_path: Path) -> None:
    async with process(tmp_path) as server, chromium() as context:
        page = (await open_page(context, server.http)).page
        assert await page.evaluate(READY)
        devtools = await context.new_cdp_session(page)
        manifest = await devtools.send("Page.getAppManifest")
        assert manifest["errors"] == []
        told = json.loads(manifest["data"])
        assert {"name", "short_name", "id", "start_url", "scope", "display", "icons"} <= told.keys()
        assert told["display"] == "standalone"
        kinds = {(icon["sizes"], icon["purpose"]) for icon in told["icons"] if icon["type"] == "image/png"}
        assert kinds >= {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")}
        for icon in told["icons"]:
            size = await page.evaluate(SIZE, icon["src"])
            assert icon["sizes"] in {"any", f"{size}x{size}"}
        errors = (await devtools.send("Page.getInstallabilityErrors"))["installabilityErrors"]
        assert [error for error in errors if error["errorId"] != "in-incognito"] == []
