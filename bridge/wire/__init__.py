"""The JSON a client sends and receives: Deepgram's Voice Agent protocol, plus our additions."""

from bridge.wire.nesting import too_deep
from bridge.wire.reading import MAX_TEXT_BYTES, read
from bridge.wire.settings import read_cursor
from bridge.wire.writing import PROTOCOL_VERSION, entries_json, entry_json, instant, write

__all__ = [
    "MAX_TEXT_BYTES",
    "PROTOCOL_VERSION",
    "entries_json",
    "entry_json",
    "instant",
    "read",
    "read_cursor",
    "too_deep",
    "write",
]
