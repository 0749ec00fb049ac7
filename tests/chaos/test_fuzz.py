"""The short form; `make chaos` runs the long one. `CHAOS_SEED` repeats a run."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.fuzz import NEIGHBOURS, fuzzed

FRAMES, TALKS, PIECES = 20_000, 20, 3_000


async def test_nonsense_from_both_sides_breaks_nothing_and_neighbours_talk_on(
    tmp_path: Path, seed: int
) -> None:
    world, fuzz = await fuzzed(tmp_path, seed=seed, frames=FRAMES, talks=TALKS, pieces=PIECES)
    assert fuzz.sessions >= TALKS
    # The neighbours made a turn a second and more, and nobody waited long for anything.
    assert len(world.promised) >= 5 * NEIGHBOURS
    assert max(one.seconds for one in world.shown) < 5
    assert max(one.seconds for one in fuzz.pulse) < 5
