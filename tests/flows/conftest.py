"""Flows on a real PostgreSQL; whatever a flow does, nothing that is secret or was said gets into a log."""

from collections.abc import Iterator

import pytest

from tests.support.planted import Planted, watched
from tests.support.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Planted]:
    """Looks through all that the servers of a test have logged, at DEBUG."""
    with watched(monkeypatch) as noted:
        yield noted
    assert noted.found() == []
