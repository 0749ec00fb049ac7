"""Cuts text, as it streams in, into sentences that can be spoken one by one. Pure.

The first sentence should be spoken while the rest is still being thought of; a cut in "Dr. Smith" or "3.5"
would be heard. So a full stop ends a sentence only when what follows has been seen.
"""

import re
from typing import Final

LONGEST: Final = 220
"""Characters after which a sentence without an end is cut at a comma or a blank: about 15 s of speech."""

_NEVER_LAST: Final = (
    " mr mrs ms dr prof st mt gen sen rep lt col sgt capt rev hon vs nr fig vol approx e.g i.e cf dept est "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri "
)
"""Abbreviations after which a sentence goes on."""
_PERHAPS_LAST: Final = " a.m p.m am pm etc inc ltd co corp jr sr u.s u.k d.c min hr hrs ft "
"""Abbreviations after which a sentence goes on unless a capital follows."""

_END = re.compile(r"""[.!?…]+["'”’)\]]*(?=\s)|\n""")
_COMMA = re.compile(r"[,;:–—](?=\s)")


class Sentences:
    """Text in, in pieces of any length; whole sentences out."""

    def __init__(self) -> None:
        self._text = ""

    def feed(self, piece: str) -> list[str]:
        """Take a piece of text; return the sentences that are certainly complete now."""
        self._text += piece
        done: list[str] = []
        while (cut := _cut(self._text)) is not None:
            done.append(self._text[:cut].strip())
            self._text = self._text[cut:]
        return [sentence for sentence in done if sentence]

    def flush(self) -> list[str]:
        """The text is over: return what is left, as one sentence."""
        rest, self._text = self._text.strip(), ""
        return [rest] if rest else []


def _cut(text: str) -> int | None:
    """Where the first sentence of the text ends; None when that cannot be said yet."""
    for mark in _END.finditer(text):
        if mark[0] == "\n":
            return mark.end()
        after = text[mark.end() :].lstrip(" \t")
        if not after:
            break
        if not mark[0].startswith(".") or _ends(text[: mark.start()], mark[0], after[0]):
            return mark.end()
    return _cut_long(text) if len(text) > LONGEST else None


def _ends(before: str, mark: str, after: str) -> bool:
    """Whether a full stop between these ends a sentence."""
    words = before.split()
    word = words[-1].lower().lstrip("\"'“‘([") if words else ""
    if mark.startswith("..") or after.islower():
        return False
    initial = len(word) == 1 and word.isalpha() and word != "i"
    numbered = (word.isdigit() and len(words) == 1) or (word == "no" and after.isdigit())
    if initial or numbered or f" {word} " in _NEVER_LAST:
        return False
    return f" {word} " not in _PERHAPS_LAST or after.isupper()


def _cut_long(text: str) -> int:
    """Where to cut a sentence that does not end: at its last comma, else its last blank, else anywhere."""
    head = text[:LONGEST]
    commas = [mark.end() for mark in _COMMA.finditer(head)]
    blank = head.rfind(" ")
    return commas[-1] if commas else blank + 1 if blank > 0 else LONGEST
