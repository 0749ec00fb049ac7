"""What /metrics answers: the figures of this process and of its siblings, those of each with its labels."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from bridge.observers.siblings import Siblings

FAMILY = re.compile(rb"^(?=# HELP )", re.MULTILINE)
SAMPLE = re.compile(rb"^(\w+)([{ ])", re.MULTILINE)
"""Its name, and what comes after it."""


class Scrape:
    """Made, it tells its siblings its own figures."""

    def __init__(self, registry: CollectorRegistry, siblings: Siblings) -> None:
        """Without siblings the figures have no labels of the process."""
        self._registry = registry
        self._siblings = siblings
        self.missing = Gauge("bridge_figures_missing", "Processes that told no figures.", registry=None)
        """Not in the registry: it is about this one answer."""
        siblings.answers["figures"] = lambda _: self._own()

    async def text(self) -> bytes:
        """The figures of all, as Prometheus reads them."""
        told = await self._siblings.ask("figures")
        self.missing.set(told.count(None))
        return joined([self._own(), *filter(None, told)]) + generate_latest(self.missing)

    def _own(self) -> bytes:
        figures, worker = generate_latest(self._registry), self._siblings.worker
        if worker is None:
            return figures
        return labelled(figures, b'pid="%d",worker="%d"' % (os.getpid(), worker.number))


def joined(texts: Iterable[bytes]) -> bytes:
    """One text of several: the samples of a metric stand together, its description once."""
    families: dict[bytes, list[bytes]] = {}
    for text in texts:
        for family in FAMILY.split(text)[1:]:
            told, kind, samples = family.split(b"\n", 2)
            families.setdefault(told + b"\n" + kind + b"\n", []).append(samples)
    return b"".join(head + b"".join(samples) for head, samples in families.items())


def labelled(text: bytes, labels: bytes) -> bytes:
    """The text with these labels more, `name="value"` each, on every sample."""

    def add(found: re.Match[bytes]) -> bytes:
        name, after = found.groups()
        return name + b"{" + labels + (b"," if after == b"{" else b"} ")

    return SAMPLE.sub(add, text)
