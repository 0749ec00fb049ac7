"""The short form; `make chaos` runs the long one. `CHAOS_SEED` repeats a run."""

from __future__ import annotations

import os
import random
from pathlib import Path

from tests.chaos.kills import killed

KILLS, TALKS = 10, 6


async def test_nothing_seen_is_lost_and_nothing_is_done_twice(tmp_path: Path) -> None:
    seed = int(os.environ.get("CHAOS_SEED") or random.randrange(1, 10**6))
    world = await killed(tmp_path, seed=seed, kills=KILLS, talks=TALKS)
    # A run in which everything failed would prove nothing.
    assert world.resumed >= TALKS * (KILLS - 1) * 0.8
    assert len(world.promised) >= TALKS * KILLS
