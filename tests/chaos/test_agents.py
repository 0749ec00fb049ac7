"""The short form; `make chaos` runs the long one. `CHAOS_SEED` repeats a run."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.agents import ADDED_SECONDS, cut_off
from tests.chaos.figures import percentile
from tests.chaos.turns import PLACES, WAYS


async def test_wherever_and_however_its_agent_is_cut_off_a_turn_comes_to_its_end(
    tmp_path: Path, seed: int
) -> None:
    world = await cut_off(tmp_path, seed=seed, rounds=1)
    assert len(world.added) == sum(map(len, PLACES.values())) * len(WAYS)
    assert percentile(world.added, 0.5) <= ADDED_SECONDS  # the long form measures on a machine of its own
