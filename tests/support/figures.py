"""Every metric there is, registered as the server does."""

from __future__ import annotations

from dataclasses import fields

from prometheus_client import CollectorRegistry

from bridge.observers.latency import Latency
from bridge.observers.loop import LoopWatch
from bridge.observers.metrics import Metrics
from bridge.observers.record import Figures, watch_record
from bridge.observers.scrape import Scrape
from bridge.observers.siblings import Siblings


def every_figure() -> CollectorRegistry:
    """A registry with all of them; what is counted when somebody asks is 0."""
    registry = CollectorRegistry()
    Metrics(registry)
    Latency(registry)
    LoopWatch(registry)
    watch_record(registry, Figures(**{field.name: lambda: 0.0 for field in fields(Figures)}))
    registry.register(Scrape(registry, Siblings()).missing)
    return registry
