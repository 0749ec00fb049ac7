"""Who may come: users with a PIN, their sign-ins, and what takes those back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Somebody has proved who they are; good until it ends or is taken back."""

    user_id: str
    digest: str
    """SHA-256 of its credential, in hex: it cannot be used."""
    issued_at: datetime
    """UTC."""
    expires_at: datetime
    """UTC."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who somebody is."""

    user_id: str
    sign_in: SignIn | None = None
    """What they came with; None: nothing that could be taken back."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a PIN is compared with."""

    pin_hash: str
    locked: bool
    """By an operator."""


class Authenticator(Protocol):
    """Tells who somebody is from what a request brings."""

    async def __call__(self, headers: Mapping[str, str], credential: str | None) -> Principal:
        """`credential`: from the Authorization header, the sub-protocol or our cookie.

        Raises Unauthenticated, Unavailable, StoreUnavailable.
        """
        ...


class PinDesk(Protocol):
    """Where a PIN is exchanged for a sign-in."""

    async def sign_in(self, name: str, pin: str, address: str) -> tuple[str, SignIn]:
        """The credential, and what it stands for. `address`: where they come from.

        Raises Unauthenticated, TooMany, Unavailable, StoreUnavailable.
        """
        ...


Revoked = Callable[[SignIn], None]
Release = Callable[[], None]
Hold = Callable[[SignIn | None, Callable[[str, str], None]], Release]
"""Something is open on the strength of a sign-in: once that ends, the function is called with an error's code
and text, at most once. Gives what must be called when it is open no more."""


class Accounts(Protocol):
    """Users, their sign-ins and their wrong PINs, in the store. All raise StoreUnavailable."""

    async def account(self, user_id: str) -> Account | None:
        """None: nobody by that name has a PIN."""
        ...

    async def charge(self, user_id: str, address: str) -> float:
        """Count a try before it is made; gives the seconds until the next one, should it be wrong.

        Raises TooMany while that user, or who comes from that address, has to wait.
        """
        ...

    async def forgive(self, user_id: str, address: str) -> None:
        """The try that was charged last was right."""
        ...

    async def keep(self, sign_in: SignIn) -> None:
        """Let any process honour it from now on."""
        ...

    async def find(self, digest: str) -> SignIn | None:
        """One that `keep` was given, if it is still good."""
        ...

    async def stands(self, sign_in: SignIn) -> bool:
        """It was not taken back, and its user may come. For those that somebody else has issued, too."""
        ...

    async def revoke(self, sign_in: SignIn, *, everywhere: bool) -> None:
        """Sign out: this one, or all of its user's so far. Every process hears of it."""
        ...

    async def watch(self, standing: Callable[[], Collection[SignIn]], revoked: Revoked) -> None:
        """Tell, within 2 s, of those in `standing` that were taken back; until cancelled."""
        ...
