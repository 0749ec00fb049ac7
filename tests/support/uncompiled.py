"""A plugin of pytest: modules that are compiled run as they are written."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import FileFinder, SourceFileLoader
from pathlib import Path

BRIDGE = Path(__file__).parents[2] / "bridge"


def only_sources(folder: str) -> FileFinder:
    """Finds no compiled module of ours."""
    if not Path(folder).is_relative_to(BRIDGE):
        raise ImportError(folder)
    return FileFinder(folder, (SourceFileLoader, [".py"]))


sys.path_hooks.insert(0, only_sources)


def pytest_sessionstart() -> None:
    """Look that it is so."""
    for name in ("bridge.ports.credit", "bridge.sockets.straight"):
        assert str(import_module(name).__file__).endswith(".py")
