"""One answer has the figures of all workers, whoever is asked, and tells how many are missing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from bridge.observers import siblings
from bridge.observers.scrape import Scrape
from bridge.observers.siblings import Siblings, Worker
from tests.support.serving import silent


@pytest.fixture
def folder() -> Iterator[Path]:
    """Its name is short: that of a socket may not be long."""
    with TemporaryDirectory() as name:
        yield Path(name)


@asynccontextmanager
async def workers(folder: Path, count: int) -> AsyncIterator[list[Scrape]]:
    """So many; each has counted as much as its number."""
    async with AsyncExitStack() as stack:
        scrapes = []
        for number in range(1, count + 1):
            registry = CollectorRegistry()
            Counter("calls", 'Calls, of "all" kinds\n# HELP.', ["agent"], registry=registry).labels(
                "a\n# HELP"
            ).inc(number)
            Gauge("depth", "Depth.", registry=registry).set_function(partial(float, number * 10))
            Histogram("took_seconds", "Time.", buckets=(1.0,), registry=registry).observe(number)
            one = Siblings(Worker(number, folder))
            scrapes.append(Scrape(registry, one))
            await stack.enter_async_context(one)
        yield scrapes


async def samples(asked: Scrape) -> dict[str, list[Sample]]:
    """Name → its samples; each name is described once and no sample is there twice."""
    families = [*text_string_to_metric_families((await asked.text()).decode())]
    assert len({family.name for family in families}) == len(families)
    found: dict[str, list[Sample]] = {}
    for sample in (sample for family in families for sample in family.samples):
        found.setdefault(sample.name, []).append(sample)
    for same in found.values():
        assert len({str(sorted(sample.labels.items())) for sample in same}) == len(same)
    return found


async def test_whoever_is_asked_tells_the_figures_of_all(folder: Path) -> None:
    async with workers(folder, 3) as scrapes:
        for asked in scrapes:
            told = await samples(asked)
            assert {(s.labels["worker"], s.value) for s in told["calls_total"]} == {
                ("1", 1.0),
                ("2", 2.0),
                ("3", 3.0),
            }
            assert all(s.labels["pid"] == str(os.getpid()) for s in told["depth"])
            assert all(s.labels["agent"] == "a\n# HELP" for s in told["calls_total"])
            assert sum(s.value for s in told["depth"]) == 60
            assert sum(s.value for s in told["took_seconds_bucket"] if s.labels["le"] == "1.0") == 1
            assert [s.value for s in told["bridge_figures_missing"]] == [0]


async def test_one_that_does_not_answer_is_counted_and_holds_up_nobody(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(siblings, "ANSWER_SECONDS", 0.1)
    server = await asyncio.start_unix_server(silent, folder / "2-99.sock")
    async with workers(folder, 1) as [asked]:
        told = await samples(asked)
    server.close()
    assert [s.value for s in told["bridge_figures_missing"]] == [1]
    assert [s.value for s in told["calls_total"]] == [1]


async def test_one_alone_has_no_labels_of_its_own() -> None:
    registry = CollectorRegistry()
    Counter("calls", "Calls.", registry=registry).inc()
    told = await samples(Scrape(registry, Siblings()))
    assert told["calls_total"][0].labels == {}
    assert [s.value for s in told["bridge_figures_missing"]] == [0]
