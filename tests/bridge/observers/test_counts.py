"""Our counters and histograms read as Prometheus' own do."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from bridge.observers.counts import Spread, Tally

BOUNDS = (0.001, 0.5, 10.0)
VALUES = (0.0, 0.0005, 0.001, 0.0011, 0.4, 10.0, 10.5, 86400.0)
"""Below, at and above bounds."""


def told(registry: CollectorRegistry) -> list[str]:
    """What Prometheus reads, but for when each began."""
    return [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]


def test_counters() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    tally, counter = (
        Tally("calls", "Calls.", "agent", "status", registry=ours),
        Counter("calls", "Calls.", ["agent", "status"], registry=theirs),
    )
    alone, single = Tally("lost", "Lost.", registry=ours), Counter("lost", "Lost.", registry=theirs)
    assert told(ours) == told(theirs)
    for labels in (("flux", "done"), ("flux", 'so "called"\\\n'), ("flux", "done")):
        tally.add(*labels)
        counter.labels(*labels).inc()
    alone.add(by=0.25)
    single.inc(0.25)
    tally.add("pantry", "done", by=False)
    counter.labels("pantry", "done").inc(0)
    assert told(ours) == told(theirs)


def test_histograms() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    spread, histogram = (
        Spread("late", "Late.", "kind", bounds=BOUNDS, registry=ours),
        Histogram("late", "Late.", ["kind"], buckets=BOUNDS, registry=theirs),
    )
    alone = Spread("busy", "Busy.", bounds=BOUNDS, registry=ours)
    single = Histogram("busy", "Busy.", buckets=BOUNDS, registry=theirs)
    assert told(ours) == told(theirs)
    for value in VALUES:
        for kind in ("message", "call"):
            spread.add(value, kind)
            histogram.labels(kind).observe(value)
        alone.add(value)
        single.observe(value)
    assert told(ours) == told(theirs)
