"""Finds personal data that has a form of its own (addresses, numbers of accounts) and takes it out of a text.

What it cannot find: names, addresses of houses, birthdays, numbers said in words, and whatever speech
recognition wrote in another form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType


class Personal(StrEnum):
    """A kind of personal data."""

    EMAIL = "email"
    PHONE = "phone"
    CARD = "card"
    """The number of a payment card: 13 to 19 digits whose last one fits (Luhn, ISO/IEC 7812-1)."""
    IBAN = "iban"
    """The number of a bank account whose check digits fit (ISO 13616)."""


EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}\b")
CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-]|\.\d)")
IBAN = re.compile(
    r"(?<!\w)(?:[A-Za-z]{2}\d{2}[A-Za-z0-9]{11,30}"
    r"|[A-Z]{2}\d{2}(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?)(?!\w)"
)
PHONE = re.compile(
    r"(?<![\w./-])(?<!\d:)(?:"
    r"(?:\+|00)[1-9](?:[ ./()-]{0,3}\d){6,13}"  # +49 (0)30 123 45-67
    r"|\(0[1-9]\d{0,4}\)[ /-]?\d(?:[ /-]?\d){3,9}"  # (030) 1234567
    r"|0[1-9]\d{1,4}[ /-]\d(?:[ /-]?\d){3,9}"  # 030 1234567
    r"|\(?[2-9]\d{2}\)?[ .-]\d{3}[ .-]\d{4}"  # (555) 123-4567
    r")(?![\w-]|[.:]\d)"
)
UNFINISHED = re.compile(r"(?:\b[A-Za-z]{2}(?=\d)|[+(]{0,2})\d[\dA-Z ./()-]{0,50}$")
"""What may be the beginning of a number, at the end of a text."""
STOPS = " .,;:!?…-–"
"""What stands at the end of a line of a talk and belongs to no number."""
ALIKE = str.maketrans(
    dict.fromkeys("\u00a0\u2007\u2009\u202f", " ")  # spaces that hold together
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-")
    | dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff")  # not seen
    | {"＋": "+", "＠": "@"}
)
"""What web pages and keyboards put in place of a plain character."""
MAY_HOLD = re.compile(r"@|\d[\d ./()-]{5}|[A-Za-z]{2}\d\d")
"""Most texts hold none of it, and are looked at only once."""


def _luhn(text: str) -> bool:
    digits = [int(char) for char in text if char.isdecimal()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _iban(text: str) -> bool:
    plain = text.replace(" ", "").upper()
    if not 15 <= len(plain) <= 34:
        return False
    return int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 == 1


def _always(text: str) -> bool:
    return True


FORMS: Mapping[Personal, tuple[re.Pattern[str], Callable[[str], bool]]] = MappingProxyType(
    {
        Personal.EMAIL: (EMAIL, _always),
        Personal.IBAN: (IBAN, _iban),
        Personal.CARD: (CARD, _luhn),
        Personal.PHONE: (PHONE, _always),
    }
)
"""In the order they are looked for: part of an IBAN looks like a card, and part of a card like a phone."""


def redact(text: str, kinds: Iterable[Personal] = tuple(Personal)) -> str:
    """The text with `[email]`, `[phone]` … in place of what it held of these kinds."""
    plain = text if text.isascii() else text.translate(ALIKE)
    if not MAY_HOLD.search(plain):
        return text
    redacted, wanted = plain, frozenset(kinds)
    for kind, (form, fits) in FORMS.items():
        if kind in wanted:
            redacted = form.sub(lambda found, k=kind, f=fits: f"[{k}]" if f(found[0]) else found[0], redacted)  # type: ignore[misc]
    return text if redacted == plain else redacted


def redact_part(text: str, kinds: Iterable[Personal] = tuple(Personal)) -> str:
    """The same of a text that was cut off: without a number at its end, of which the rest is missing."""
    wanted = frozenset(kinds)
    redacted = redact(text, wanted)
    return redacted if wanted <= {Personal.EMAIL} else UNFINISHED.sub("", redacted).rstrip()


def beginning(text: str) -> str:
    """What may be the beginning of a number at the end of what somebody said; mostly nothing."""
    plain = (text if text.isascii() else text.translate(ALIKE)).rstrip(STOPS)
    found = UNFINISHED.search(plain)
    return found[0].strip() if found else ""


def redact_rest(begun: str, text: str, kinds: Iterable[Personal] = tuple(Personal)) -> str:
    """`redact` for what comes after `begun`: without the rest of a number that begins in there.

    The number may have been cut between two of its groups, or within one.
    """
    wanted = frozenset(kinds)
    plain = text if text.isascii() else text.translate(ALIKE)
    for before in (f"{begun} ", begun) if begun else ():
        for kind in FORMS:
            if kind in wanted and (end := _end_across(kind, before, plain)):
                return redact(f"[{kind}]{plain[end:]}", wanted)
    return redact(text, wanted)


def _end_across(kind: Personal, before: str, text: str) -> int:
    """Where in `text` a number ends that begins in `before`; 0: there is none."""
    form, fits = FORMS[kind]
    for found in form.finditer(before + text):
        if found.start() < len(before) < found.end() and fits(found[0]):
            return found.end() - len(before)
    return 0
