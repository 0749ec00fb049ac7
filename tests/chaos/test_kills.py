"""The short form; `make chaos` runs the long one. `CHAOS_SEED` repeats a run."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.kills import killed, made_progress

KILLS, TALKS = 100, 10


async def test_nothing_seen_is_lost_and_nothing_is_done_twice(tmp_path: Path, seed: int) -> None:
    world = await killed(tmp_path, seed=seed, kills=KILLS, talks=TALKS)
    assert made_progress(world, KILLS, TALKS)
