"""`BRIDGE_AUTH=pin`: a name and a PIN are exchanged for a credential by chance, which is good for a while."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bridge.auth.pins import Pins, user_id_of
from bridge.errors import TooMany, Unauthenticated
from bridge.ports import Accounts, Principal, SignIn

log = structlog.get_logger(__name__)

PREFIX = "vbu_"
"""Of the credential of a user who has signed in: 256 bits by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByPin:
    """ports.Authenticator and ports.PinDesk. Of a credential only its digest is kept."""

    accounts: Accounts
    pins: Pins
    lasting: timedelta
    """How long a sign-in is good."""
    now: Callable[[], datetime]

    async def __call__(self, headers: Mapping[str, str], credential: str | None) -> Principal:
        if credential is None:
            raise Unauthenticated("Sign in first.")
        found = await self.accounts.find(_digest(credential)) if credential.startswith(PREFIX) else None
        if found is None:
            raise Unauthenticated("That sign-in has ended.")
        return Principal(found.user_id, found)

    async def sign_in(self, name: str, pin: str, address: str) -> tuple[str, SignIn]:
        """See ports.PinDesk. Takes as long, and says the same, whether there is such a user or not."""
        user_id, begun = user_id_of(name), self.now()
        with self.pins.room():  # before it is counted: who is sent away has not tried
            wait = await self._charge(user_id, address)
            account = await self.accounts.account(user_id)
            fits = await self.pins.fits(pin, account.pin_hash if account else None)
        if account is None or not fits:
            raise Unauthenticated(
                "The name or the PIN is wrong.", code="BRIDGE_WRONG_PIN", retry_after=wait or None
            )
        await self.accounts.forgive(user_id, address)
        if account.locked:
            raise Unauthenticated("An operator has locked this user.", code="BRIDGE_USER_LOCKED")
        credential = PREFIX + secrets.token_urlsafe(32)
        made = SignIn(
            user_id=user_id, digest=_digest(credential), issued_at=begun, expires_at=begun + self.lasting
        )
        await self.accounts.keep(made)
        log.info("signed_in")
        return credential, made

    async def _charge(self, user_id: str, address: str) -> float:
        try:
            return await self.accounts.charge(user_id, address)
        except TooMany as error:
            log.warning("sign_in_held_off", code=error.code)
            raise


def _digest(credential: str) -> str:
    return hashlib.sha256(credential.encode()).hexdigest()
