"""Seeds: printed when a test fails, given back with `CHAOS_SEED`; and what holds after every test."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chaos.servers import nothing_left
from tests.support.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]


LONGEST_SECONDS = 900
"""Of a test: on a busy machine they take a multiple."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(LONGEST_SECONDS))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    seed = int(os.environ.get("CHAOS_SEED") or random.randrange(1, 10**6))
    request.node.add_report_section("setup", "seed", f"CHAOS_SEED={seed}")
    return seed


@pytest.fixture(autouse=True)
async def clean(tmp_path: Path) -> AsyncIterator[None]:
    """No chaos test leaves a task or a server behind."""
    async with nothing_left(tmp_path):
        yield
