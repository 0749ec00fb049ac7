"""The JSON a client sends and receives: Deepgram's Voice Agent protocol, plus our additions."""

from bridge.wire.nesting import too_deep
from bridge.wire.reading import read
from bridge.wire.settings import read_cursor
from bridge.wire.writing import entries_json, instant, write

__all__ = [
    "entries_json",
    "instant",
    "read",
    "read_cursor",
    "too_deep",
    "write",
]
