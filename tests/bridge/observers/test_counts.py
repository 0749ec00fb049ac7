"""Our counters and histograms read as Prometheus' own do."""

from __future__ import annotations

import prometheus_client as prometheus
from prometheus_client import CollectorRegistry, generate_latest

from bridge.observers.counts import Counter, Histogram

BOUNDS = (0.001, 0.5, 10.0)
VALUES = (0.0, 0.0005, 0.001, 0.0011, 0.4, 10.0, 10.5, 86400.0)
"""Below, at and above bounds."""


def told(registry: CollectorRegistry) -> list[str]:
    """What Prometheus reads, but for when each began."""
    return [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]


def test_a_counter_reads_as_prometheus_own() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    calls, their_calls = (
        Counter("calls", "Calls.", "agent", "status", registry=ours),
        prometheus.Counter("calls", "Calls.", ["agent", "status"], registry=theirs),
    )
    lost, their_lost = (
        Counter("lost", "Lost.", registry=ours),
        prometheus.Counter("lost", "Lost.", registry=theirs),
    )
    assert told(ours) == told(theirs)
    for labels in (("flux", "done"), ("flux", 'so "called"\\\n'), ("flux", "done")):
        calls.add(*labels)
        their_calls.labels(*labels).inc()
    lost.add(by=0.25)
    their_lost.inc(0.25)
    calls.add("pantry", "done", by=False)
    their_calls.labels("pantry", "done").inc(0)
    assert told(ours) == told(theirs)


def test_a_histogram_reads_as_prometheus_own() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    late, their_late = (
        Histogram("late", "Late.", "kind", bounds=BOUNDS, registry=ours),
        prometheus.Histogram("late", "Late.", ["kind"], buckets=BOUNDS, registry=theirs),
    )
    busy, their_busy = (
        Histogram("busy", "Busy.", bounds=BOUNDS, registry=ours),
        prometheus.Histogram("busy", "Busy.", buckets=BOUNDS, registry=theirs),
    )
    assert told(ours) == told(theirs)
    for value in VALUES:
        for kind in ("message", "call"):
            late.add(value, kind)
            their_late.labels(kind).observe(value)
        busy.add(value)
        their_busy.observe(value)
    assert told(ours) == told(theirs)
