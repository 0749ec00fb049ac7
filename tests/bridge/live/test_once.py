"""Something that happens once."""

from __future__ import annotations

import asyncio

import pytest

from bridge.live.once import Once


async def test_all_who_wait_go_on_when_it_happens_and_nobody_waits_afterwards() -> None:
    once = Once()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(once.wait())
        await asyncio.sleep(0)
        assert not once.is_set()
        once.set()
        once.set()
    assert once.is_set()
    await once.wait()


async def test_who_waits_no_longer_holds_up_nobody() -> None:
    once = Once()
    async with asyncio.timeout(5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await once.wait()
        waiting = asyncio.create_task(once.wait())
        await asyncio.sleep(0)
        waiting.cancel()
        once.set()  # before the cancelled one has run
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        await once.wait()
