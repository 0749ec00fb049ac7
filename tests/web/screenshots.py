"""Make the pictures in docs/images: `python -m tests.web.screenshots [state …]`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.web.browser import Look
from tests.web.scenes import STATES
from tests.web.stage import staged

IMAGES = Path(__file__).parents[2] / "docs" / "images"
LOOKS = {
    "phone-light": Look(width=360, height=640),
    "phone-dark": Look(width=360, height=640, dark=True),
    "desktop-light": Look(),
    "desktop-dark": Look(dark=True),
}
ON_DESKTOP = {"idle", "speaking", "past", "details"}
"""What looks other than on a phone; the rest is pictured on a phone alone."""
STEADY_MS = 700
"""What moves has come to its place; half of the captions are revealed."""


async def picture(state: str, name: str, look: Look, folder: Path) -> None:
    """One state on one screen, as a PNG."""
    with tempfile.TemporaryDirectory() as data:
        async with staged(Path(data), look=look) as stage:
            await STATES[state](stage)
            await stage.screen.page.evaluate("document.fonts.ready")
            await stage.screen.page.wait_for_timeout(STEADY_MS)
            await stage.screen.page.screenshot(path=folder / f"{name}-{state}.png")


async def main(states: list[str], folder: Path) -> None:
    """All of these states on all screens."""
    for state in states:
        for name, look in LOOKS.items():
            if name.startswith("desktop") and state not in ON_DESKTOP:
                continue
            await picture(state, name, look, folder)


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    asyncio.run(main(sys.argv[1:] or list(STATES), IMAGES))
