"""A process that relays in the pattern of VoiceRAG's RTMiddleTier: aiohttp on both sides, two tasks.

To compare with. Sound is base64 in JSON; each message is parsed to see what it is, and goes on as it came
unless it is one to change. It runs in an environment of its own (environments.py), on the stock event
loop, as `web.run_app` has it.

python -m tests.bench.middle_tier ws://agent        prints "listening on host:port", runs until it is killed
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import TypeAlias

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web

from tests.bench.listening import listen

Socket: TypeAlias = web.WebSocketResponse | ClientWebSocketResponse
Look = Callable[[str], str | None]
"""What goes on of a message; None: nothing."""


class MiddleTier:
    """Stands between clients and the agent."""

    def __init__(self, agent: str) -> None:
        self._agent = agent

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        client = web.WebSocketResponse()
        await client.prepare(request)
        async with (
            ClientSession() as session,
            session.ws_connect(self._agent) as agent,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(_forward(agent, client, to_client), name="to-client")
            await _forward(client, agent, to_agent)
            await agent.close()
        return client


async def _forward(source: Socket, target: Socket, look: Look) -> None:
    async for message in source:
        if message.type is WSMsgType.TEXT and (text := look(message.data)) is not None:
            await target.send_str(text)


def to_agent(text: str) -> str | None:
    """The server's instructions take the place of a client's."""
    message = json.loads(text)
    if message["type"] != "session.update":
        return text
    message["session"] |= {"instructions": "", "tools": [], "tool_choice": "none"}
    return json.dumps(message)


def to_client(text: str) -> str | None:
    """Instructions and function calls are the server's own affair."""
    message = json.loads(text)
    match message["type"]:
        case "session.created":
            message["session"] |= {"instructions": "", "tools": []}
            return json.dumps(message)
        case "response.function_call_arguments.delta" | "response.function_call_arguments.done":
            return None
    return text


def main(agent: str) -> None:
    """Serve on a free loopback port."""
    app = web.Application()
    app.router.add_get("/{path:.*}", MiddleTier(agent).serve)
    web.run_app(app, sock=listen(), print=None, access_log=None)


if __name__ == "__main__":
    main(sys.argv[1])
