"""Users with a PIN for tests, added as an operator adds them."""

from __future__ import annotations

from pathlib import Path

import httpx2
from argon2 import PasswordHasher

from persistence.users import Users, open_users
from tests.support.client import NO_TLS

PIN = "483920"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""A hash says itself how slow it is: those of tests are not."""


async def add_users(url: str, *names: str, pin: str = PIN) -> None:
    """Into the database of that URL, or into the SQLite file of a test's folder."""
    hashed = QUICK.hash(pin)
    async with open_users(url) as users:
        for name in names:
            await users.add(name, hashed)


def sqlite_url(folder: Path) -> str:
    """Where a test's server keeps its database."""
    return f"sqlite:///{folder.resolve() / 'bridge.db'}"


async def sign_in(address: str, name: str = "ada", pin: str = PIN) -> str:
    """The token of an app."""
    async with httpx2.AsyncClient(base_url=f"http://{address}", trust_env=False, verify=NO_TLS) as http:
        answer = await http.post("/api/v1/sign-in", json={"name": name, "pin": pin, "keep": "token"})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


__all__ = ["PIN", "Users", "add_users", "open_users", "sign_in", "sqlite_url"]
