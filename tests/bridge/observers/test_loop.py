"""The loop's watch sees a step that takes long, and counts tasks."""

from __future__ import annotations

import asyncio
import time

from prometheus_client import CollectorRegistry

from bridge.observers.loop import INTERVAL_SECONDS, LoopWatch


def late(registry: CollectorRegistry, seconds: str) -> float:
    """How often the loop was later than that."""
    value = registry.get_sample_value
    all_looks = value("bridge_loop_lag_seconds_count") or 0
    return all_looks - (value("bridge_loop_lag_seconds_bucket", {"le": seconds}) or 0)


def hold_up() -> None:
    time.sleep(0.3)


async def test_a_step_that_takes_long_is_seen() -> None:
    registry = CollectorRegistry()
    async with LoopWatch(registry):
        await asyncio.sleep(2 * INTERVAL_SECONDS)
        before = late(registry, "0.25")
        hold_up()
        await asyncio.sleep(2 * INTERVAL_SECONDS)
        assert late(registry, "0.25") == before + 1


async def test_tasks_are_counted_while_it_watches() -> None:
    registry = CollectorRegistry()
    watch = LoopWatch(registry)
    assert registry.get_sample_value("bridge_tasks") == 0
    async with watch:
        before = registry.get_sample_value("bridge_tasks")
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0))
            assert registry.get_sample_value("bridge_tasks") == (before or 0) + 1
