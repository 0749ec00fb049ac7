"""The garbage collector looks through what lives only when nobody would notice, or when it must."""

from __future__ import annotations

import gc
import weakref
from collections.abc import AsyncIterator

import pytest

from bridge.collector import MOST_ENDED, NEVER, PASSES, Collector


class Talks:
    """Sessions that live and that have ended."""

    live = 1
    ended = 0


class Thing:
    """Something that can be in a cycle."""

    other: Thing


@pytest.fixture
def talks() -> Talks:
    return Talks()


@pytest.fixture
async def collector(talks: Talks) -> AsyncIterator[Collector]:
    async with Collector(lambda: talks.live, lambda: talks.ended) as collector:
        yield collector


def put_away(collector: Collector) -> weakref.ref[Thing]:
    """A cycle that lived until it was put away, and that nobody has any more."""
    one, other = Thing(), Thing()
    one.other, other.other = other, one
    while gc.get_count()[2] < PASSES:
        gc.collect(1)
    before = gc.get_freeze_count()
    collector.look()
    assert gc.get_freeze_count() > before
    return weakref.ref(one)


async def test_python_does_not_look_through_everything_by_itself(collector: Collector) -> None:
    assert gc.get_threshold()[2] == NEVER


async def test_what_was_put_away_is_looked_through_once_nobody_talks(
    collector: Collector, talks: Talks
) -> None:
    lost = put_away(collector)
    talks.ended = 1
    collector.look()
    gc.collect()
    assert lost() is not None, "somebody talks"
    talks.live = 0
    collector.look()
    assert lost() is None


async def test_it_is_looked_through_under_talks_too_when_many_have_ended(
    collector: Collector, talks: Talks
) -> None:
    lost = put_away(collector)
    talks.ended = MOST_ENDED
    collector.look()
    assert lost() is None


async def test_nothing_is_done_while_nothing_has_ended(collector: Collector, talks: Talks) -> None:
    lost = put_away(collector)
    talks.live = 0
    collector.look()
    assert lost() is not None


async def test_afterwards_all_is_as_before() -> None:
    before = gc.get_threshold()
    async with Collector(lambda: 0, lambda: 0):
        assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
