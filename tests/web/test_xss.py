"""What people, agents and functions say is shown as text, whatever it looks like."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Error, expect

from tests.support.client import get
from tests.web.browser import needs_chromium
from tests.web.stage import staged

pytestmark = needs_chromium

RUN = "window.pwned=(window.pwned||0)+1"
CORPUS = [
    f"<script>{RUN}</script>",
    f"<img src=x onerror='{RUN}'>",
    f"<svg onload='{RUN}'>",
    f"<svg><script>{RUN}</script></svg>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<iframe src='javascript:parent.{RUN}'></iframe>",
    f"<a href='javascript:{RUN}' autofocus onfocus='{RUN}'>x</a>",
    f"<body onload='{RUN}'>",
    f"<details open ontoggle='{RUN}'>",
    f"<video><source onerror='{RUN}'></video>",
    f"<input autofocus onfocus='{RUN}'>",
    f"<marquee onstart='{RUN}'>",
    f"<math><mtext></p><style><img src=x onerror='{RUN}'></style>",
    f"<template><script>{RUN}</script></template>",
    f"<object data='javascript:{RUN}'></object>",
    f"<embed src='javascript:{RUN}'>",
    f"<base href='javascript:{RUN}//'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<style>*{background:url(https://evil.example)}</style>",
    f'"><script>{RUN}</script>',
    f"'-{RUN}-'",
    f"</textarea></title></style></script><script>{RUN}</script>",
    f"<<script>{RUN};//<</script>",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"\\x3cscript\\x3e{RUN}\\x3c/script\\x3e",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"&#60;img src=x onerror={RUN}&#62;",
    f"{{{{constructor.constructor('{RUN}')()}}}}",
    f"${{{RUN}}}",
    f"javascript:{RUN}",
    f"[x](javascript:{RUN})",
    f"![x](x' onerror='{RUN})",
    f"<form action='javascript:{RUN}'><button autofocus>x</button></form>",
    f"\u202e<script>{RUN}</script>\u202c",
]
STRANGERS = (
    "script, img, iframe, object, embed, base, style, link, video, form, svg [onload], [onerror], [onfocus]"
)
"""Elements and attributes that nothing in the transcript has of its own."""


async def test_nothing_in_a_talk_runs_or_becomes_an_element(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        page = stage.screen.page
        agent = await stage.tap()
        before = await page.locator(STRANGERS).count()
        for text in CORPUS:
            await agent.hear(text)
            await agent.agent_text(text)
        name = f"<img src=x onerror='{RUN}'>"
        await agent.expect_answer(await agent.call(name, **{name: name}))
        goal = {"goal_statement": CORPUS[0], "context_notes": CORPUS[1]}
        await agent.expect_answer(await agent.call("submit_goal_intent", **goal))
        await agent.user_text("the end")
        await expect(page.locator("#log")).to_contain_text("the end")
        shown = await page.locator("#log").inner_text()
        for text in CORPUS:
            assert shown.count(" ".join(text.split())) >= 2, text
        assert await page.locator(f"#log :is({STRANGERS})").count() == 0
        assert await page.locator(STRANGERS).count() == before
        assert await page.evaluate("window.pwned") is None
        stage.screen.expect_quiet()


FAULTS = (
    "document.body.innerHTML = 'x'",
    "document.body.insertAdjacentHTML('beforeend', 'x')",
    "document.createElement('script').textContent = 'x'",
    "document.createElement('script').src = 'sw.js'",
    "navigator.serviceWorker.register('main.js')",
    "trustedTypes.createPolicy('another', {})",
)


async def test_no_text_becomes_markup_or_a_script_even_by_a_fault_of_ours(tmp_path: Path) -> None:
    async with staged(tmp_path, admin_token="an operator's token") as stage:
        page = stage.screen.page
        for path in ("/", "/console", "/example.html"):
            await page.goto(f"{stage.server.http}{path}")
            for fault in FAULTS:
                with pytest.raises(Error, match=r"Trusted|Policy"):
                    await page.evaluate(f"async () => {{ await ({fault}); }}")


async def test_what_was_said_is_text_too_when_it_is_listed_and_read_again(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        agent = await stage.tap()
        for text in CORPUS[:6]:
            await agent.hear(text)
        await stage.screen.page.click("#talk")
        answer = await get(stage.server.http, f"/api/v1/conversations/{await stage.conversation()}")
        assert str(answer["title"]).startswith("<script>")
        page = stage.screen.page
        await page.reload()
        await expect(page.locator("body")).to_contain_text("<script>")
        assert await page.evaluate("window.pwned") is None
        stage.screen.expect_quiet()
