"""The short form; `make chaos` runs the long one. `CHAOS_SEED` repeats a run."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.noted import noted
from tests.support.postgres import PostgresServer


async def test_a_server_killed_while_it_runs_noted_calls_has_run_each_once(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str, seed: int
) -> None:
    _, many = await noted(tmp_path, seed=seed, talks=4, calls=5, postgres=postgres_server, url=postgres_url)
    assert many >= 10
