"""A process that runs the same calls as another one, as fast as it can: started by test_ledger.py.

    python -m tests.persistence.racer URL FOLDER CONVERSATION REQUEST COUNT

Says "ready", waits for a line, runs COUNT calls and prints the id each of them got for its goal, as JSON.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import orjson

from bridge.core.model import Conversation, Person
from bridge.errors import StoreUnavailable
from bridge.ports import Claim
from persistence.record import open_record
from tests.persistence.build import USER, adds_goal, adds_task, job


async def main(url: str, folder: str, conversation_id: str, request: str, count: str) -> None:
    """Even numbers are the same call in both processes, odd ones the same wish under another id."""
    now = datetime.now(UTC)
    conversation = Conversation(
        id=conversation_id, user_id=USER, agent="flux", title="", started_at=now, last_activity_at=now
    )
    claim = Claim(person=Person(id=USER), conversation=conversation, epoch=1, history=())
    async with open_record(url, Path(folder)) as record:
        os.write(1, b"ready\n")
        await asyncio.to_thread(sys.stdin.readline)
        limit = asyncio.Semaphore(4)

        async def once(n: int) -> str | None:
            if n % 2:
                wish = job(claim, name="add_task", request=request, call_id=f"{request}-{n}")
                return (await record.ledger.run_once(wish, {"title": f"Run {n}"}, adds_task())).task_id
            same = job(claim, call_id=f"call-{n}")
            return (await record.ledger.run_once(same, {"n": n}, adds_goal())).goal_id

        async def call(n: int) -> str | None:
            async with limit:
                while True:
                    with suppress(StoreUnavailable):  # locked for long: tried again, as what is noted is
                        return await once(n)

        ids = await asyncio.gather(*[call(n) for n in range(int(count))])
    sys.stdout.buffer.write(orjson.dumps(ids) + b"\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
