"""Gauges of what is kept for the store, and of what else is counted when somebody asks, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Gauge

Figure = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Each is asked when the metrics are."""

    journal_bytes: Figure
    journal_entries: Figure
    """That the store does not have."""
    journal_age: Figure
    """Seconds since the oldest of those was said."""
    flush_lag: Figure
    """Seconds that the oldest of the last batch was not in the store."""
    set_aside: Figure
    store_up: Figure
    """1 or 0."""
    descriptors: Figure
    """Share of those the process may have."""
    agent_waiting: Figure
    towards_client: Figure
    """Bytes that wait for sockets."""
    towards_agent: Figure


def watch_record(registry: CollectorRegistry, figures: Figures) -> None:
    """docs/operations.md lists the names."""
    for name, text, figure in (
        ("bridge_journal_bytes", "Bytes of entries the journal holds.", figures.journal_bytes),
        ("bridge_journal_entries", "Entries the store does not have yet.", figures.journal_entries),
        ("bridge_journal_age_seconds", "Age of the oldest of them.", figures.journal_age),
        ("bridge_flush_lag_seconds", "From an entry to the store, of the last batch.", figures.flush_lag),
        ("bridge_entries_set_aside", "Entries the database refuses.", figures.set_aside),
        ("bridge_store_up", "The database took what it was given the last time.", figures.store_up),
        ("bridge_descriptors_used", "Share of the file descriptors it may have.", figures.descriptors),
        ("bridge_agent_waiting", "Sessions that wait for a place at the agent.", figures.agent_waiting),
    ):
        Gauge(name, text, registry=registry).set_function(figure)
    queued = Gauge("bridge_queued_bytes", "What waits for sockets.", ["towards"], registry=registry)
    queued.labels("client").set_function(figures.towards_client)
    queued.labels("agent").set_function(figures.towards_agent)
