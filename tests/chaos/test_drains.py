"""The short form; `make chaos` runs the long one. `CHAOS_SEED` repeats a run."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.drains import drained, rolled


async def test_no_turn_is_cut_off_when_the_server_is_stopped(tmp_path: Path, seed: int) -> None:
    await drained(tmp_path, seed=seed, talks=200)


async def test_nobody_notices_that_workers_are_renewed(tmp_path: Path, seed: int, postgres_url: str) -> None:
    world = await rolled(tmp_path, seed=seed, talks=20, rolls=1, url=postgres_url)
    assert world.cut >= 15
    assert world.failed == 0
