"""How words sound: the shipped pronunciations, and a guess by spelling for words that have none."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_NOT_OURS: Final = {("am", "EY EH M")}
"""Pronunciations that only confuse: the "am" of the clock is the word "a.m."."""

_LETTERS: Final[dict[str, str]] = {
    "tion": "SH AH N",
    "sion": "ZH AH N",
    "ture": "CH ER",
    "ough": "AO",
    "augh": "AO",
    "eigh": "EY",
    "igh": "AY",
    "tch": "CH",
    "dge": "JH",
    "sch": "S K",
    "eau": "OW",
    "ous": "AH S",
    "ing": "IH NG",
    "sh": "SH",
    "ch": "CH",
    "th": "TH",
    "ph": "F",
    "wh": "W",
    "ck": "K",
    "ng": "NG",
    "qu": "K W",
    "kn": "N",
    "wr": "R",
    "gh": "G",
    "ee": "IY",
    "ea": "IY",
    "oo": "UW",
    "ou": "AW",
    "ow": "OW",
    "oi": "OY",
    "oy": "OY",
    "ai": "EY",
    "ay": "EY",
    "au": "AO",
    "aw": "AO",
    "ie": "IY",
    "ei": "EY",
    "ey": "IY",
    "oa": "OW",
    "ue": "UW",
    "ew": "UW",
    "ar": "AA R",
    "er": "ER",
    "ir": "ER",
    "or": "AO R",
    "ur": "ER",
    "le$": "AH L",
    "es$": "Z",
    "bb": "B",
    "dd": "D",
    "ff": "F",
    "gg": "G",
    "ll": "L",
    "mm": "M",
    "nn": "N",
    "pp": "P",
    "rr": "R",
    "ss": "S",
    "tt": "T",
    "zz": "Z",
    "ce": "S EH",
    "ci": "S IH",
    "cy": "S IY",
    "ge": "JH EH",
    "gi": "JH IH",
    "e$": "",
    "y$": "IY",
    "^y": "Y",
    "^x": "Z",
    "a$": "AH",
    "o$": "OW",
    "i$": "IY",
    "^h": "HH",
    "a": "AE",
    "b": "B",
    "c": "K",
    "d": "D",
    "e": "EH",
    "f": "F",
    "g": "G",
    "h": "HH",
    "i": "IH",
    "j": "JH",
    "k": "K",
    "l": "L",
    "m": "M",
    "n": "N",
    "o": "AA",
    "p": "P",
    "q": "K",
    "r": "R",
    "s": "S",
    "t": "T",
    "u": "AH",
    "v": "V",
    "w": "W",
    "x": "K S",
    "y": "IH",
    "z": "Z",
    "'": "",
}
"""Spelling → sounds (ARPABET); `^` and `$` are the ends of the word. The longest match is taken."""
_PIECE: Final = re.compile(
    "|".join(
        re.escape(letters).replace(r"\^", "^").replace(r"\$", "$")
        for letters in sorted(_LETTERS, key=len)[::-1]
    )
)
_LONG: Final = {"a": "EY", "e": "IY", "i": "AY", "o": "OW", "u": "UW"}
"""A vowel before one consonant and a silent e: "name"."""

Pronunciations = dict[str, list[str]]
"""Word → its pronunciations, each as ARPABET sounds separated by blanks."""


def read_dictionary(path: Path) -> Pronunciations:
    """A dictionary in CMU's form, `word(2) S AW N D Z` on each line."""
    sounds: Pronunciations = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        head, _, tail = line.partition(" ")
        word = head.split("(")[0]
        if (word, tail) not in _NOT_OURS:
            sounds.setdefault(word, []).append(tail)
    return sounds


def format_dictionary(sounds: Pronunciations, words: Iterable[str]) -> str:
    """Those words, in CMU's form, sorted."""
    lines = [
        f"{word}{f'({nth})' if nth > 1 else ''} {said}"
        for word in sorted(words)
        for nth, said in enumerate(sounds[word], 1)
    ]
    return "\n".join(lines) + "\n"


def guess(word: str) -> str | None:
    """A pronunciation by spelling rules; None for what does not look like English. Often a poor guess."""
    if not re.fullmatch(r"[a-z][a-z']*", word) or not re.search(r"[aeiouy]", word):
        return None
    silent = re.fullmatch(r"(.*)([aeiou])([bdfklmnprstvz])e", word)
    if silent:
        before, vowel, consonant = silent.groups()
        return _spell(before) + f"{_LONG[vowel]} {_LETTERS[consonant]}"
    return _spell(word).strip() or None


def _spell(letters: str) -> str:
    return "".join(f"{_sounds(piece[0], piece)} " for piece in _PIECE.finditer(letters)).replace("  ", " ")


def _sounds(text: str, piece: re.Match[str]) -> str:
    first, last = piece.start() == 0, piece.end() == len(piece.string)
    marked = (f"^{text}", f"{text}$")
    if last and marked[1] in _LETTERS:
        return _LETTERS[marked[1]]
    return _LETTERS[marked[0]] if first and marked[0] in _LETTERS else _LETTERS[text]
