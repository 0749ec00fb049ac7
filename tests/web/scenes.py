"""Each state of the page, brought about by a scripted agent: to be checked, and to be pictured."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from playwright.async_api import expect

from tests.support.deepgram import DeepgramSession
from tests.web.browser import DENIED, LATE
from tests.web.stage import Stage

Scene = Callable[[Stage], Awaitable[None]]

LATENCY = {"total_latency": 3.21, "stt_latency": 0.21, "ttt_latency": 2.64, "tts_latency": 0.36}
"""Seconds; the language model is over its budget."""
GOAL = {"goal_statement": "learn Spanish", "timeline": "in three months"}
TASK = {"title": "call mum", "trigger_type": "time", "scheduled_at": "tomorrow at five pm"}


async def begun(stage: Stage) -> DeepgramSession:
    """A talk with a goal in it."""
    agent, screen = await stage.tap(), stage.screen
    await agent.hear("I want to learn Spanish in three months")
    await agent.expect_answer(await agent.call("submit_goal_intent", **GOAL))
    await agent.agent_text("Your goal is saved. Shall I remind you to practise?")
    await agent.audio_done()
    await screen.shows("[data-role=assistant]", "Shall I remind you")
    await expect(screen.page.locator("#goals .thing")).to_have_count(1)
    return agent


async def idle(stage: Stage) -> None:
    """Nothing was said yet."""
    await stage.screen.phase("idle")


async def connecting(stage: Stage) -> None:
    """Tapped; the session is on its way."""
    await stage.screen.page.evaluate(LATE)
    await stage.screen.page.click("#talk")
    await stage.screen.phase("connecting")


async def listening(stage: Stage) -> None:
    """The user is speaking."""
    agent = await begun(stage)
    await agent.user_starts()
    await expect(stage.screen.page.locator("#waiting")).to_have_attribute("data-role", "user")


async def thinking(stage: Stage) -> None:
    """The agent is asked; a function runs."""
    agent = await begun(stage)
    await agent.hear("Yes, remind me to call mum tomorrow at five")
    await stage.screen.phase("thinking")


async def speaking(stage: Stage) -> None:
    """In the middle of a reply: its captions are half revealed."""
    agent = await begun(stage)
    await agent.hear("Yes, remind me to call mum tomorrow at five")
    await agent.expect_answer(await agent.call("submit_new_task_intent", **TASK))
    await agent.agent_text("Task created: call mum, tomorrow at five.")
    await stage.screen.shows("[data-role=assistant]", "call mum, tomorrow")
    await agent.audio_out(2400)
    await agent.agent_text("Is there anything else I can do for you?")
    await agent.audio_out(2400)
    await stage.screen.phase("speaking")
    await stage.screen.shows("[data-role=assistant]", "anything else")


async def reconnecting(stage: Stage) -> None:
    """The network is gone in the middle of a talk."""
    await begun(stage)
    await stage.server.app.sessions.drain(0.0)
    await stage.screen.phase("reconnecting")


async def ended(stage: Stage) -> None:
    """The user hung up."""
    await begun(stage)
    await stage.screen.page.click("#end")
    await stage.screen.phase("ended")


async def error(stage: Stage) -> None:
    """The agent cannot be reached."""
    await stage.screen.page.route("**/api/v1/voice/session", lambda route: route.abort())
    await stage.screen.page.click("#talk")
    await stage.screen.phase("error")


async def denied(stage: Stage) -> None:
    """The browser may not use the microphone."""
    await stage.screen.page.evaluate(DENIED)
    await stage.screen.page.click("#talk")
    await stage.screen.shows("#banner", "may not use the microphone")


async def past(stage: Stage) -> None:
    """A past conversation, open to read."""
    agent = await begun(stage)
    await agent.agent_text("One two three four five six seven eight nine ten.")
    await stage.screen.shows("[data-role=assistant]", "nine ten.")
    await agent.audio_out(4000)
    await stage.screen.phase("speaking")
    await stage.screen.page.wait_for_timeout(1500)
    await agent.user_starts()
    await stage.screen.shows("[data-interrupted] footer", "interrupted")
    record = f"conversations/{await stage.conversation()}/messages"
    async with asyncio.timeout(5):  # the page knows it before the record does
        while not any(entry.get("interrupted") for entry in await stage.items(record)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await stage.screen.page.click("#end")
    address = f"{stage.server.http}/#c={await stage.conversation()}"
    await stage.screen.page.goto(address)
    await stage.screen.page.reload()
    await stage.screen.shows("#past", "Continue this conversation")
    await stage.screen.shows("[data-interrupted] footer", "interrupted")


async def details(stage: Stage) -> None:
    """The drawer with the figures of a talk; the language model was too slow."""
    agent = await begun(stage)
    await agent.send({"type": "AgentStartedSpeaking", **LATENCY})
    await stage.screen.page.click("#open-details")
    await stage.screen.shows("#stages", "over budget")
    await stage.screen.shows("#figures div", re.compile(r"server\d+ ms"))


async def sign_in(stage: Stage) -> None:
    """Nobody is signed in, and the PIN was wrong."""
    await stage.screen.page.fill("#user-name", "ada")
    await stage.screen.page.fill("#user-pin", "111222")
    await stage.screen.page.keyboard.press("Enter")
    await stage.screen.shows("#sign-in-trouble", "wrong")


STATES: Final[Mapping[str, Scene]] = {
    scene.__name__: scene
    for scene in (
        idle,
        connecting,
        listening,
        thinking,
        speaking,
        reconnecting,
        ended,
        error,
        denied,
        past,
        details,
    )
}
DOORS: Final[Mapping[str, Scene]] = {"sign_in": sign_in}
"""Seen where people sign in with a PIN; axe looks at it in test_sign_in.py."""
