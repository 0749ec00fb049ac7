"""PINs, hashed slowly on purpose (argon2id, RFC 9106), in one thread that gives way: sound never waits."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bridge.errors import Unavailable

MEMORY_KIB = 64 * 1024
ROUNDS = 3
MAX_WAITING = 16
"""PINs that wait to be looked at; each takes about a tenth of a second."""
NICE = 10
"""How far the thread steps back behind those that carry sound."""
DIGITS = re.compile(r"[0-9]{6,32}")
NAME = re.compile(r"[^\x00-\x1f\x7f]{1,64}")


def hash_pin(pin: str) -> str:
    """What is stored of a PIN."""
    return _hasher().hash(pin)


def flaw(pin: str) -> str:
    """What makes a new PIN too easy to guess; empty: nothing."""
    if not DIGITS.fullmatch(pin):
        return "6 to 32 digits, please"
    steps = {int(after) - int(before) for before, after in pairwise(pin)}
    return "that one is guessed first" if steps in ({0}, {1}, {-1}) else ""


def user_id_of(name: str) -> str:
    """The user somebody means by a name: case and spaces do not count. Empty: it cannot be anybody's."""
    user_id = " ".join(normalize("NFKC", name).casefold().split())
    return user_id if NAME.fullmatch(user_id) else ""


class Pins:
    """Compares PINs with their hashes, one after the other. To be closed."""

    def __init__(self) -> None:
        self._hasher = _hasher()
        self._thread = ThreadPoolExecutor(1, "pins", initializer=_give_way)
        self._waiting = 0
        self._nobodys = hash_pin(secrets.token_hex(8))

    @contextmanager
    def room(self) -> Iterator[None]:
        """For one PIN that is to be looked at. Raises Unavailable when too many wait."""
        if self._waiting >= MAX_WAITING:
            raise Unavailable("Too many are signing in just now.", retry_after=2)
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def fits(self, pin: str, pin_hash: str | None) -> bool:
        """None: nobody's, which takes as long. To be called where there is `room`."""
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._compare, pin, pin_hash or self._nobodys
        )

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _compare(self, pin: str, pin_hash: str) -> bool:
        try:
            return self._hasher.verify(pin_hash, pin)
        except (VerificationError, InvalidHashError):
            return False


def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=ROUNDS, memory_cost=MEMORY_KIB, parallelism=1)


def _give_way() -> None:
    if sys.platform == "linux":  # elsewhere it would be the whole process
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
