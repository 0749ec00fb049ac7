"""How words sound, by the rules of English spelling: misheard words are spelled otherwise and sound alike."""

import re
from functools import lru_cache
from typing import Final

_IRREGULAR_TEXT: Final = """
    a A | i I | eye I | one wan | won wan | two tU | to tU | too tU | are ar | our Wr | hour Wr |
    eight At | ate At | said sed | says sez | of ov | off of | some sam | come kam | done dan | does daz |
    was waz | have hav | give giv | live liv | you yU | your yor | who hU | do dU | now nW | how hW |
    the Ta | their Ter | there Ter | where wer | get get | friday frIdA | wednesday wenzdA | women wimen |
    people pEpl | buy bI | bye bI | meant ment | again agen | been bin | meeting mEtin | am am
"""
_IRREGULAR: Final = {pair.split()[0]: pair.split()[1] for pair in _IRREGULAR_TEXT.split("|")}
"""Words the rules get wrong, of those people say most."""
_RULES: Final = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        *((r"eigh|aigh", "A"), (r"igh", "I"), (r"ould", "ud"), (r"ough|augh", "o"), (r"(?<!^)gh", "")),
        *((r"tch|ch", "C"), (r"sch", "sk"), (r"sh", "S"), (r"ph", "f"), (r"th", "T"), (r"wh", "w")),
        *(
            (r"^wr", "r"),
            (r"^[kg]n", "n"),
            (r"dge", "j"),
            (r"cc(?=[ei])", "C"),
            (r"[ts]?sion|tion", "San"),
            (r"ture", "Cr"),
        ),
        *((r"qu", "kw"), (r"ck", "k"), (r"c(?=[eiy])", "s"), (r"c", "k"), (r"x", "ks"), (r"mb$", "m")),
        *((r"ng?(?=$|s$)", "n"), (r"g(?=e$|es$|y)|j", "j"), (r"alk", "ok"), (r"ear|eer", "Er")),
        *((r"air|are$", "er"), (r"[uo]?our|oor|ore|oar", "or"), (r"ar", "ar"), (r"or", "or")),
        *((r"[eiu]r", "r"), (r"ai|ay|ei", "A"), (r"ea|ee|ie(?!$)|ey", "E"), (r"ie$", "I")),
        *((r"oa|oe$", "O"), (r"oo|ue|ew|ui|eu", "U"), (r"ou|ow(?!$)", "W"), (r"ow$", "O")),
        *((r"oi|oy", "Y"), (r"au|aw", "o"), (r"a(?=[^aeiouwxy]e[sd]?$)", "A")),
        *((r"i(?=[^aeiouwxy]e[sd]?$)|i(?=nd|ld)", "I"), (r"o(?=[^aeiouwxy]e[sd]?$)|o(?=l[dlt]|st)", "O")),
        *((r"u(?=[^aeiouwxy]e[sd]?$)", "U"), (r"(?<=[aeiouy][^aeiouytd])ed$", "d")),
        *((r"(?<=[aeiouy][^aeiouytd]{2})ed$", "d"), (r"(?<=[aeiouy][^aeiouy])es?$", "")),
        *((r"(?<=[aeiouy][^aeiouy]{2})es?$", ""),),
        *((r"^y", "y"), (r"(?<=^[^aeiouy])y$|(?<=^[^aeiouy]{2})y$", "I"), (r"y$", "E"), (r"y", "i")),
        *((r"o$", "O"), (r"i$|e$", "E"), (r"u$", "U")),
    )
)
_VOWELS: Final = frozenset("aeiouAEIOUWY")
_PAIRS: Final = {"pb", "td", "kg", "fv", "sz", "Cj"}
_NEAR: Final = {"dj", "mn", "Tf", "Tt", "Td", "Ts", "sS", "CS", "lr", "lw", "pk", "tk", "jd", "Ct"}
_LOST: Final = {"h": 0.3, "r": 0.4, "t": 0.5, "d": 0.5, "n": 0.6, "l": 0.6, "y": 0.4, "w": 0.5}
"""What a sound costs that one has and the other has not; a vowel costs 0.4, any other 0.8."""


def sounds(words: str) -> str:
    """How words sound in a row, one letter a sound; capital vowels are long, T is th, S sh, C ch."""
    return "".join(map(_sound, words.lower().replace("'", "").split()))


@lru_cache(maxsize=8192)
def _sound(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    at, found = 0, ""
    while at < len(word):
        rule = next(((m, sound) for rule, sound in _RULES if (m := rule.match(word, at))), None)
        sound, end = (rule[1], rule[0].end()) if rule and rule[0].end() > at else (word[at], at + 1)
        found += sound if sound[:1] != found[-1:] or sound in _VOWELS else sound[1:]
        at = end
    return found


@lru_cache(maxsize=32768)
def sound_likeness(left: str, right: str) -> float:
    """How alike two texts sound, 0–1; spaces don't count, words that sound the same are 1."""
    one, other = sounds(left), sounds(right)
    longer = max(len(one), len(other))
    return 1 - _distance(one, other) / longer if longer else 0.0


def _distance(one: str, other: str) -> float:
    row = [0.0]
    for sound in other:
        row.append(row[-1] + _lost(sound))
    for left in one:
        before, row = row, [row[0] + _lost(left)]
        for index, right in enumerate(other):
            ways = before[index] + _swap(left, right), before[index + 1] + _lost(left), row[-1] + _lost(right)
            row.append(min(ways))
    return row[-1]


@lru_cache(maxsize=2048)
def _swap(left: str, right: str) -> float:
    """What it costs that one sound stands for another."""
    if left == right:
        return 0.0
    both = {left + right, right + left}
    vowels = (left in _VOWELS) + (right in _VOWELS)
    if vowels == 2:
        return 0.15 if left.lower() == right.lower() else 0.3
    if vowels == 1:
        return 0.6 if {left, right} & set("rhwy") else 1.0
    return 0.2 if both & _PAIRS else 0.4 if both & _NEAR else 1.0


def _lost(sound: str) -> float:
    return 0.4 if sound in _VOWELS else _LOST.get(sound, 0.8)
