"""axe-core in the page: what a screen reader or weak eyes would stumble over."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page

AXE = Path(__file__).parents[2] / ".venv" / "js" / "node_modules" / "axe-core" / "axe.min.js"
"""Where `make test` installs it."""
needs_axe = pytest.mark.skipif(not AXE.exists(), reason="no npm; sudo apt-get install nodejs npm")

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async (tags) => {
    const { violations, passes } = await axe.run(document, { runOnly: tags });
    const found = violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, any }) => `${id}: ${html.slice(0, 200)} ${any[0]?.message ?? ""}`));
    return [found, passes.length];
}"""
SCREENS = [(360, 740, "light"), (360, 740, "dark"), (1280, 800, "light"), (1280, 800, "dark")]
"""Width and height in CSS pixels, and the colours."""


async def violations(page: Page) -> list[str]:
    """What axe finds on phone and desktop, light and dark. The page's own CSP stays as it is served."""
    if not await page.evaluate("'axe' in globalThis"):
        await page.evaluate(AXE.read_text())
    found = []
    for width, height, colours in SCREENS:
        await page.set_viewport_size({"width": width, "height": height})
        await page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
        violated, passed = await page.evaluate(RUN, TAGS)
        assert passed > 15  # it did look
        found += [f"{width} px, {colours}: {violation}" for violation in violated]
    return found
