"""Counters and histograms that cost next to nothing to add to; Prometheus is told when it asks.

Those of `prometheus_client` lock, and look their labels up each time. These belong to the event loop's
thread alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class Counter(Collector):
    """A counter; with labels one for each set of their values."""

    def __init__(self, name: str, text: str, *labels: str, registry: CollectorRegistry) -> None:
        self._name, self._text, self._labels = name, text, labels
        self._counts: dict[tuple[str, ...], float] = {} if labels else {(): 0}
        registry.register(self)

    def add(self, *labels: str, by: float = 1) -> None:
        """Count one more, or so many; `labels`: their values."""
        self._counts[labels] = self._counts.get(labels, 0) + by

    def collect(self) -> Iterator[Metric]:
        """As Prometheus wants it."""
        family = CounterMetricFamily(self._name, self._text, labels=self._labels)
        for labels, count in self._counts.items():
            family.add_metric(labels, count)
        yield family


class Histogram(Collector):
    """A histogram; with labels one for each set of their values."""

    def __init__(
        self, name: str, text: str, *labels: str, bounds: Sequence[float], registry: CollectorRegistry
    ) -> None:
        """`bounds`: of its buckets, upper ones, ascending."""
        self._name, self._text, self._labels = name, text, labels
        self._bounds = (*bounds, float("inf"))
        self._counts: dict[tuple[str, ...], list[int]] = {}
        """Of each bucket alone."""
        self._sums: dict[tuple[str, ...], float] = {}
        if not labels:
            self._begin(())
        registry.register(self)

    def add(self, value: float, *labels: str) -> None:
        """Count one more; `labels`: their values."""
        counts = self._counts.get(labels) or self._begin(labels)
        counts[bisect_left(self._bounds, value)] += 1
        self._sums[labels] += value

    def _begin(self, labels: tuple[str, ...]) -> list[int]:
        self._counts[labels], self._sums[labels] = [0] * len(self._bounds), 0.0
        return self._counts[labels]

    def collect(self) -> Iterator[Metric]:
        """As Prometheus wants it."""
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        bounds = [*map(str, self._bounds[:-1]), "+Inf"]
        for labels, counts in self._counts.items():
            family.add_metric(labels, list(zip(bounds, accumulate(counts), strict=True)), self._sums[labels])
        yield family
