"""Timers: each rings when it is due, whatever became of the one before it."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable

import pytest

from bridge.core import timers as due
from bridge.core.timers import Timer
from bridge.live.timers import RESOLUTION, Timers


class Bell:
    """Timers, and what they rang with how many seconds after the begin."""

    def __init__(self, then: Callable[[Bell, Timer], None] | None = None) -> None:
        self._then = then
        self._clock = asyncio.get_running_loop().time
        self._begin = self._clock()
        self.rang: list[tuple[Timer, float]] = []
        self.timers = Timers(self.ring)

    def ring(self, event: Timer) -> None:
        self.rang.append((event, self._clock() - self._begin))
        if self._then:
            self._then(self, event)

    async def expect(self, *seconds_and_events: tuple[float, Timer]) -> None:
        """These ring, none too early, in this order; and nothing else for a while."""
        async with asyncio.timeout(2):
            while len(self.rang) < len(seconds_and_events):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert [event for event, _ in self.rang] == [event for _, event in seconds_and_events]
        for (_, at), (seconds, _) in zip(self.rang, seconds_and_events, strict=True):
            assert at >= seconds - RESOLUTION


async def test_they_ring_in_the_order_they_are_due() -> None:
    bell = Bell()
    bell.timers.set(0.06, due.IdleReached())
    bell.timers.set(0.02, due.CutDue())
    bell.timers.set(0.04, due.PauseDue())
    await bell.expect((0.02, due.CutDue()), (0.04, due.PauseDue()), (0.06, due.IdleReached()))


@pytest.mark.parametrize(("first", "then"), [(0.02, 0.08), (0.08, 0.02)], ids=["later", "earlier"])
async def test_a_timer_that_is_set_again_rings_only_then(first: float, then: float) -> None:
    bell = Bell()
    bell.timers.set(first, due.ReopenDue(1))
    bell.timers.set(then, due.ReopenDue(2))
    await bell.expect((then, due.ReopenDue(2)))


async def test_one_that_is_forgotten_does_not_ring() -> None:
    bell = Bell()
    bell.timers.set(0.02, due.CutDue())
    bell.timers.set(0.04, due.PauseDue())
    bell.timers.forget(due.CutDue)
    bell.timers.forget(due.IdleOver)
    await bell.expect((0.04, due.PauseDue()))


async def test_what_rings_may_set_and_forget_others_that_are_due_with_it() -> None:
    def then(bell: Bell, event: Timer) -> None:
        if event == due.CutDue():
            bell.timers.forget(due.PauseDue)
            bell.timers.set(0.03, due.IdleOver())
            bell.timers.set(0, due.ReopenDue())

    bell = Bell(then)
    bell.timers.set(0.02, due.CutDue())
    bell.timers.set(0.02, due.PauseDue())
    bell.timers.set(0.02, due.IdleOver())
    await bell.expect((0.02, due.CutDue()), (0.02, due.ReopenDue()), (0.05, due.IdleOver()))


async def test_nothing_rings_once_they_are_cancelled_and_nobody_is_held() -> None:
    bell = Bell()
    gone, timers = weakref.ref(bell), bell.timers
    timers.set(0.02, due.CutDue())
    timers.cancel()
    del bell
    assert gone() is None
    await asyncio.sleep(0.05)
