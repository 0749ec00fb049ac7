"""The server of these tests: one for each that changes something, one a file for those that only ask."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.bridge.routes.front import Front, front


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Front]:
    async with front(tmp_path) as bridge:
        yield bridge


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """For tests marked `@on_shared_loop`; it allows the origin https://app.example.com."""
    async with front(tmp_path_factory.mktemp("shared"), origins=["https://app.example.com"]) as bridge:
        yield bridge
