"""How deep JSON may be nested: more than any message needs, less than any writer of JSON can bear."""

from __future__ import annotations

MAX_DEPTH = 32
"""Objects and lists inside each other. orjson reads 1024 levels and writes 254."""


def too_deep(text: str, value: object) -> bool:
    """True: more than MAX_DEPTH objects and lists stand inside each other in `value`, which `text` became."""
    return text.count("{") + text.count("[") > MAX_DEPTH and _deep(value)


def _deep(value: object) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: object) -> list[object]:
    match value:
        case dict():
            return list(value.values())
        case list():
            return value
        case _:
            return []
