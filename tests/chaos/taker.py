"""A process that takes conversations from another one, and acts in each: started by doubles.py.

    python -m tests.chaos.taker URL FOLDER NAME TAKEOVERS CONVERSATION…

Says "ready", waits for a line, takes each conversation in turn and prints what came of it, as JSON:
[conversation, epoch, id of the goal or null when somebody newer had it].
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

import orjson

from bridge.errors import StaleEpoch
from persistence.record import Record, open_record
from tests.persistence.build import USER, adds_goal, job

Taken = tuple[str, int, str | None]


async def main(url: str, folder: str, name: str, takeovers: str, *conversations: str) -> None:
    """All conversations side by side, each so often that there are so many takeovers."""
    async with open_record(url, Path(folder)) as record:
        os.write(1, b"ready\n")
        await asyncio.to_thread(sys.stdin.readline)
        each = int(takeovers) // len(conversations)
        found = await asyncio.gather(*[_take(record, name, x, each) for x in conversations])
    sys.stdout.buffer.write(orjson.dumps([taken for mine in found for taken in mine]) + b"\n")


async def _take(record: Record, name: str, conversation: str, times: int) -> list[Taken]:
    taken: list[Taken] = []
    for n in range(times):
        claim = await record.store.claim(USER, agent="flux", conversation_id=conversation)
        goal = None
        call, handle = job(claim, call_id=f"{name}-{n}"), adds_goal(f"{conversation} {claim.epoch}")
        with suppress(StaleEpoch):
            goal = (await record.ledger.run_once(call, {}, handle)).goal_id
        await record.store.release(USER, conversation, epoch=claim.epoch, seconds=0)
        taken.append((conversation, claim.epoch, goal))
    return taken


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
