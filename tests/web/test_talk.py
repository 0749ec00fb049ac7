"""The whole thing, by voice: Chromium's microphone is a WAV, the agent of this computer answers."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.bridge import process
from tests.support.client import get
from tests.web.browser import chromium, needs_chromium, open_page

pytestmark = needs_chromium

VOICE = Path(__file__).parent.parent / "fixtures" / "voices" / "goal_mic.wav"
"""1.5 s of silence, "I want to learn Spanish in three months", 3 s of silence."""


async def test_a_spoken_goal_is_made_and_the_conversation_goes_on_in_another_tab(tmp_path: Path) -> None:
    async with process(tmp_path) as server, chromium(VOICE) as context:
        screen = await open_page(context, server.http)
        await screen.page.click("#talk")
        await screen.shows("#subtitle", "A small agent on this computer; no key is set")
        await screen.shows("[data-role=user]", re.compile("spanish", re.I), seconds=40)
        await screen.shows("[data-status=done]", "Goal", seconds=20)
        await screen.shows("#goals .thing", re.compile("spanish", re.I))
        await screen.phase("speaking")
        await screen.shows("[data-role=assistant]", re.compile("spanish", re.I))
        [goal] = await items(server.http, "goals")
        assert "spanish" in str(goal["statement"]).lower()
        assert goal["timeline"]
        await screen.page.close()

        again = await open_page(context, server.http)
        await again.shows("#goals .thing", re.compile("spanish", re.I))
        await again.page.click("#history-list a")
        await again.shows("[data-status=done]", "Goal")
        await again.page.click("#resume")
        await again.write("remind me to buy a dictionary tomorrow at five pm")
        await again.shows("[data-status=done]", "New task", seconds=20)
        await again.shows("#tasks .thing", re.compile("dictionary", re.I))
        [task] = await items(server.http, "tasks")
        assert task["scheduled_at"]
        assert len(await items(server.http, "conversations")) == 1
        await again.page.reload()
        await again.shows("#tasks .thing", re.compile("dictionary", re.I))
        assert await again.page.locator("#planner [data-new]").count() == 0
        screen.expect_quiet()
        again.expect_quiet()


async def items(http: str, path: str) -> list[dict[str, object]]:
    """A list of the REST interface."""
    found = (await get(http, f"/api/v1/{path}"))["items"]
    assert isinstance(found, list)
    return found
