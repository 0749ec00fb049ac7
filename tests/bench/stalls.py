"""How late the bridge's event loop was while it was measured, as it tells itself."""

from __future__ import annotations

import math
from collections import Counter

from prometheus_client.parser import text_string_to_metric_families

from tests.bench.http import ask

METRIC = "bridge_loop_lag_seconds"

Stalls = Counter[float]
"""How often it was late by at most that many milliseconds, and more than the bound below."""


async def read_stalls(address: str) -> Stalls:
    """All since the start. `address`: host:port of a bridge."""
    families = text_string_to_metric_families((await ask(address, "GET", "/metrics")).decode())
    found, below = Stalls(), 0.0
    for family in families:
        for sample in family.samples:
            if sample.name == f"{METRIC}_bucket":
                found[1000 * float(sample.labels["le"])] = int(sample.value - below)
                below = sample.value
    return found


def bound(stalls: Stalls, percent: float) -> float:
    """Milliseconds that so many percent of the looks did not pass; not a number when there were none."""
    left = math.ceil(stalls.total() * percent / 100)
    for most, count in sorted(stalls.items()):
        left -= count
        if left <= 0 < count:
            return most
    return math.nan


def tell(stalls: Stalls) -> str:
    """One line of the report."""
    of = ", ".join(f"p{percent:g} ≤ {bound(stalls, percent):g}" for percent in (50, 99, 99.9))
    longest = f"the longest ≤ {bound(stalls, 100):g}"
    return f"The bridge's event loop was late by, ms: {of}, {longest} ({stalls.total()} looks)."
