"""A turn of a scripted agent, event by event, and the ways in which its socket can end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from enum import Enum

from tests.support.deepgram import DeepgramSession

WAYS = ("1000", "1005", "1006", "1011", "1012", "RST")
"""How the agent's socket ends: with that close code; 1005 = a close frame without one, 1006 = none at all."""
ANSWER_SECONDS = 30.0


class Order(Enum):
    """When the agent calls a function in its turn."""

    AFTER_TEXT = "after the user's text"
    BEFORE_TEXT = "before the user's text"
    NEVER = "never"


async def turn(session: DeepgramSession, wish: str, order: Order) -> AsyncIterator[str]:
    """A whole turn; stops at each event boundary with what happened last."""
    call = ""
    yield "nothing"
    await session.user_starts()
    yield "UserStartedSpeaking"
    if order is Order.BEFORE_TEXT:
        call = await session.call("submit_goal_intent", goal_statement=wish)
        yield CALL
    await session.user_text(wish)
    yield "user"
    await session.send({"type": "EndOfTurn", "trigger": "model"})
    yield "EndOfTurn"
    if order is Order.AFTER_TEXT:
        call = await session.call("submit_goal_intent", goal_statement=wish)
        yield CALL
    if call:
        await session.expect_answer(call, within=ANSWER_SECONDS)
        yield ANSWER
    async for place in _reply(session, wish):
        yield place


async def _reply(session: DeepgramSession, wish: str) -> AsyncIterator[str]:
    await session.send({"type": "AgentThinking", "content": ""})
    yield "AgentThinking"
    await session.send({"type": "AgentStartedSpeaking"})
    yield "AgentStartedSpeaking"
    await session.agent_text(f"Done: {wish}.")
    yield "assistant"
    await session.audio_out(80)
    yield "sound"
    await session.audio_done()
    yield "AgentAudioDone"


TEXT = ("user", "EndOfTurn")
CALL, ANSWER = "FunctionCallRequest", "FunctionCallResponse"
REPLY = ("AgentThinking", "AgentStartedSpeaking", "assistant", "sound", "AgentAudioDone")
PLACES: Mapping[Order, Sequence[str]] = {
    Order.AFTER_TEXT: ("nothing", "UserStartedSpeaking", *TEXT, CALL, ANSWER, *REPLY),
    Order.BEFORE_TEXT: ("nothing", "UserStartedSpeaking", CALL, *TEXT, ANSWER, *REPLY),
    Order.NEVER: ("nothing", "UserStartedSpeaking", *TEXT, *REPLY),
}
"""The event boundaries of a turn."""


async def cut(session: DeepgramSession, way: str) -> None:
    """End the agent's socket in that way."""
    socket = session._socket
    match way:
        case "RST":
            session.reset()
        case "1006":
            socket.transport.close()
        case "1005":
            socket.protocol.send_close()
            socket.send_data()
        case code:
            await session.close(int(code))
