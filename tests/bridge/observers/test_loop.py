"""The loop's watch sees a step that takes long, and counts tasks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry

from bridge.observers.loop import INTERVAL_SECONDS, LoopWatch


def over(registry: CollectorRegistry, name: str, seconds: str) -> float:
    """How many looks found more than that."""
    value = registry.get_sample_value
    return (value(f"{name}_count") or 0) - (value(f"{name}_bucket", {"le": seconds}) or 0)


async def looks(registry: CollectorRegistry, step: Callable[[float], None]) -> list[float]:
    """How many looks more found the loop late, and busy, after a step of 0.3 s."""
    names = ("bridge_loop_lag_seconds", "bridge_loop_busy_seconds")
    async with LoopWatch(registry):
        await asyncio.sleep(2 * INTERVAL_SECONDS)
        before = [over(registry, name, "0.25") for name in names]
        step(0.3)
        await asyncio.sleep(2 * INTERVAL_SECONDS)
        return [over(registry, name, "0.25") - count for name, count in zip(names, before, strict=True)]


def compute(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


async def test_a_step_that_computes_for_long_makes_the_loop_late_and_busy() -> None:
    assert await looks(CollectorRegistry(), compute) == [1, 1]


async def test_a_step_that_waits_makes_it_late_only() -> None:
    assert await looks(CollectorRegistry(), time.sleep) == [1, 0]


async def test_tasks_are_counted_while_it_watches() -> None:
    registry = CollectorRegistry()
    watch = LoopWatch(registry)
    assert registry.get_sample_value("bridge_tasks") == 0
    async with watch:
        before = registry.get_sample_value("bridge_tasks")
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0))
            assert registry.get_sample_value("bridge_tasks") == (before or 0) + 1
