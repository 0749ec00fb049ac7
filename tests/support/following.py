"""A reader of `/events`: server-sent events as they come over a real connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2


@dataclass(slots=True)
class Reading:
    """One stream."""

    lines: AsyncIterator[str]
    cursor: str = ""
    """`id` of the last event."""

    async def next(self) -> dict[str, Any] | None:
        """The entry of the next event, whose cursor is its id; None: the stream has ended."""
        async with asyncio.timeout(20):
            async for line in self.lines:
                if line.startswith("id: "):
                    self.cursor = line.removeprefix("id: ")
                if line.startswith("data: "):
                    message = json.loads(line.removeprefix("data: "))
                    assert message["type"] == "BridgeEntry"
                    assert message["entry"]["cursor"] == self.cursor
                    return dict(message["entry"])
        return None

    async def said(self, count: int) -> list[str]:
        """What the next so many messages say."""
        entries = [await self.next() for _ in range(count)]
        return [entry["content"] for entry in entries if entry]

    async def rest(self) -> list[str]:
        """What is said until the end of the stream."""
        said = []
        while entry := await self.next():
            said.append(str(entry["content"]))
        return said


@asynccontextmanager
async def following(
    http: httpx2.AsyncClient, conversation_id: str, *, seen: str = "", **headers: str
) -> AsyncIterator[Reading]:
    """A reader, from after the cursor `seen`."""
    if seen:
        headers["Last-Event-ID"] = seen
    path = f"/api/v1/conversations/{conversation_id}/events"
    async with http.stream("GET", path, headers=headers, timeout=30) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Reading(answer.aiter_lines())
