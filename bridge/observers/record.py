"""Gauges of what is kept for the store, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge

Figure = Callable[[], float]


def watch_record(registry: CollectorRegistry, *, size: Figure, set_aside: Figure, store_up: Figure) -> None:
    """`size`: of the journal, in bytes; `set_aside`: entries the store refuses; `store_up`: 1 or 0."""
    for name, text, figure in (
        ("bridge_journal_bytes", "Bytes of entries the journal holds.", size),
        ("bridge_entries_set_aside", "Entries the database refuses.", set_aside),
        ("bridge_store_up", "The database took what it was given the last time.", store_up),
    ):
        Gauge(name, text, registry=registry).set_function(figure)
