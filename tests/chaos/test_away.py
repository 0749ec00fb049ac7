"""The short form; `make chaos` runs the long one. `CHAOS_SEED` repeats a run."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.away import away
from tests.support.postgres import PostgresServer


async def test_while_the_store_is_away_the_talks_go_on(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str, seed: int
) -> None:
    found = await away(tmp_path, seed=seed, talks=30, seconds=20, postgres=postgres_server, url=postgres_url)
    assert found.cut == 0
    assert found.during(found.world.answered, 1.0) < 1.5
    assert found.drained < 10
