"""The short form; `make chaos` runs the long one. `CHAOS_SEED` repeats a run."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.soak import MEBIBYTE, MOST_MORE, WAYS, soaked


async def test_of_hundreds_of_calls_nothing_stays_behind(tmp_path: Path, seed: int) -> None:
    soak = await soaked(tmp_path, seed=seed, warm=100, calls=300, at_once=30)
    assert set(soak.ended) == set(WAYS)
    assert soak.ended.total() == 400
    assert soak.after.descriptors <= soak.before.descriptors + MOST_MORE
    assert soak.after.memory <= soak.before.memory + 30 * MEBIBYTE
