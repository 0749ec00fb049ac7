"""A process that appends to its journal until it is killed: started by test_journal.py.

    python -m tests.persistence.appender FOLDER CONVERSATION [URL]

Prints the cursor of every entry as soon as it is durable. With a URL it flushes meanwhile; `-`: it begins a
conversation there.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

from bridge.ports import Claim
from persistence.journal import Journal
from persistence.record import open_record
from tests.persistence.build import begun, claimed, entry


async def main(folder: str, conversation_id: str, url: str = "") -> None:
    """Never returns."""
    claim = claimed(conversation_id)
    if url:
        async with open_record(url, Path(folder)) as record:
            if conversation_id == "-":
                claim = await begun(record)
            await _append(record.journal, claim)
    async with Journal(Path(folder)) as journal:
        await _append(journal, claim)


async def _append(journal: Journal, claim: Claim) -> None:
    idx = 0
    while True:
        burst = [entry(claim, idx + n, f"line {idx + n}") for n in range(random.randint(1, 20))]
        idx += len(burst)
        for item, durable in [(item, journal.append(item)) for item in burst]:
            await durable
            os.write(1, f"{item.cursor}\n".encode())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
