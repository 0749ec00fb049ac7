"""The short form; `make chaos` runs the long one. `CHAOS_SEED` repeats a run."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.doubles import TOLD_SECONDS, doubled, fought_over, taken
from tests.chaos.figures import percentile


async def test_of_many_calls_that_come_twice_each_has_one_effect(tmp_path: Path, postgres_url: str) -> None:
    await doubled(tmp_path, url=postgres_url, calls=5000)


async def test_whoever_takes_a_conversation_last_acts_alone(tmp_path: Path, postgres_url: str) -> None:
    assert await taken(tmp_path, url=postgres_url, takeovers=1000) > 0


async def test_a_conversation_that_is_fought_over_is_whole(
    tmp_path: Path, postgres_url: str, seed: int
) -> None:
    world = await fought_over(tmp_path, seed=seed, url=postgres_url, takeovers=150)
    assert len(world.promised) > 50
    told = percentile([one.seconds for one in world.taken_over], 0.5)
    assert told <= TOLD_SECONDS  # the long form measures the slow ones, on a machine of its own
