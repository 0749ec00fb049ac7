"""The loop's watch sees a step that takes long, and counts tasks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry

from bridge.observers.loop import LoopWatch

LAG, BUSY = "bridge_loop_lag_seconds", "bridge_loop_busy_seconds"


def over(registry: CollectorRegistry, name: str, seconds: str) -> float:
    """How many looks found more than that."""
    value = registry.get_sample_value
    return (value(f"{name}_count") or 0) - (value(f"{name}_bucket", {"le": seconds}) or 0)


async def next_look(registry: CollectorRegistry) -> None:
    """The loop has been looked at once more; the next look has begun."""
    seen = registry.get_sample_value(f"{BUSY}_count")
    async with asyncio.timeout(10):
        while registry.get_sample_value(f"{BUSY}_count") == seen:  # noqa: ASYNC110
            await asyncio.sleep(0)


async def found(registry: CollectorRegistry, step: Callable[[float], None]) -> tuple[bool, bool]:
    """Whether the look during which a step of 0.3 s was made found the loop late, and busy."""
    with LoopWatch(registry):
        await next_look(registry)
        late, busy = (over(registry, name, "0.25") for name in (LAG, BUSY))
        step(0.3)
        await next_look(registry)
        return over(registry, LAG, "0.25") > late, over(registry, BUSY, "0.25") > busy


def compute(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


async def test_a_step_that_computes_for_long_makes_the_loop_late_and_busy() -> None:
    assert await found(CollectorRegistry(), compute) == (True, True)


async def test_a_step_that_waits_makes_it_late_only() -> None:
    assert await found(CollectorRegistry(), time.sleep) == (True, False)


async def test_what_is_done_before_the_loop_goes_on_as_a_server_starts_counts_for_nothing() -> None:
    registry = CollectorRegistry()
    with LoopWatch(registry):
        compute(0.3)
        await next_look(registry)
        assert over(registry, LAG, "0.25") == 0


async def test_tasks_are_counted_while_it_watches() -> None:
    registry = CollectorRegistry()
    watch = LoopWatch(registry)
    assert registry.get_sample_value("bridge_tasks") == 0
    with watch:
        before = registry.get_sample_value("bridge_tasks")
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0))
            assert registry.get_sample_value("bridge_tasks") == (before or 0) + 1
