"""Heard words as people write them: the ear knows no capitals."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bridge.upstreams.cascade.hearing.phrases import load_fillers

_WORD = re.compile(r"[a-z]+", re.ASCII)
_ALWAYS = ("i",)


class Writer:
    """Begins a sentence with a capital letter, and names."""

    def __init__(self, names: Iterable[str] | None = None) -> None:
        """`names`: lower-case words that are written with a capital wherever they stand; ours by default."""
        known = load_fillers()["capitals"].replace(",", " ").split() if names is None else names
        self._names = frozenset((*known, *_ALWAYS))

    def __call__(self, words: str) -> str:
        """`i'd like to learn spanish` → `I'd like to learn Spanish`."""
        written = _WORD.sub(self._word, words)
        return written[:1].upper() + written[1:]

    def _word(self, found: re.Match[str]) -> str:
        word, text, start = found[0], found.string, found.start()
        after_apostrophe = start > 0 and text[start - 1] == "'"
        return word.capitalize() if word in self._names and not after_apostrophe else word
