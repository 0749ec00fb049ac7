"""Each observer is told of what it looks for, and of nothing else."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

import pytest

from bridge.core import events as ev
from bridge.observers.feed import Feed
from bridge.observers.latency import Latency
from bridge.observers.lifecycle import BARE, Lifecycle
from bridge.observers.metrics import Metrics
from bridge.observers.overview import STATES, Overview
from bridge.observers.traces import Traces
from bridge.ports import Observer, SoundPassed

BESIDES: dict[type[Observer], set[str]] = {
    Lifecycle: {kind.__name__ for kind in BARE},
    Overview: {kind.__name__ for kind in STATES},
    Latency: {ev.AgentAudioDone.__name__},  # the last moment to see when the answer began to sound
    Traces: {ev.Attached.__name__},  # the talk begins
}
"""What it is told of without a case of its own."""


def cases(observer: type[Observer]) -> Iterator[str]:
    """What the `match` statements of its module look for among events and commands."""
    for node in ast.walk(ast.parse(inspect.getsource(inspect.getmodule(observer) or observer))):
        if isinstance(node, ast.MatchClass):
            name = ast.unparse(node.cls)
            if name.startswith(("ev.", "do.")) or name == SoundPassed.__name__:
                yield name.removeprefix("ev.").removeprefix("do.")


@pytest.mark.parametrize("observer", [Feed, Latency, Lifecycle, Metrics, Overview, Traces])
def test_it_names_what_it_looks_for(observer: type[Observer]) -> None:
    named = [kind.__name__ for kind in observer.kinds]  # type: ignore[attr-defined]
    assert len(named) == len(set(named))
    assert set(named) == {*cases(observer), *BESIDES.get(observer, set())}
