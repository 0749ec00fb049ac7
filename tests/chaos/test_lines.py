"""The short form; `make chaos` runs the long one. `CHAOS_SEED` repeats a run."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.figures import percentile
from tests.chaos.lines import BACK_SECONDS, dropped, troubled


async def test_talks_go_on_over_lines_that_are_slow_silent_cut_off_and_reset(
    tmp_path: Path, seed: int
) -> None:
    world = await troubled(tmp_path, seed=seed, talks=10, faults=200, seconds=15)
    # A run in which nothing went on would prove nothing.
    assert world.cut >= 30
    assert len(world.promised) >= 100


async def test_whoever_loses_their_line_is_back_at_once_and_has_missed_nothing(
    tmp_path: Path, seed: int
) -> None:
    world = await dropped(tmp_path, seed=seed, talks=10, drops=100, seconds=10)
    assert len(world.back) >= 80
    assert percentile(world.back, 0.5) <= BACK_SECONDS
