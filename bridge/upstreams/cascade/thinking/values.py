"""Values of arguments as people say them: choices, numbers, yes and no."""

from collections.abc import Sequence
from functools import cache
from typing import Final

from bridge.core.agent import Parameter
from bridge.upstreams.cascade.thinking.words import Words, norms, same, stem

_SMALL: Final = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SPECIAL: Final = {"a": 1, "an": 1, "dozen": 12, "couple": 2, "single": 1, "half": 0.5, "both": 2}
_SCALES: Final = {"hundred": 100, "thousand": 1000, "million": 1_000_000, "dozen": 12}

YES: Final = frozenset(["yes", "true", "on", "sure", "ok", "right", "correct", "definitely", "absolutely"])
NO: Final = frozenset(["no", "not", "false", "off", "without", "never"])


@cache
def number_words() -> frozenset[str]:
    """The words a number is said with."""
    return frozenset([*_SMALL, *_TENS, *_SPECIAL, *_SCALES, "and"])


def find_number(said: Sequence[str]) -> float | None:
    """The first number among the words: "two hundred and five", "12", "a dozen". "a" alone is none."""
    for begin in range(len(said)):
        if (found := _number_at(said, begin)) is not None:
            return found
    return next((1.0 for word in said if word in {"a", "an"}), None) if len(said) <= 2 else None


def _number_at(said: Sequence[str], begin: int) -> float | None:
    total, part, seen = 0.0, 0.0, False
    for word in said[begin:]:
        if (plain := _plain(word)) is not None:
            part, seen = part + plain, True
        elif word in _SCALES and (seen or word == "dozen"):
            part, seen = max(part, 1) * _SCALES[word], True
            if _SCALES[word] >= 1000:
                total, part = total + part, 0.0
        elif word == "couple":
            return 2.0
        elif not (seen and word == "and"):
            break
    return total + part if seen else None


def _plain(word: str) -> float | None:
    if word in _SMALL:
        return float(_SMALL.index(word))
    if word in _TENS:
        return float(_TENS.index(word) * 10 + 20)
    tens, dash, ones = word.partition("-")
    if dash and tens in _TENS and ones in _SMALL:
        return float(_TENS.index(tens) * 10 + 20 + _SMALL.index(ones))
    try:
        return float(word.replace(",", "")) if word[:1].isdigit() else None
    except ValueError:
        return None


def spoken_choice(choice: str) -> tuple[str, ...]:
    """A choice as it is said: `extra_large` → extra, large."""
    return norms(choice.replace("_", " ").replace("-", " "))


@cache
def choice_words(parameter: Parameter) -> frozenset[str]:
    """All words of all choices."""
    return frozenset(norm for choice in parameter.choices for norm in spoken_choice(choice))


def find_choice(parameter: Parameter, said: Sequence[str]) -> str | None:
    """The choice that was said; the longest when one is part of another, the last when several were said."""
    best: tuple[int, int, str] | None = None
    for choice in parameter.choices:
        wanted = spoken_choice(choice)
        for at in range(len(said) - len(wanted) + 1):
            if wanted and all(_close(one, two) for one, two in zip(wanted, said[at:], strict=False)):
                best = max(best or (0, -1, ""), (len(wanted), at, choice))
    return best[2] if best else None


def _close(wanted: str, said: str) -> bool:
    return wanted == said or stem(wanted) == stem(said) or (len(wanted) > 4 and same(wanted, said))


def find_boolean(said: Sequence[str]) -> bool | None:
    """Yes or no, whichever comes first."""
    return next((word in YES for word in said if word in YES or word in NO), None)


def as_norms(part: Words) -> tuple[str, ...]:
    """The words of a part as they are compared."""
    return tuple(word.norm for word in part)
