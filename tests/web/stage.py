"""The page, the server and a scripted agent, all started: what tests of the page and its pictures play on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.support.bridge import Running, running
from tests.support.client import get
from tests.support.deepgram import DeepgramSession, ScriptedDeepgram
from tests.web.browser import DESKTOP, Look, Microphone, Screen, chromium, open_page


@dataclass(frozen=True, slots=True)
class Stage:
    """The page, the server and the agent."""

    screen: Screen
    server: Running
    deepgram: ScriptedDeepgram

    async def tap(self) -> DeepgramSession:
        """Tap the microphone; the agent that answers."""
        await self.screen.page.click("#talk")
        agent = await self.deepgram.session(within=15)
        await self.screen.phase("listening")
        return agent

    async def small_talk(self) -> DeepgramSession:
        """Tap, and say what is answered with "When?"; the agent."""
        agent = await self.tap()
        await agent.hear("water the plants")
        await agent.say("When?")
        await self.screen.shows("[data-role=assistant]", "When?")
        return agent

    async def hold_to_talk(self) -> None:
        """Choose push-to-talk."""
        page = self.screen.page
        await page.click("#open-settings")
        await page.check("#push-to-talk")
        await page.keyboard.press("Escape")

    async def items(self, path: str) -> list[dict[str, object]]:
        """A list of the REST interface."""
        items = (await get(self.server.http, f"/api/v1/{path}"))["items"]
        assert isinstance(items, list)
        return items

    async def conversation(self) -> str:
        """Id of the only conversation there is."""
        [conversation] = await self.items("conversations")
        return str(conversation["id"])


def loudest(sound: bytes) -> int:
    """The loudest sample of linear16 sound."""
    return int(np.abs(np.frombuffer(sound[: len(sound) // 2 * 2], "<i2").astype(int)).max(initial=0))


@asynccontextmanager
async def staged(
    folder: Path,
    microphone: Microphone = "beep",
    *,
    look: Look = DESKTOP,
    script: str = "",
    **settings: object,
) -> AsyncIterator[Stage]:
    """Everything started, the page open and idle. `settings`: further ones of the server."""
    async with ScriptedDeepgram() as deepgram:
        given = {"upstream": "deepgram", "deepgram_agent_url": deepgram.url, "deepgram_api_key": "test-key"}
        async with (
            running(folder, **{**given, **settings}) as server,
            chromium(microphone, look=look) as context,
        ):
            screen = await open_page(context, server.http, script=script)
            yield Stage(screen, server, deepgram)
