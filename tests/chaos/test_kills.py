"""The short form; `make chaos` runs the long one. `CHAOS_SEED` repeats a run."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.kills import killed

KILLS, TALKS = 100, 10


async def test_nothing_seen_is_lost_and_nothing_is_done_twice(tmp_path: Path, seed: int) -> None:
    found = await killed(tmp_path, seed=seed, kills=KILLS, talks=TALKS)
    assert found.made_progress, f"{found.moved:.1%} of the talks went on, {len(found.world.promised)} effects"
