"""Seeds: printed when a test fails, given back with `CHAOS_SEED`."""

from __future__ import annotations

import os
import random

import pytest

from tests.support.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    seed = int(os.environ.get("CHAOS_SEED") or random.randrange(1, 10**6))
    request.node.add_report_section("setup", "seed", f"CHAOS_SEED={seed}")
    return seed
