"""Make the pictures in docs/images: `python -m tests.web.screenshots [state … | sheets]`."""

from __future__ import annotations

import asyncio
import base64
import sys
import tempfile
from pathlib import Path

from tests.web.browser import Look, chromium
from tests.web.scenes import DOORS, STATES
from tests.web.stage import staged

IMAGES = Path(__file__).parents[2] / "docs" / "images"
LOOKS = {
    "phone-light": Look(width=360, height=640),
    "phone-dark": Look(width=360, height=640, dark=True),
    "desktop-light": Look(),
    "desktop-dark": Look(dark=True),
}
SCENES = {**STATES, **DOORS}
ON_DESKTOP = {"idle", "speaking", "past", "details", "sign_in"}
"""What looks other than on a phone; of the rest the desktop has small pictures, all states on one sheet."""
SHEET = """<style>
    body { display: grid; grid-template-columns: repeat(3, 1fr); gap: 16px; margin: 16px; }
    figure { margin: 0; font: 20px sans-serif; }
    img { width: 100%; }
</style>"""
FRAME = "<figure>{state}<img src='data:image/png;base64,{png}'></figure>"
STEADY_MS = 700
"""What moves has come to its place; half of the captions are revealed."""


async def picture(state: str, name: str, look: Look, folder: Path) -> None:
    """One state on one screen, as a PNG."""
    with tempfile.TemporaryDirectory() as data:
        auth = "pin" if state in DOORS else "none"
        async with staged(Path(data), look=look, auth=auth) as stage:
            await SCENES[state](stage)
            await stage.screen.page.evaluate("document.fonts.ready")
            await stage.screen.page.wait_for_timeout(STEADY_MS)
            await stage.screen.page.screenshot(path=folder / f"{name}-{state}.png")


async def sheet(name: str, folder: Path) -> None:
    """All states on one screen, small, as one PNG."""
    with tempfile.TemporaryDirectory() as made:
        for state in STATES:
            await picture(state, name, LOOKS[name], Path(made))
        shots = {
            state: base64.b64encode((Path(made) / f"{name}-{state}.png").read_bytes()) for state in STATES
        }
    frames = [FRAME.format(state=state, png=png.decode()) for state, png in shots.items()]
    async with chromium(look=Look(width=1600, height=400)) as context:
        page = await context.new_page()
        await page.set_content(SHEET + "".join(frames))
        await page.screenshot(path=folder / f"{name}.png", full_page=True)


async def main(states: list[str], folder: Path) -> None:
    """All of these states on all screens."""
    if "sheets" in states:
        for name in ("desktop-light", "desktop-dark"):
            await sheet(name, folder)
    for state in SCENES.keys() & states:
        for name, look in LOOKS.items():
            if name.startswith("desktop") and state not in ON_DESKTOP:
                continue
            await picture(state, name, look, folder)


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    asyncio.run(main(sys.argv[1:] or [*SCENES, "sheets"], IMAGES))
