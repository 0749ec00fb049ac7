"""A handler that does what none should: it computes on the event loop. For the server of a test."""

from __future__ import annotations

import time

from bridge.ports import Job, Transaction
from intents.arguments import Arguments

BLOCKED_SECONDS = 0.8


async def block(transaction: Transaction, job: Job, arguments: Arguments) -> str:
    """Nobody else is served meanwhile."""
    time.sleep(BLOCKED_SECONDS)  # noqa: ASYNC251 - that is the point
    return "Done."
